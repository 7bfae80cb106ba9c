import {
  Classification,
  clipStream,
  type LoadedNetworks,
  type LoadOptions,
  loadNetworks,
  Pipeline,
  type RunOptions,
  type VideoInput,
} from '../../../pipeline'
import { type Tensor, tensor, tidyAsync } from '../../../tensor'
import { card } from './card'
import { Config } from './config'
import { type ActionNetwork, classNames, createNetwork } from './model'
import { ActionPredictor, topNumbers } from './predict'

const networks = { card, config: Config, create: createNetwork }

/**
 * Names the action of a video with a network of one bit (Binary Neural Network for Video Action Recognition, MMM 2023).
 *
 * Weights are those that training wrote, or the packed file that `exportPacked` made of them.
 *
 * @example
 * using classifier = await ActionClassifier.load({ weights: 'packed.safetensors' })
 * using result = await classifier.run('clip.mp4')
 * console.log(result.best?.label, result.best?.score)
 */
export class ActionClassifier extends Pipeline<VideoInput, Classification> {
  readonly #predictor: ActionPredictor

  private constructor(private readonly loaded: LoadedNetworks<typeof Config, ActionNetwork>) {
    super()
    this.#predictor = new ActionPredictor(loaded.model, loaded.config, loaded.device)
  }

  /** @throws ConfigError when there are no weights, or they are another system's; ShapeError of another variant */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<ActionClassifier> {
    return new ActionClassifier(await loadNetworks(networks, options))
  }

  /** Names of the actions by their numbers. */
  get classes(): readonly string[] {
    return classNames(this.loaded.config)
  }

  /** All actions, the most probable first. @throws ArgumentError, FormatError for a file that is no video; CancelledError */
  async run(input: VideoInput, options: RunOptions = {}): Promise<Classification> {
    const { probabilities } = await this.#predict(input, options)
    const { classes } = this
    return new Classification(
      topNumbers(probabilities, classes.length).map((i) => ({ label: classes[i] ?? '', score: probabilities[i] ?? 0 })),
    )
  }

  /** What the classifier sees of a video, a mean over its clips: `[4096]` of C3D, `[512]` or `[2048]` of the ResNets. */
  async features(input: VideoInput, options: RunOptions = {}): Promise<Tensor<'float32'>> {
    const { features } = await this.#predict(input, options)
    return tensor(Float32Array.from(features))
  }

  #predict(input: VideoInput, options: RunOptions) {
    return tidyAsync(async () => {
      const video = await clipStream(input, 'ActionClassifier')
      return this.#predictor.predict(video, options)
    })
  }

  dispose(): void {
    this.#predictor.dispose()
    this.loaded.model.dispose()
  }
}
