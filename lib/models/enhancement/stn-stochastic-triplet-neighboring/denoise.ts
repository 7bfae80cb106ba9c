// A trained network on pictures of any size.
import { capture, noGrad, randnLike, type Tensor, tidyAsync } from '../../../tensor'
import type { AsyncCallOptions } from '../../../tensor/call'
import { mapTiles, mirrorPadToMultiple } from '../../../vision'
import type { Config } from './config'
import { type DenoisingUNet, MULTIPLE } from './model'

/** Passes whose mean is the result of r2r. */
const R2R_PASSES = 50

/**
 * Makes a function that removes noise, off the event loop: one pass of the network over the whole picture, large ones
 * piece by piece. The baselines nr2n and r2r add noise first, as they do in training.
 */
export function denoiserOf(model: DenoisingUNet, { method, noise, inference }: Config) {
  const sigma = noise.sigma / 255
  const forward = capture((x: Tensor) => noGrad(() => model.forward(x)), { maxGraphs: 16 })

  const once = async (noisy: Tensor, options: AsyncCallOptions): Promise<Tensor> => {
    const [, , height = 0, width = 0] = noisy.shape
    const padded = mirrorPadToMultiple(noisy, MULTIPLE)
    const tiles = { ...inference, ...options, multiple: MULTIPLE }
    const whole = await mapTiles([padded], tiles, (tile) => forward.run([tile], options))
    return whole.narrow(2, 0, height).narrow(3, 0, width)
  }

  const compute = async (noisy: Tensor, options: AsyncCallOptions): Promise<Tensor> => {
    if (method === 'nr2n') {
      const noisier = noisy.add(randnLike(noisy).mul(sigma))
      return (await once(noisier, options)).mul(2).sub(noisier)
    }
    if (method !== 'r2r') return once(noisy, options)
    let sum: Tensor | undefined
    for (let pass = 0; pass < R2R_PASSES; pass++) {
      const result = await once(noisy.add(randnLike(noisy).mul(sigma / 2)), options)
      sum = sum === undefined ? result : sum.add(result)
    }
    return (sum as Tensor).div(R2R_PASSES)
  }

  return Object.assign(
    /** @returns of the shape of `noisy` `[B, C, H, W]`, not clipped */
    (noisy: Tensor, options: AsyncCallOptions = {}): Promise<Tensor> =>
      tidyAsync(async () => (await compute(noisy, options)).contiguous()),
    { [Symbol.dispose]: () => forward.dispose() },
  )
}

/** Pixels as files hold them: 0–255, halves rounded up. */
export function quantise(image: Tensor): Tensor<'uint8'> {
  return image.clamp({ min: 0, max: 1 }).mul(255).add(0.5).floor().to('uint8') as Tensor<'uint8'>
}
