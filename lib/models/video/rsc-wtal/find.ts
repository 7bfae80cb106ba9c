// A network in evaluation mode with its host's inference around it.
import type { RunOptions } from '../../../pipeline'
import { type CapturedFunction, capture, type Device, noGrad, type Tensor, tensor, tidyAsync } from '../../../tensor'
import { type Config, classNames, settingsOf } from './config'
import { classCurves } from './curves'
import type { Localizer } from './model'
import { type Instance, proposalsOf, type VideoCurves } from './proposals'
import { evenIndices } from './sampling'
import { topKMean } from './video-score'

/** What the network gives for a video. */
interface Judged {
  /** `[L, C]`. */
  readonly activation: Tensor
  /** `[L]`. */
  readonly attention: Tensor
  /** `[C]`. */
  readonly scores: Tensor
  readonly consistency: Tensor
}

/** Everything that is known of a video. */
export interface FoundActions {
  readonly curves: VideoCurves
  readonly instances: readonly Instance[]
  /** How the similarities of regions in the two streams differ. */
  readonly consistency: number
}

export class ActionFinder {
  readonly #judge: CapturedFunction<[Tensor], Judged>

  constructor(
    readonly model: Localizer,
    readonly config: Config,
    readonly device: Device,
  ) {
    this.#judge = capture((x: Tensor) => noGrad(() => judge(model, config, x)))
  }

  /**
   * The actions of a video.
   *
   * @param features `[L, 2D]`, RGB first
   * @throws ShapeError for features of another size
   */
  async find(features: Tensor, options: RunOptions = {}): Promise<FoundActions> {
    const { host } = this.config
    const [segments, samples] = [features.size(0), settingsOf(this.config).segments]
    return tidyAsync(async () => {
      const seen = host === 'cola' && segments > samples ? everySo(features, samples) : features
      const judged = await this.#judge.run([seen.unsqueeze(0).to(this.device)], options)
      const [activation, attention, scores, consistency] = await Promise.all(
        [judged.activation, judged.attention, judged.scores, judged.consistency].map((each) =>
          each.to('float64').data(),
        ),
      )
      const numbers = (values: ArrayLike<unknown> | undefined) => Float64Array.from((values ?? []) as ArrayLike<number>)
      const classes = classNames(this.config).length
      const curves: VideoCurves = {
        activation: classCurves(numbers(activation), classes, classes),
        attention: numbers(attention),
        scores: [...numbers(scores)],
        segments,
      }
      return { curves, instances: proposalsOf(curves, this.config), consistency: numbers(consistency)[0] ?? Number.NaN }
    })
  }

  dispose(): void {
    this.#judge.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

function everySo(features: Tensor, samples: number): Tensor {
  return features.indexSelect(0, tensor(evenIndices(features.size(0), samples), { dtype: 'int64' }))
}

function judge(model: Localizer, config: Config, x: Tensor): Judged {
  const projected = model.project(x)
  const { activation, attention } = model.net.forward(projected.joined)
  const { testTopK } = settingsOf(config)
  const classes = classNames(config).length
  const weighted = config.host === 'cola' ? activation : activation.mul(attention)
  return {
    activation: weighted.narrow(2, 0, classes).squeeze(0).contiguous(),
    attention: attention.flatten(),
    scores: topKMean(weighted, testTopK).softmax(1).narrow(1, 0, classes).squeeze(0),
    consistency: model.consistency(projected).reshape([1]),
  }
}
