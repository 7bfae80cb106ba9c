// Motion is read from and magnified in the luminance; colours stay.
import type { Tensor } from '../../../tensor'

/**
 * Luma by the weights of Rec. 601, gamma left as it is.
 *
 * @param frames `[N, 3, H, W]` uint8, or floating point in 0–1
 * @returns `[N, H, W]` in 0–1
 */
export function luminance(frames: Tensor, dtype: 'float32' | 'float64'): Tensor {
  const unit = frames.dtype === 'uint8' ? 255 : 1
  const part = (channel: number, weight: number) =>
    frames
      .select(1, channel)
      .to(dtype)
      .mul(weight / unit)
  return part(0, 0.299).add(part(1, 0.587)).add(part(2, 0.114))
}

/**
 * A frame with another luma and the same chroma, clamped to what its type holds.
 *
 * @param frame `[3, H, W]`
 * @param luma `[H, W]` in 0–1
 */
export function withLuminance(frame: Tensor, luma: Tensor): Tensor {
  const unit = frame.dtype === 'uint8' ? 255 : 1
  const change = luma.sub(luminance(frame.unsqueeze(0), luma.dtype as 'float32' | 'float64').squeeze(0)).mul(unit)
  const changed = frame.to(luma.dtype).add(change.to(frame.device)).clamp({ min: 0, max: unit })
  return (frame.dtype === 'uint8' ? changed.round() : changed).to(frame.dtype)
}
