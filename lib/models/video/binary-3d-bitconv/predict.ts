// What a video shows: probabilities of the actions, a mean over clips.
import { type ClipStream, type RunOptions, throwIfCancelled } from '../../../pipeline'
import { type CapturedFunction, capture, noGrad, stack, type Tensor, tidyAsync } from '../../../tensor'
import type { Device } from '../../../tensor/types'
import { clipsOfVideo } from './clips'
import { type Config, type InputPlan, inputPlan } from './config'
import type { ActionNetwork } from './model'

/** What the network says of a video. */
export interface ActionPrediction {
  /** Of each action, summing to 1. */
  readonly probabilities: Float64Array
  /** What the classifier sees, a mean over clips. */
  readonly features: Float64Array
}

/** A network in evaluation mode with the paper's protocol around it. */
export class ActionPredictor {
  readonly plan: InputPlan
  readonly #forward: CapturedFunction<[Tensor], [Tensor, Tensor]>
  readonly #batchSize: number

  constructor(
    readonly model: ActionNetwork,
    config: Config,
    readonly device: Device,
  ) {
    this.plan = inputPlan(config)
    this.#batchSize = config.inference.batchSize
    this.#forward = capture((clips: Tensor): [Tensor, Tensor] =>
      noGrad(() => {
        const features = model.features(clips)
        return [model.classify(features).softmax(1), features]
      }),
    )
  }

  /** @throws the errors of `clipsOfVideo`; CancelledError */
  predict(video: ClipStream, options: RunOptions = {}): Promise<ActionPrediction> {
    return tidyAsync(async () => {
      const clips = await clipsOfVideo(video, this.plan, options.signal)
      return this.predictClips(clips, options)
    })
  }

  /** @param clips `[3, T, size, size]` each */
  async predictClips(clips: readonly Tensor[], { signal, onProgress }: RunOptions = {}): Promise<ActionPrediction> {
    const [probabilities, features] = [new RunningSum(), new RunningSum()]
    for (let i = 0; i < clips.length; i += this.#batchSize) {
      throwIfCancelled(signal, 'binary-3d-bitconv')
      const part = clips.slice(i, i + this.#batchSize)
      await tidyAsync(async () => {
        const [scores, seen] = await this.#forward.run([stack(part).to(this.device)], { signal })
        probabilities.add(await scores.data(), part.length)
        features.add(await seen.data(), part.length)
      })
      onProgress?.({ stage: 'clips', done: i + part.length, total: clips.length })
    }
    return { probabilities: probabilities.mean(), features: features.mean() }
  }

  dispose(): void {
    this.#forward.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Mean of rows, in float64. */
class RunningSum {
  #sum = new Float64Array(0)
  #rows = 0

  add(values: ArrayLike<number | bigint>, rows: number): void {
    const width = values.length / rows
    if (this.#rows === 0) this.#sum = new Float64Array(width)
    for (let i = 0; i < values.length; i++) this.#sum[i % width] = (this.#sum[i % width] ?? 0) + Number(values[i])
    this.#rows += rows
  }

  mean(): Float64Array {
    return this.#sum.map((value) => value / this.#rows)
  }
}

/** The mean of probabilities of clips. */
export function meanOverClips(rows: readonly ArrayLike<number>[]): Float64Array {
  const sum = new RunningSum()
  for (const row of rows) sum.add(row, 1)
  return sum.mean()
}

/** Numbers of the largest values, the largest first; of equal ones the lower number first. */
export function topNumbers(values: ArrayLike<number>, count: number): number[] {
  return Array.from(values, (value, i) => [value, i] as const)
    .sort(([a, i], [b, j]) => b - a || i - j)
    .slice(0, count)
    .map(([, i]) => i)
}
