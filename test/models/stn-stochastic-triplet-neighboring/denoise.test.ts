import { describe, expect, test } from 'vitest'
import { Config, DenoisingUNet, denoiserOf } from '../../../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import { parseConfig } from '../../../lib/pipeline'
import { manualSeed, noGrad, randn, type Tensor, tidyAsync } from '../../../lib/tensor'

const configOf = (over: object) => parseConfig(Config, { network: { width: 4, initScale: 1 }, ...over }, 'test')
const largest = (x: Tensor) => x.abs().max().toNumber()

describe('denoiserOf', () => {
  test('gives for a picture in tiles what the whole picture gives, and less so with a smaller halo', async () => {
    await tidyAsync(async () => {
      manualSeed(3)
      const config = configOf({ inference: { tile: 288, halo: 128 } })
      const model = new DenoisingUNet({ ...config.network }).eval()
      const picture = randn([1, 3, 64, 384])
      const whole = noGrad(() => model.forward(picture))
      const distance = async (inference: object) => {
        using denoise = denoiserOf(model, configOf({ inference }))
        return largest((await denoise(picture)).sub(whole)) / largest(whole)
      }
      expect(await distance({ tile: 288, halo: 128 })).toBeLessThan(1e-5)
      expect(await distance({ tile: 128, halo: 32 })).toBeGreaterThan(1e-4)
    })
  })

  test('mirrors pictures of any size to multiples of 32 and cuts the result', async () => {
    await tidyAsync(async () => {
      manualSeed(4)
      const config = configOf({})
      const model = new DenoisingUNet({ ...config.network }).eval()
      using denoise = denoiserOf(model, config)
      for (const [height, width] of [
        [1, 1],
        [33, 40],
      ] as const) {
        const result = await denoise(randn([1, 3, height, width]))
        expect(result.shape).toEqual([1, 3, height, width])
        expect(result.isfinite().all().item()).toBe(true)
      }
    })
  })

  test('of Nr2N is twice the result less its noisier input', async () => {
    await tidyAsync(async () => {
      const config = configOf({ method: 'nr2n', noise: { sigma: 51 } })
      const model = new DenoisingUNet({ ...config.network }).eval()
      using denoise = denoiserOf(model, config)
      const picture = randn([1, 3, 32, 32])
      manualSeed(6)
      const result = await denoise(picture)
      manualSeed(6)
      const noisier = picture.add(randn([1, 3, 32, 32]).mul(0.2))
      const expected = noGrad(() => model.forward(noisier))
        .mul(2)
        .sub(noisier)
      expect(largest(result.sub(expected))).toBeLessThan(1e-5)
    })
  })
})
