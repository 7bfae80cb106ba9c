// Made-up tissue: grey cytoplasm, and dark ellipsoids with folds inside, of which some touch in a slice.
import { RandomStream, Stream } from '../../../data/random'
import type { Triple } from '../../../datasets'
import { Generator, randn, type Tensor, tensor, tidy, where } from '../../../tensor'
import { gaussianFilter } from '../../../vision'

export interface SyntheticOptions {
  readonly shape: Triple
  /** Half axes in the slice, in voxels. */
  readonly radii: readonly [least: number, most: number]
  /** How much larger a voxel is from slice to slice than in the slice. */
  readonly anisotropy: number
  /** Share of the volume that groups may fill before no further one is tried. */
  readonly fill: number
}

export const SYNTHETIC: SyntheticOptions = { shape: [8, 64, 64], radii: [6, 11], anisotropy: 3.75, fill: 0.3 }

/** A volume and what it shows. */
export interface SyntheticVolume {
  /** uint8 `[D, H, W]`. */
  readonly image: Tensor<'uint8'>
  /** int32 `[D, H, W]`. */
  readonly labels: Tensor<'int32'>
}

interface Ellipsoid {
  readonly centre: Triple
  readonly radii: Triple
  /** Direction of the folds, in the slice. */
  readonly folds: number
}

/** A volume of a number, the same on every machine. */
export function syntheticVolume(number: number, options: SyntheticOptions = SYNTHETIC): SyntheticVolume {
  const stream = new RandomStream(number, 0, Stream.Samples)
  const cells = ellipsoids(stream, options)
  const { labels, depth, stripes } = paint(cells, options)
  return tidy(() => {
    const { shape } = options
    const generator = new Generator(1_000_003 * (number + 1))
    const noise = (sigma: number) => {
      const white = randn(shape, { generator })
      if (sigma === 0) return white
      const smooth = gaussianFilter(white, { sigma, edge: 'replicate' })
      return smooth.div(smooth.std({ dim: null }).clamp({ min: 1e-6 }))
    }
    const inside = tensor(labels, { shape }).gt(0)
    const folds = tensor(stripes, { shape })
    const membrane = tensor(depth, { shape }).gt(MEMBRANE).logicalAnd(inside)
    const cytoplasm = noise(3).mul(0.07).add(0.68)
    const matrix = folds.mul(0.09).add(0.45)
    const grey = where(membrane, matrix.mul(0).add(0.22), where(inside, matrix, cytoplasm)).add(noise(0).mul(0.04))
    generator.dispose()
    return {
      image: grey.clamp({ min: 0, max: 1 }).mul(255).to('uint8') as Tensor<'uint8'>,
      labels: tensor(labels, { shape }) as Tensor<'int32'>,
    }
  })
}

/** Share of the way from the centre at which the outer membrane begins. */
const MEMBRANE = 0.84

/** Groups of one to three that touch within a slice; groups keep apart. */
function ellipsoids(stream: RandomStream, { shape, radii, anisotropy, fill }: SyntheticOptions): Ellipsoid[] {
  const between = (least: number, most: number) => least + (most - least) * stream.uniform()
  const wanted = fill * shape[0] * shape[1] * shape[2]
  const placed: Ellipsoid[][] = []
  let volume = 0
  for (let attempt = 0; attempt < 200 && volume < wanted; attempt++) {
    const size = () => between(radii[0], radii[1])
    const draw = (centre: Triple): Ellipsoid => {
      const [y, x] = [size(), size()]
      const z = Math.max(1, (Math.min(y, x) / anisotropy) * between(0.9, 1.6))
      return { centre, radii: [z, y, x], folds: between(0, Math.PI) }
    }
    const group = [draw([between(0, shape[0] - 1), between(0, shape[1] - 1), between(0, shape[2] - 1)])]
    const members = 1 + stream.below(3)
    while (group.length < members) {
      const before = group.at(-1) as Ellipsoid
      const angle = between(0, 2 * Math.PI)
      const next = draw(before.centre)
      const reach = radius(before, angle) + radius(next, angle)
      const [z, y, x] = before.centre
      group.push({ ...next, centre: [z, y + 0.94 * reach * Math.sin(angle), x + 0.94 * reach * Math.cos(angle)] })
    }
    if (placed.flat().some((old) => group.some((own) => near(own, old)))) continue
    placed.push(group)
    volume += group.reduce((sum, { radii: [z, y, x] }) => sum + (4 / 3) * Math.PI * z * y * x, 0)
  }
  return placed.flat()
}

/** Half axis in the slice along an angle. */
function radius({ radii: [, y, x] }: Ellipsoid, angle: number): number {
  return 1 / Math.hypot(Math.sin(angle) / y, Math.cos(angle) / x)
}

/** Whether spheres around both, two voxels larger, meet. */
function near(one: Ellipsoid, other: Ellipsoid): boolean {
  const gap = one.centre.map((place, axis) => {
    const reach = (one.radii[axis] ?? 0) + (other.radii[axis] ?? 0) + 2
    return (place - (other.centre[axis] ?? 0)) / reach
  })
  return Math.hypot(...gap) < 1
}

/** Numbers, share of the way from centre to surface, and folds of each voxel. */
function paint(cells: readonly Ellipsoid[], { shape }: SyntheticOptions) {
  const [depth, height, width] = shape
  const count = depth * height * width
  const labels = new Int32Array(count)
  const shares = new Float32Array(count).fill(1)
  const stripes = new Float32Array(count)
  for (const [i, { centre, radii, folds }] of cells.entries()) {
    const span = (axis: 0 | 1 | 2) => [
      Math.max(0, Math.ceil(centre[axis] - radii[axis])),
      Math.min(shape[axis] - 1, Math.floor(centre[axis] + radii[axis])),
    ]
    const [[z0 = 0, z1 = -1], [y0 = 0, y1 = -1], [x0 = 0, x1 = -1]] = [span(0), span(1), span(2)]
    for (let z = z0; z <= z1; z++) {
      for (let y = y0; y <= y1; y++) {
        for (let x = x0; x <= x1; x++) {
          const [dz, dy, dx] = [z - centre[0], y - centre[1], x - centre[2]]
          const share = Math.hypot(dz / radii[0], dy / radii[1], dx / radii[2])
          const at = (z * height + y) * width + x
          // Where two overlap, a voxel belongs to the one whose centre it is nearer to in its measure.
          if (share >= (shares[at] ?? 1)) continue
          shares[at] = share
          labels[at] = i + 1
          stripes[at] = Math.sin(1.6 * (dx * Math.cos(folds) + dy * Math.sin(folds)))
        }
      }
    }
  }
  return { labels: consecutive(labels), depth: shares, stripes }
}

/** Numbers without gaps: a cell may lie wholly outside. */
function consecutive(labels: Int32Array): Int32Array {
  const numbers = new Map<number, number>([[0, 0]])
  return labels.map((label) => {
    const known = numbers.get(label) ?? numbers.size
    numbers.set(label, known)
    return known
  })
}
