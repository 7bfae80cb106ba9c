// Surfaces of volumes as triangles.
import { ShapeError } from '../native/errors'
import { type Tensor, tensor } from '../tensor'

/** Corners of a cube as bits of z, y and x; six tetrahedra share the diagonal from 0 to 7. */
const TETRAHEDRA = [
  [0, 1, 3, 7],
  [0, 3, 2, 7],
  [0, 2, 6, 7],
  [0, 6, 4, 7],
  [0, 4, 5, 7],
  [0, 5, 1, 7],
] as const

/** Triangles of a surface. */
export interface Isosurface {
  /** `[V, 3]` float32 as (x, y, z). */
  readonly vertices: Tensor<'float32'>
  /** `[F, 3]` int64; seen from outside they turn counterclockwise. */
  readonly faces: Tensor<'int64'>
}

export interface IsosurfaceOptions {
  /** Values above it are inside; 0.5 unless stated. */
  readonly level?: number | undefined
  /** Size of a voxel along z, y and x; 1 unless stated. */
  readonly spacing?: readonly [z: number, y: number, x: number] | undefined
}

/**
 * The closed surface where a volume passes a level, by the tetrahedra of its cubes (Doi, Koide, IEICE 1991): like marching
 * cubes, without ambiguous cases. Beyond the volume everything is outside.
 *
 * @param volume `[D, H, W]`, a mask or values
 * @throws ShapeError when it is no volume
 */
export function isosurface(volume: Tensor, { level = 0.5, spacing = [1, 1, 1] }: IsosurfaceOptions = {}): Isosurface {
  if (volume.ndim !== 3) throw new ShapeError(`isosurface: the volume is [D, H, W], got [${volume.shape.join(', ')}]`)
  const [depth = 0, height = 0, width = 0] = volume.shape
  const float = volume.to('float64')
  const values = float.dataSync() as Float64Array
  float.dispose()
  const value = (z: number, y: number, x: number): number =>
    z < 0 || y < 0 || x < 0 || z >= depth || y >= height || x >= width
      ? Math.min(0, 2 * level - 1)
      : (values[(z * height + y) * width + x] ?? 0)
  const [rows, columns] = [height + 2, width + 2]
  const vertices: number[] = []
  const faces: number[] = []
  const made = new Map<number, number>()
  const corners = new Float64Array(8)
  const places = new Int32Array(8)

  /** The vertex between a corner inside and one outside. */
  const between = (z: number, y: number, x: number, inside: number, outside: number): number => {
    const [low, high] = [
      Math.min(places[inside] ?? 0, places[outside] ?? 0),
      Math.max(places[inside] ?? 0, places[outside] ?? 0),
    ]
    const key = low * ((depth + 2) * rows * columns) + high
    const known = made.get(key)
    if (known !== undefined) return known
    const [a, b] = [corners[inside] ?? 0, corners[outside] ?? 0]
    const share = (a - level) / (a - b)
    const along = (bit: number, start: number) => {
      const [from, to] = [(inside >> bit) & 1, (outside >> bit) & 1]
      return start + from + share * (to - from)
    }
    vertices.push(along(0, x) * spacing[2], along(1, y) * spacing[1], along(2, z) * spacing[0])
    const vertex = vertices.length / 3 - 1
    made.set(key, vertex)
    return vertex
  }

  for (let z = -1; z < depth; z++) {
    for (let y = -1; y < height; y++) {
      for (let x = -1; x < width; x++) {
        let inside = 0
        for (let corner = 0; corner < 8; corner++) {
          const [cz, cy, cx] = [z + (corner >> 2), y + ((corner >> 1) & 1), x + (corner & 1)]
          corners[corner] = value(cz, cy, cx)
          places[corner] = ((cz + 1) * rows + cy + 1) * columns + cx + 1
          if ((corners[corner] ?? 0) > level) inside++
        }
        if (inside === 0 || inside === 8) continue
        for (const four of TETRAHEDRA) {
          const within = four.filter((corner) => (corners[corner] ?? 0) > level)
          const beyond = four.filter((corner) => (corners[corner] ?? 0) <= level)
          if (within.length === 0 || beyond.length === 0) continue
          const ring =
            within.length === 2
              ? (
                  [
                    [0, 0],
                    [0, 1],
                    [1, 1],
                    [1, 0],
                  ] as const
                ).map(([i, o]) => between(z, y, x, within[i] ?? 0, beyond[o] ?? 0))
              : within.flatMap((i) => beyond.map((o) => between(z, y, x, i, o)))
          // Seen from the outside: the normal points from the corners inside to those beyond.
          const outward = pointsOut(ring, vertices, [within[0] ?? 0, beyond[0] ?? 0], spacing)
          for (let k = 1; k + 1 < ring.length; k++) {
            const [p, q, r] = [ring[0] ?? 0, ring[k] ?? 0, ring[k + 1] ?? 0]
            faces.push(p, ...(outward ? [q, r] : [r, q]))
          }
        }
      }
    }
  }
  return {
    vertices: tensor(Float32Array.from(vertices), { shape: [vertices.length / 3, 3] }) as Tensor<'float32'>,
    faces: tensor(BigInt64Array.from(faces, BigInt), { shape: [faces.length / 3, 3] }) as Tensor<'int64'>,
  }
}

/** Whether a ring of vertices turns counterclockwise as seen from the corner beyond. */
function pointsOut(
  ring: readonly number[],
  vertices: readonly number[],
  [inside, outside]: readonly [number, number],
  spacing: readonly [number, number, number],
): boolean {
  const point = (i: number) => [0, 1, 2].map((axis) => vertices[3 * (ring[i] ?? 0) + axis] ?? 0)
  const [a, b, c] = [point(0), point(1), point(2)]
  const minus = (p: readonly number[], q: readonly number[]) => p.map((each, axis) => each - (q[axis] ?? 0))
  const [[ux = 0, uy = 0, uz = 0], [vx = 0, vy = 0, vz = 0]] = [minus(b, a), minus(c, a)]
  const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]
  const way = [0, 1, 2].map((bit) => (((outside >> bit) & 1) - ((inside >> bit) & 1)) * (spacing[2 - bit] ?? 1))
  return normal.reduce((total, each, axis) => total + each * (way[axis] ?? 0), 0) > 0
}
