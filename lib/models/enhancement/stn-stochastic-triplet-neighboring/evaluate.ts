import { ConfigError } from '../../../native/errors'
import type { EvaluateRequest, Evaluation } from '../../../pipeline'
import { tidyAsync } from '../../../tensor'
import type { Config } from './config'
import { testCrops } from './data'
import type { DenoisingUNet } from './model'
import { scoreCrops } from './scores'

/** The paper's protocol: noise that is added once and kept, PSNR and SSIM of bytes, before and after. */
export function evaluate(request: EvaluateRequest<Config>): Promise<Evaluation> {
  const { config, data } = request
  return tidyAsync(async () => {
    const crops = await testCrops(request, config)
    if (crops.length === 0) {
      throw new ConfigError(
        `evaluate: ${data} holds no clean pictures to compare with; see the layouts that info lists`,
      )
    }
    const { means } = await scoreCrops(request.model as DenoisingUNet, config, crops, request)
    const where =
      config.data.score === 'whole' ? 'whole pictures' : `crops of ${config.data.crop} pixels from the middle`
    return {
      protocol: `means over ${where}, rounded to bytes; SSIM with a Gaussian of 11 pixels and σ = 1.5, by channel`,
      samples: crops.length,
      metrics: means,
    }
  })
}
