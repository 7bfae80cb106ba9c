import type { Tensor } from '../../lib/tensor'

/** The numbers that tools/reference/video_files.py draws into its frames: eight blocks, the bits from left to right. */
export function numbersIn(frames: Tensor): number[] {
  const [count, height, width, channels] = frames.shape as [number, number, number, number]
  const pixels = frames.dataSync() as Uint8Array
  return Array.from({ length: count }, (_, t) => {
    let number = 0
    for (let bit = 0; bit < 8; bit++) {
      const [y, x] = [Math.floor(height / 4), Math.floor((bit + 0.5) * (width / 8))]
      number = 2 * number + ((pixels[((t * height + y) * width + x) * channels] as number) > 128 ? 1 : 0)
    }
    return number
  })
}
