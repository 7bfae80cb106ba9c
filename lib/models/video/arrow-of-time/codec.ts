// Does the codec give the direction away? Clips encoded forward and backward (Section 3.2, H.264 3 × 3).
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readClip, writeVideo } from '../../../io'
import type { Tensor } from '../../../tensor'
import { tidyAsync } from '../../../tensor'

/** How a clip was encoded: not again, in the order of time, or in reverse. */
export const CODEC_VARIANTS = ['original', 'forward', 'backward'] as const
export type CodecVariant = (typeof CODEC_VARIANTS)[number]

/** Quality of libx264 that most tools take. */
const CRF = 23

/**
 * Frames after H.264, in the order of time in all cases: `'backward'` reverses, encodes, decodes, and reverses back, so
 * that the clip is labelled like the original.
 *
 * @param frames `[T, 3, H, W]` uint8, even sides
 */
export async function recode(frames: Tensor, fps: number, variant: CodecVariant): Promise<Tensor> {
  if (variant === 'original') return frames.clone()
  const folder = await mkdtemp(join(tmpdir(), 'vision-native-codec-'))
  try {
    return await tidyAsync(async () => {
      const path = join(folder, 'clip.mp4')
      const shown = variant === 'backward' ? frames.flip([0]) : frames
      await writeVideo(shown, path, { fps, layout: 'TCHW', codec: 'libx264', crf: CRF })
      const { frames: decoded } = await readClip(path, { layout: 'TCHW' })
      return variant === 'backward' ? decoded.flip([0]) : decoded
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Accuracy for each variant of training and of test. */
export type CodecReport = Readonly<Record<CodecVariant, Readonly<Record<CodecVariant, number>>>>

/**
 * The 3 × 3 table: where the codec leaves no trace that matters, all nine are alike.
 *
 * @param train makes what `test` judges from the training clips of a variant
 * @param test accuracy on the test clips of a variant
 */
export async function codecReport<Model>(
  train: (variant: CodecVariant) => Promise<Model>,
  test: (model: Model, variant: CodecVariant) => Promise<number>,
): Promise<CodecReport> {
  const rows: [CodecVariant, Record<CodecVariant, number>][] = []
  for (const trained of CODEC_VARIANTS) {
    const model = await train(trained)
    const row = { original: 0, forward: 0, backward: 0 }
    for (const tested of CODEC_VARIANTS) row[tested] = await test(model, tested)
    rows.push([trained, row])
  }
  return Object.fromEntries(rows) as Record<CodecVariant, Record<CodecVariant, number>>
}
