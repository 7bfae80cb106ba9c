// Surfaces of triangles: vertices `[V, 3]` and the numbers of each triangle's corners, int64 `[F, 3]`, counter-clockwise from outside.
import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import { type Generator, rand, searchsorted, stack, type Tensor, zeros } from '../tensor'
import { tidy } from '../tensor/scope'
import { checkSizes } from './check'
import { cross, lengths, unit } from './vectors'

/** @returns `[F]` */
export function faceAreas(vertices: Tensor, faces: Tensor): Tensor {
  checkMesh('faceAreas', vertices, faces)
  return tidy(() => lengths(doubleAreas(vertices, faces)).squeeze(-1).mul(0.5))
}

/** Of length 1; triangles without area have about 0. @returns `[F, 3]` */
export function faceNormals(vertices: Tensor, faces: Tensor): Tensor {
  checkMesh('faceNormals', vertices, faces)
  return tidy(() => unit(doubleAreas(vertices, faces)))
}

/**
 * Of length 1: the mean of the normals of the triangles at a vertex, weighed by their areas as in PyTorch3D; 0 where
 * there are none.
 *
 * @returns `[V, 3]`
 */
export function vertexNormals(vertices: Tensor, faces: Tensor): Tensor {
  checkMesh('vertexNormals', vertices, faces)
  return tidy(() => {
    const areas = doubleAreas(vertices, faces)
    const sums = zeros(vertices.shape, { dtype: vertices.dtype, device: vertices.device })
    return unit([0, 1, 2].reduce((sum, corner) => sum.indexAdd(0, faces.select(1, corner), areas), sums))
  })
}

export interface SampleMeshOptions {
  readonly generator?: Generator | undefined
}

export interface MeshSamples {
  /** `[count, 3]`, differentiable by the vertices. */
  readonly points: Tensor
  /** Of the triangles they lie in, `[count, 3]`. */
  readonly normals: Tensor
  /** The triangles, int64 `[count]`. */
  readonly faces: Tensor
  /** How much each corner counts, `[count, 3]`, sum 1: mixes colours or texture places of the corners alike. */
  readonly barycentric: Tensor
}

/**
 * Points on a surface, each place as likely as any other (Osada et al., TOG 2002).
 *
 * @param vertices `[V, 3]`
 * @param faces int64 `[F, 3]`
 * @throws ArgumentError when the surface has no area
 */
export function samplePointsFromMesh(
  vertices: Tensor,
  faces: Tensor,
  count: number,
  { generator }: SampleMeshOptions = {},
): MeshSamples {
  checkMesh('samplePointsFromMesh', vertices, faces)
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new ArgumentError(`samplePointsFromMesh: count is ${count}; it must be a whole number from 1`)
  }
  return tidy(() => {
    const areas = faceAreas(vertices.detach(), faces)
    const total = areas.sum().toNumber()
    if (!(total > 0 && Number.isFinite(total))) {
      throw new ArgumentError(
        `samplePointsFromMesh: the ${faces.size(0)} triangles have an area of ${total}; it must be above 0 and finite`,
      )
    }
    const { dtype, device } = vertices
    // A draw by cumulated areas takes any number of triangles; multinomial ends at 2²⁴.
    const sums = areas.to('float64').cumsum(0)
    const places = rand([count], { dtype: 'float64', device, generator }).mul(sums.select(0, -1))
    const chosen = searchsorted(sums, places, { right: true }).clamp({ max: faces.size(0) - 1 })
    const drawn = rand([2, count], { dtype, device, generator })
    const [root, part] = [drawn.select(0, 0).sqrt(), drawn.select(0, 1)]
    const barycentric = stack([root.neg().add(1), root.mul(part.neg().add(1)), root.mul(part)], { dim: 1 })
    const corners = vertices.indexSelect(0, faces.indexSelect(0, chosen).reshape([-1])).reshape([count, 3, 3])
    const points = corners.mul(barycentric.unsqueeze(-1)).sum({ dim: [1] })
    const normals = faceNormals(vertices, faces.indexSelect(0, chosen))
    return { points, normals, faces: chosen, barycentric }
  })
}

/** Normals as long as twice the area. */
function doubleAreas(vertices: Tensor, faces: Tensor): Tensor {
  const [a, b, c] = [0, 1, 2].map((corner) => vertices.indexSelect(0, faces.select(1, corner))) as [
    Tensor,
    Tensor,
    Tensor,
  ]
  return cross(b.sub(a), c.sub(a))
}

function checkMesh(caller: string, vertices: Tensor, faces: Tensor): void {
  checkSizes(caller, 'vertices', vertices, [-1, 3])
  if (faces.ndim !== 2 || faces.size(1) !== 3) {
    throw new ShapeError(`${caller}: faces are [${faces.shape}]; they must be triangles [F, 3]`)
  }
  if (faces.dtype !== 'int64' && faces.dtype !== 'int32') {
    throw new DTypeError(
      `${caller}: faces are ${faces.dtype}; they are numbers of vertices, convert them with to('int64')`,
    )
  }
}
