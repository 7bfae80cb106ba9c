// Pinhole cameras. Axes of OpenCV unless stated: x to the right, y down, z into the scene; whole numbers are middles of pixels.
import { ArgumentError, ShapeError } from '../native/errors'
import { stack, type Tensor, tensor } from '../tensor'
import { tidy } from '../tensor/scope'
import type { DType } from '../tensor/types'
import { checkEnds } from './check'
import { distortPoints, undistortPoints } from './distortion'
import { rigidTransform } from './rigid'
import { cross, unit } from './vectors'

/** `'opencv'`: y down, looks along +z; `'opengl'` (NeRF's files, Blender): y up, looks along −z. */
export type CameraAxes = 'opencv' | 'opengl'

export interface Intrinsics {
  /** Focal length in pixels along x, and along y unless `fy` is given. */
  readonly fx: number
  readonly fy?: number | undefined
  /** Where the axis meets the image, in pixels. */
  readonly cx: number
  readonly cy: number
}

/** The matrix `[3, 3]` of a camera, float32 unless stated. */
export function intrinsicsMatrix({ fx, fy = fx, cx, cy }: Intrinsics, dtype: DType = 'float32'): Tensor {
  if (![fx, fy, cx, cy].every(Number.isFinite) || fx === 0 || fy === 0) {
    throw new ArgumentError(
      `intrinsicsMatrix: fx ${fx}, fy ${fy}, cx ${cx}, cy ${cy}; they are finite, focal lengths not 0`,
    )
  }
  return tensor([fx, 0, cx, 0, fy, cy, 0, 0, 1], { dtype, shape: [3, 3] })
}

/**
 * The matrix for an image resized by factors, where middles of pixels are whole numbers: pixel x is at (x + ½)·s − ½ then.
 *
 * @param intrinsics `[..., 3, 3]`
 */
export function scaleIntrinsics(intrinsics: Tensor, scaleX: number, scaleY: number = scaleX): Tensor {
  checkEnds('scaleIntrinsics', 'intrinsics', intrinsics, [3, 3])
  if (!(scaleX > 0 && scaleY > 0)) {
    throw new ArgumentError(`scaleIntrinsics: the factors are ${scaleX} and ${scaleY}; they must be above 0`)
  }
  return tidy(() => {
    const [shiftX, shiftY] = [(scaleX - 1) / 2, (scaleY - 1) / 2]
    const { dtype, device } = intrinsics
    const resize = tensor([scaleX, 0, shiftX, 0, scaleY, shiftY, 0, 0, 1], { dtype, device, shape: [3, 3] })
    return resize.matmul(intrinsics)
  })
}

export interface ProjectionOptions {
  /** Brown–Conrady coefficients as of `distortPoints`; none unless given. */
  readonly distortion?: Tensor | undefined
}

/**
 * Where points are seen, in pixels. Points behind the camera get places too: look at their z.
 *
 * @param points `[..., N, 3]` in the camera's axes
 * @param intrinsics `[..., 3, 3]`; leading dimensions broadcast
 * @returns `[..., N, 2]`; infinite or NaN for points in the camera's plane
 */
export function projectToImage(points: Tensor, intrinsics: Tensor, { distortion }: ProjectionOptions = {}): Tensor {
  checkEnds('projectToImage', 'points', points, [-1, 3])
  checkEnds('projectToImage', 'intrinsics', intrinsics, [3, 3])
  return tidy(() => {
    const flat = points.narrow(-1, 0, 2).div(points.narrow(-1, 2, 1))
    const seen = distortion === undefined ? flat : distortPoints(flat, distortion)
    const left = intrinsics.narrow(-2, 0, 2)
    return seen.matmul(left.narrow(-1, 0, 2).transpose(-1, -2)).add(left.select(-1, 2).unsqueeze(-2))
  })
}

/**
 * The points in the camera's axes that are seen at pixels in given depths, the inverse of `projectToImage`.
 *
 * @param pixels `[..., N, 2]`
 * @param depths `[..., N]`: z, not the distance
 * @param intrinsics `[..., 3, 3]`, without anything below its diagonal
 * @returns `[..., N, 3]`
 */
export function unprojectFromImage(
  pixels: Tensor,
  depths: Tensor,
  intrinsics: Tensor,
  { distortion }: ProjectionOptions = {},
): Tensor {
  checkEnds('unprojectFromImage', 'pixels', pixels, [-1, 2])
  checkEnds('unprojectFromImage', 'intrinsics', intrinsics, [3, 3])
  if (depths.ndim < 1 || depths.size(-1) !== pixels.size(-2)) {
    throw new ShapeError(
      `unprojectFromImage: depths are [${depths.shape}], pixels [${pixels.shape}]; there is one depth for each pixel, [..., N]`,
    )
  }
  return tidy(() => {
    const flat = toPlane(pixels, intrinsics)
    const seen = distortion === undefined ? flat : undistortPoints(flat, distortion)
    const [x, y] = [seen.select(-1, 0), seen.select(-1, 1)]
    return stack([x.mul(depths), y.mul(depths), x.mul(0).add(depths)], { dim: -1 })
  })
}

/** Pixels in the plane one unit before the camera. */
export function toPlane(pixels: Tensor, intrinsics: Tensor): Tensor {
  const element = (row: number, column: number) => intrinsics.select(-2, row).select(-1, column).unsqueeze(-1)
  const y = pixels.select(-1, 1).sub(element(1, 2)).div(element(1, 1))
  const x = pixels.select(-1, 0).sub(element(0, 2)).sub(element(0, 1).mul(y)).div(element(0, 0))
  return stack([x, y], { dim: -1 })
}

export interface LookAtOptions {
  /** What is up in the world, `[..., 3]`; +z unless given. */
  readonly up?: Tensor | undefined
  /** Default `'opencv'`. */
  readonly axes?: CameraAxes
}

/**
 * A camera at a place that looks at another, as camera-to-world matrices; `invertRigid` gives world-to-camera.
 *
 * @param eye `[..., 3]`
 * @param target `[..., 3]`, elsewhere than `eye` and not straight above or below it
 * @returns `[..., 4, 4]`
 */
export function lookAt(eye: Tensor, target: Tensor, options: LookAtOptions = {}): Tensor {
  checkEnds('lookAt', 'eye', eye, [3])
  checkEnds('lookAt', 'target', target, [3])
  const axes = checkAxes('lookAt', options.axes)
  return tidy(() => {
    const up = options.up ?? tensor([0, 0, 1], { dtype: eye.dtype, device: eye.device })
    const ahead = unit(target.sub(eye))
    const right = unit(cross(ahead, up))
    const down = cross(ahead, right)
    const columns = axes === 'opencv' ? [right, down, ahead] : [right, down.neg(), ahead.neg()]
    return rigidTransform(stack(columns, { dim: -1 }), eye)
  })
}

/** Camera-to-world matrices `[..., 4, 4]` of one convention in the other: the camera's y and z turn round. */
export function flipCameraAxes(cameraToWorld: Tensor): Tensor {
  checkEnds('flipCameraAxes', 'cameraToWorld', cameraToWorld, [4, 4])
  return tidy(() =>
    cameraToWorld.mul(tensor([1, -1, -1, 1], { dtype: cameraToWorld.dtype, device: cameraToWorld.device })),
  )
}

/** @throws ArgumentError for other words */
export function checkAxes(caller: string, axes: CameraAxes = 'opencv'): CameraAxes {
  if (axes === 'opencv' || axes === 'opengl') return axes
  throw new ArgumentError(`${caller}: axes is '${String(axes)}'; it is 'opencv' or 'opengl'`)
}
