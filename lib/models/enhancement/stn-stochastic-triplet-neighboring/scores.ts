// PSNR and SSIM of denoised pictures, picture by picture.
import { psnr, ssim } from '../../../metrics'
import { throwIfCancelled } from '../../../pipeline'
import { type Device, type Tensor, tidy, tidyAsync } from '../../../tensor'
import type { Config } from './config'
import type { ScoredCrop } from './data'
import { denoiserOf, quantise } from './denoise'
import type { DenoisingUNet } from './model'

const MEASURES = ['psnr', 'ssim', 'noisyPsnr', 'noisySsim'] as const
type Measure = (typeof MEASURES)[number]

/** Numbers by name. */
export type Scores = Readonly<Record<string, number>>

/** A picture's scores, before and after. */
export interface ImageScores extends Readonly<Record<Measure, number>> {
  readonly name: string
}

interface ScoreOptions {
  readonly device: Device
  readonly signal?: AbortSignal | undefined
  readonly onProgress?:
    | ((progress: { readonly stage: string; readonly done: number; readonly total: number }) => void)
    | undefined
}

/**
 * Pictures as files hold them compared with the truth: PSNR over all pixels and channels; SSIM with a Gaussian window of
 * 11 pixels, σ = 1.5, where it lies within the picture, for each channel.
 *
 * @returns each picture's scores, and their means (none where there are no pictures)
 */
export async function scoreCrops(
  model: DenoisingUNet,
  config: Config,
  crops: readonly ScoredCrop[],
  { device, signal, onProgress }: ScoreOptions,
): Promise<{ readonly images: readonly ImageScores[]; readonly means: Scores }> {
  using denoise = denoiserOf(model, config)
  const images: ImageScores[] = []
  for (const [index, { name, noisy, clean }] of crops.entries()) {
    throwIfCancelled(signal, 'scoring')
    const scores = await tidyAsync(async () => {
      const [input, truth] = [noisy.to(device).unsqueeze(0), clean.to(device).unsqueeze(0)]
      const [before, after] = [comparison(input, truth), comparison(await denoise(input, { signal }), truth)]
      return { psnr: after.psnr, ssim: after.ssim, noisyPsnr: before.psnr, noisySsim: before.ssim }
    })
    images.push({ name, ...scores })
    onProgress?.({ stage: 'pictures', done: index + 1, total: crops.length })
  }
  const mean = (measure: Measure) => images.reduce((sum, image) => sum + image[measure], 0) / images.length
  const means: Scores =
    images.length === 0 ? {} : Object.fromEntries(MEASURES.map((measure) => [measure, mean(measure)]))
  return { images, means }
}

/** Scores of pictures `[B, C, H, W]` in 0–1, both rounded to bytes first. */
export function comparison(image: Tensor, truth: Tensor): { readonly psnr: number; readonly ssim: number } {
  return tidy(() => {
    const [x, y] = [quantise(image).to('float64'), quantise(truth).to('float64')]
    const range = { dataRange: 255 }
    return { psnr: psnr(x, y, range).toNumber(), ssim: ssim(x, y, range).toNumber() }
  })
}

/** A line for each picture. */
export function scoresAsCsv(images: readonly ImageScores[]): string {
  const rows = images.map((image) => [JSON.stringify(image.name), ...MEASURES.map((measure) => image[measure])].join())
  return `${[['image', ...MEASURES].join(), ...rows].join('\n')}\n`
}
