import { expect, test } from 'vitest'
import {
  Config,
  denoisedGuide,
  LowLightNetworks,
  PictureEnhancer,
} from '../../../lib/models/enhancement/fusion-low-light-enhancement'
import { Generator, manualSeed, noGrad, rand, tidyAsync } from '../../../lib/tensor'

test('a picture of several tiles is enhanced as it would be whole', async () => {
  await tidyAsync(async () => {
    manualSeed(2)
    using model = new LowLightNetworks(Config.parse({ denoising: { sigma: 0.02 } })).eval()
    // First values are next to nothing: weights that matter.
    noGrad(() => model.parameters().map((parameter) => parameter.mul_(3)))
    const image = rand([1, 3, 521, 603], { generator: new Generator(1) }).mul(0.3)
    const { guide } = await denoisedGuide(image.squeeze(0), model.config)
    const whole = noGrad(() => model.forward(image, guide.unsqueeze(0))).clamp({ min: 0, max: 1 })
    using enhancer = new PictureEnhancer(model)
    const tiled = await enhancer.run(image)
    expect(tiled.image.shape).toEqual([1, 3, 521, 603])
    expect(tiled.image.sub(whole).abs().amax().item()).toBeLessThan(1e-5)
    expect(tiled.greyed).toBeGreaterThan(0)
    expect(tiled.greyed).toBeLessThan(1)
  })
})
