import { PSNR, SSIM } from '../../../metrics'
import { type EvaluateRequest, type Evaluation, throwIfCancelled } from '../../../pipeline'
import { tidyAsync } from '../../../tensor'
import type { Config } from './config'
import { testPairs } from './data'
import type { LowLightNetworks } from './model'
import { PictureEnhancer } from './picture-enhancer'

/** The paper's protocol: each test picture enhanced and compared with the photograph in good light. */
export async function evaluate(request: EvaluateRequest<Config>): Promise<Evaluation> {
  const { device, signal, onProgress } = request
  const model = request.model as LowLightNetworks
  const pairs = await testPairs(request)
  using psnr = new PSNR({ dataRange: 1 })
  using ssim = new SSIM({ dataRange: 1 })
  using enhancer = new PictureEnhancer(model)
  let squared = 0
  for (const [index, pair] of pairs.entries()) {
    throwIfCancelled(signal, 'evaluate')
    await tidyAsync(async () => {
      const [dark, bright] = [await pair.dark.read(), await pair.bright.read()]
      const { image } = await enhancer.run(dark.to(device).unsqueeze(0), { signal })
      const truth = bright.to(device).unsqueeze(0)
      psnr.update(image, truth)
      ssim.update(image, truth)
      squared += image.sub(truth).mul(255).square().mean().item() as number
    })
    onProgress?.({ stage: 'pictures', done: index + 1, total: pairs.length })
  }
  return {
    protocol: 'mean over the pictures; SSIM with a Gaussian of 11 pixels and σ = 1.5; MSE on 0–255',
    samples: pairs.length,
    metrics: { psnr: psnr.compute(), ssim: ssim.compute(), mse: squared / pairs.length },
  }
}
