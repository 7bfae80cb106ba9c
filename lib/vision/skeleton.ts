// Thinning of volumes to lines one voxel wide.
import { ShapeError } from '../native/errors'
import { type Tensor, tensor } from '../tensor'

const CENTRE = 13
/** Place of a neighbour among the 27 of a cube, and its steps. */
const CELLS = Array.from(
  { length: 27 },
  (_, i) => [Math.floor(i / 9) - 1, (Math.floor(i / 3) % 3) - 1, (i % 3) - 1] as const,
)
const distance = (i: number, j: number) =>
  CELLS[i]?.map((place, axis) => Math.abs(place - (CELLS[j]?.[axis] ?? 0))) ?? []
const AROUND = CELLS.flatMap((_, i) => (i === CENTRE ? [] : [i]))
const FACES = AROUND.filter((i) => sum(distance(i, CENTRE)) === 1)
const FACES_AND_EDGES = AROUND.filter((i) => sum(distance(i, CENTRE)) <= 2)
/** Cells that touch each cell at all; and those that share a face with it, corners left out. */
const TOUCHING = CELLS.map((_, i) => AROUND.filter((j) => j !== i && Math.max(...distance(i, j)) === 1))
const BESIDE = CELLS.map((_, i) => FACES_AND_EDGES.filter((j) => sum(distance(i, j)) === 1))

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Faces from which voxels are taken in turn: before and behind along y, behind and before along x, and so along z. */
const SIDES = [
  [0, -1, 0],
  [0, 1, 0],
  [0, 0, 1],
  [0, 0, -1],
  [1, 0, 0],
  [-1, 0, 0],
] as const

/**
 * Thins objects to skeletons one voxel wide by taking away border voxels from six sides in turn, as long as neither the
 * number of pieces nor that of holes changes, and ends stay (Lee, Kashyap, Chu, CVGIP 1994). As `skeletonize` of
 * scikit-image with the method `lee`, which however loses some small pieces wholly.
 *
 * @param mask `[D, H, W]`; what is not 0 is an object
 * @returns bool `[D, H, W]`
 * @throws ShapeError for a mask that is no volume
 */
export function skeletonize3d(mask: Tensor): Tensor<'bool'> {
  if (mask.ndim !== 3) throw new ShapeError(`skeletonize3d: the mask is [D, H, W], got [${mask.shape.join(', ')}]`)
  const [depth = 0, height = 0, width = 0] = mask.shape
  const given = mask.ne(0).to('uint8')
  const values = given.dataSync() as Uint8Array
  given.dispose()
  // A border of background spares all questions about the volume's edge.
  const [rows, columns] = [height + 2, width + 2]
  const cells = new Uint8Array((depth + 2) * rows * columns)
  const at = (z: number, y: number, x: number) => ((z + 1) * rows + y + 1) * columns + x + 1
  const step = (z: number, y: number, x: number) => (z * rows + y) * columns + x
  let border: number[] = []
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) continue
    const place = at(Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width)
    cells[place] = 1
    border.push(place)
  }
  const steps = CELLS.map(([z, y, x]) => step(z, y, x))
  const around = (place: number): number => {
    let bits = 0
    for (const i of AROUND) if (cells[place + (steps[i] ?? 0)] === 1) bits |= 1 << i
    return bits
  }
  for (let quiet = 0; quiet < SIDES.length; ) {
    quiet = 0
    for (const [z, y, x] of SIDES) {
      const side = step(z, y, x)
      const candidates = border.filter((place) => {
        if (cells[place + side] === 1) return false
        const bits = around(place)
        return !isEnd(bits) && isSimple(bits)
      })
      let taken = false
      for (const place of candidates) {
        // What was taken since may have made it a link.
        if (!isSimple(around(place))) continue
        cells[place] = 0
        taken = true
      }
      if (taken) border = border.filter((place) => cells[place] === 1)
      else quiet++
    }
  }
  const skeleton = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i++) {
    skeleton[i] = cells[at(Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width)] ?? 0
  }
  return tensor(skeleton, { shape: [depth, height, width] }).to('bool') as Tensor<'bool'>
}

/** One neighbour, or none. */
function isEnd(bits: number): boolean {
  return (bits & (bits - 1)) === 0
}

const known = new Map<number, boolean>()
const MOST_KNOWN = 2 ** 20

/** Whether a voxel with these neighbours can go: those around it are one piece, and so is the background beside it. */
function isSimple(bits: number): boolean {
  const found = known.get(bits)
  if (found !== undefined) return found
  if (known.size >= MOST_KNOWN) known.clear()
  const inside = (i: number) => (bits & (1 << i)) !== 0
  const simple =
    pieces(AROUND, AROUND, inside, TOUCHING) === 1 && pieces(FACES, FACES_AND_EDGES, (i) => !inside(i), BESIDE) === 1
  known.set(bits, simple)
  return simple
}

/** Pieces of the cells for which a rule holds, that hold one of `from`. */
function pieces(
  from: readonly number[],
  among: readonly number[],
  rule: (cell: number) => boolean,
  neighbours: readonly (readonly number[])[],
): number {
  let left = among.reduce((bits, cell) => (rule(cell) ? bits | (1 << cell) : bits), 0)
  let count = 0
  for (const first of from) {
    if ((left & (1 << first)) === 0) continue
    count++
    const waiting = [first]
    left &= ~(1 << first)
    for (let cell = waiting.pop(); cell !== undefined; cell = waiting.pop()) {
      for (const next of neighbours[cell] ?? []) {
        if ((left & (1 << next)) === 0) continue
        left &= ~(1 << next)
        waiting.push(next)
      }
    }
  }
  return count
}
