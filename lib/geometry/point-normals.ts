import { ArgumentError } from '../native/errors'
import { knn } from '../ops'
import { linalgEigh, type Tensor, where } from '../tensor'
import { tidy } from '../tensor/scope'
import { checkSizes } from './check'
import { dot } from './vectors'

export interface PointNormalsOptions {
  /** How many nearest points lie in the plane, the point itself among them; default 16, fewer where the cloud has fewer. */
  readonly neighbours?: number
  /** Turns normals to a place, such as that of the sensor, `[3]` or `[B, 3]`. Without it their largest part is positive. */
  readonly viewpoint?: Tensor | undefined
}

export interface PointNormals {
  /** Of length 1, `[B, N, 3]`. */
  readonly normals: Tensor
  /** How far the neighbours are from lying in a plane, `[B, N]`: the least of the three variances over their sum, 0 to ⅓. */
  readonly curvature: Tensor
}

/**
 * Normals of clouds by the plane through the nearest points (Hoppe et al., SIGGRAPH 1992; curvature of Pauly, Gross,
 * Kobbelt, VIS 2002).
 *
 * @param points `[B, N, 3]`, N from 3
 * @throws ArgumentError for fewer than three neighbours
 */
export function pointNormals(points: Tensor, options: PointNormalsOptions = {}): PointNormals {
  const { neighbours = 16, viewpoint } = options
  checkSizes('pointNormals', 'points', points, [-1, -1, 3])
  const count = Math.min(neighbours, points.size(1))
  if (!Number.isSafeInteger(neighbours) || count < 3) {
    throw new ArgumentError(
      `pointNormals: ${neighbours} neighbours of ${points.size(1)} points; a plane needs three of both`,
    )
  }
  return tidy(() => {
    const [batch, length] = [points.size(0), points.size(1)]
    const { indices } = knn(points.detach(), points.detach(), count)
    const places = indices.reshape([batch, -1, 1]).expand([batch, length * count, 3])
    const near = points.gather(1, places).reshape([batch, length, count, 3])
    const centred = near.sub(near.mean({ dim: [2], keepdim: true }))
    const [variances, axes] = linalgEigh(centred.transpose(-1, -2).matmul(centred).div(count))
    const normal = axes.select(-1, 0)
    const largest = normal.abs().argmax({ dim: -1, keepdim: true })
    const side =
      viewpoint === undefined
        ? normal.gather(-1, largest)
        : dot(normal, (viewpoint.ndim === 2 ? viewpoint.unsqueeze(1) : viewpoint).sub(points))
    const total = variances.sum({ dim: [-1] }).clamp({ min: 1e-30 })
    return {
      normals: where(side.lt(0), normal.neg(), normal),
      curvature: variances.select(-1, 0).clamp({ min: 0 }).div(total),
    }
  })
}
