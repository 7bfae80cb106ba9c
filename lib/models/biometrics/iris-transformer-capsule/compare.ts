// Scores of pairs: each image is described once, and pairs are compared in batches beside the event loop.
import { type RunOptions, throwIfCancelled } from '../../../pipeline'
import { type CapturedFunction, capture, type Device, noGrad, stack, type Tensor, tidyAsync } from '../../../tensor'
import { networkInput } from './enhance'
import type { IrisFeatures } from './extractor'
import type { TransCapsIris } from './model'
import type { TestPair } from './protocol'

/** What is kept of an image to compare it with others. */
export interface Described {
  /** `[C, H, W]`. */
  readonly maps: Tensor
  /** `[L, C]`; empty without a transformer. */
  readonly tokens: Tensor
}

/** What a comparison of one pair gives. */
export interface PairScore {
  readonly score: number
  /** `[H, W]`: mean difference at each position. */
  readonly difference: Tensor
}

/** A network in evaluation mode: graphs for describing images and for comparing what they are described by. */
export class IrisComparer implements Disposable {
  readonly #describe: CapturedFunction<[Tensor], Tensor[]>
  readonly #compare: CapturedFunction<[Tensor, Tensor, Tensor, Tensor], Tensor[]>

  constructor(
    readonly model: TransCapsIris,
    readonly device: Device,
  ) {
    const { size } = model.config.input
    this.#describe = capture((strips: Tensor) =>
      noGrad(() => {
        const { maps, tokens } = model.extractor.describe(networkInput(strips, size))
        return [maps, tokens ?? maps.narrow(1, 0, 0).flatten({ startDim: 2 })]
      }),
    )
    this.#compare = capture((a: Tensor, s: Tensor, b: Tensor, t: Tensor) =>
      noGrad(() => {
        const features = (maps: Tensor, tokens: Tensor): IrisFeatures => ({
          maps,
          tokens: model.config.network.features === 'none' ? undefined : tokens,
        })
        const compared = model.compare(features(a, s), features(b, t))
        return [model.score(compared), compared.difference.mean({ dim: [1] })]
      }),
    )
  }

  /** Describes strips `[B, H, W]` uint8; the parts belong to the caller. */
  describe(strips: Tensor, { signal }: RunOptions = {}): Promise<Described[]> {
    return tidyAsync(async () => {
      const [maps, tokens] = (await this.#describe.run([strips.to(this.device)], { signal })) as [Tensor, Tensor]
      return Array.from({ length: strips.size(0) }, (_, i) => ({
        maps: maps.select(0, i).clone(),
        tokens: tokens.select(0, i).clone(),
      }))
    })
  }

  /** Scores of pairs of described images, in their order. */
  async scores(
    firsts: readonly Described[],
    seconds: readonly Described[],
    pairs: readonly TestPair[],
    { batchSize = 32, signal, onProgress }: RunOptions & { readonly batchSize?: number } = {},
  ): Promise<Float32Array> {
    const scores = new Float32Array(pairs.length)
    for (let from = 0; from < pairs.length; from += batchSize) {
      throwIfCancelled(signal, 'iris-transformer-capsule')
      const part = pairs.slice(from, from + batchSize)
      scores.set(
        await tidyAsync(async () => {
          const { score } = await this.#run(
            part.map(({ first }) => firsts[first] as Described),
            part.map(({ second }) => seconds[second] as Described),
            signal,
          )
          return (await score.data()) as Float32Array
        }),
        from,
      )
      onProgress?.({ stage: 'pairs', done: from + part.length, total: pairs.length })
    }
    return scores
  }

  /** The score of two described images, and where they differ. */
  compare(first: Described, second: Described, { signal }: RunOptions = {}): Promise<PairScore> {
    return tidyAsync(async () => {
      const { score, difference } = await this.#run([first], [second], signal)
      return {
        score: ((await score.data()) as Float32Array)[0] ?? Number.NaN,
        difference: difference.select(0, 0).clone(),
      }
    })
  }

  async #run(firsts: readonly Described[], seconds: readonly Described[], signal: AbortSignal | undefined) {
    const all = (side: readonly Described[], part: keyof Described) => stack(side.map((one) => one[part]))
    const [score, difference] = (await this.#compare.run(
      [all(firsts, 'maps'), all(firsts, 'tokens'), all(seconds, 'maps'), all(seconds, 'tokens')],
      { signal },
    )) as [Tensor, Tensor]
    return { score, difference }
  }

  [Symbol.dispose](): void {
    this.#describe.dispose()
    this.#compare.dispose()
  }
}
