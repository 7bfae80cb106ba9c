// Flow as networks take it: bytes about 128, two maps a frame pair.
import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import { type Tensor, tidy } from '../tensor'
import { describe } from '../tensor/call'

/**
 * Flow as bytes: 255 · (clip(v, −b, b) + b) ∕ 2b, rounded half to even as OpenCV's `cvRound`, so that no motion is 128.
 * (`quantiseFlow` of the TV-L1 operator rounds half up; the two differ where a displacement is exactly between two bytes.)
 *
 * @param flow displacements in pixels, any shape
 * @param bound b, the largest displacement that is kept
 */
export function flowToBytes(flow: Tensor, bound = 20): Tensor<'uint8'> {
  if (!(Number.isFinite(bound) && bound > 0)) {
    throw new ArgumentError(`flowToBytes: bound is ${describe(bound)}; it is a displacement in pixels above 0`)
  }
  return tidy(
    () =>
      flow
        .clamp({ min: -bound, max: bound })
        .add(bound)
        .mul(255 / (2 * bound))
        .round()
        .to('uint8') as Tensor<'uint8'>,
  )
}

/**
 * Bytes of flow as a network takes them: byte − 128, so that no motion is 0.
 *
 * @param bytes uint8, any shape
 * @returns float32 in −128…127
 */
export function centreFlow(bytes: Tensor): Tensor<'float32'> {
  if (bytes.dtype !== 'uint8') throw new DTypeError(`centreFlow: the bytes of flow are uint8, got ${bytes.dtype}`)
  return tidy(() => bytes.to('float32').sub(128) as Tensor<'float32'>)
}

/**
 * The flow of the mirrored video: both channels mirrored, x negated.
 *
 * @param flow `[…, 2, H, W]` displacements or centred bytes, floating point: in bytes 0 has no partner
 */
export function flipFlow(flow: Tensor): Tensor {
  const { shape, dtype } = flow
  if (shape.length < 3 || shape.at(-3) !== 2) {
    throw new ShapeError(`flipFlow: flow is [${shape.join(', ')}]; it must be [..., 2, H, W]`)
  }
  if (dtype === 'uint8') throw new DTypeError('flipFlow: flow is uint8; make it float32 with centreFlow first')
  return tidy(() => {
    const mirrored = flow.flip([-1])
    mirrored.select(-3, 0).neg_()
    return mirrored
  })
}

/** Left and top corner of a crop. */
export type CropPosition = readonly [top: number, left: number]

/**
 * Where the five usual crops lie: the corners of the picture, and the middle, rounded up as the released code of
 * two-stream networks does.
 *
 * @throws ShapeError when the crop is larger than the picture
 */
export function fiveCropPositions(height: number, width: number, crop: number): readonly CropPosition[] {
  const [down, right] = [height - crop, width - crop]
  if (down < 0 || right < 0) {
    throw new ShapeError(`fiveCropPositions: a crop of ${crop} × ${crop} does not fit into ${width} × ${height} pixels`)
  }
  const middle: CropPosition = [Math.ceil(down / 2), Math.ceil(right / 2)]
  return [[0, 0], [0, right], [down, 0], [down, right], middle]
}
