import type { YOLOv5 } from '../../../backbones'
import {
  Detections,
  type ImageInput,
  ImageResult,
  imageOf,
  type LoadedNetworks,
  type LoadOptions,
  loadNetworks,
  Pipeline,
  type RunOptions,
} from '../../../pipeline'
import { tidyAsync } from '../../../tensor'
import { card } from './card'
import { Config } from './config'
import { Finder } from './detect'
import { type HeatMap, heatMaps } from './heat-maps'
import { classNames, createDetector } from './model'

const networks = { card, config: Config, create: createDetector }

/**
 * Finds objects in photographs, small ones above all (Feature Enhancement and Reconstruction for Small Object Detection,
 * MMM 2023).
 *
 * @example
 * using detector = await SmallObjectDetector.load({ weights: 'signs.safetensors' })
 * using found = await detector.run('street.jpg')
 * for (const { label, score, box } of found.objects) console.log(label, score, box)
 */
export class SmallObjectDetector extends Pipeline<ImageInput, Detections> {
  readonly #finder: Finder

  private constructor(private readonly loaded: LoadedNetworks<typeof Config, YOLOv5>) {
    super()
    this.#finder = new Finder(loaded.model, loaded.config)
  }

  /** @throws ConfigError without weights, or when they are another system's; ShapeError when they are of another variant */
  static async load(options: LoadOptions<typeof Config> = {}): Promise<SmallObjectDetector> {
    return new SmallObjectDetector(await loadNetworks(networks, options))
  }

  /** Names of the classes by their numbers. */
  get classes(): readonly string[] {
    return classNames(this.loaded.config)
  }

  /** @throws the errors of `readImage`; CancelledError */
  run(input: ImageInput, options: RunOptions = {}): Promise<Detections> {
    const { device, config } = this.loaded
    return tidyAsync(async () => {
      const image = await imageOf(input, device, 'SmallObjectDetector')
      const found = await this.#finder.find(image, { ...config.inference, multiLabel: false }, options)
      const [boxes, scores, labels] = await Promise.all(
        [found.boxes, found.scores, found.labels].map((each) => each.to('float64').flatten().data()),
      )
      const at = (values: ArrayLike<number | bigint> | undefined, i: number) => Number(values?.[i] ?? 0)
      const objects = Array.from({ length: found.scores.size(0) }, (_, i) => ({
        box: [at(boxes, 4 * i), at(boxes, 4 * i + 1), at(boxes, 4 * i + 2), at(boxes, 4 * i + 3)] as const,
        label: this.classes[at(labels, i)] ?? `class ${at(labels, i)}`,
        score: at(scores, i),
      }))
      return new Detections(image, objects)
    })
  }

  /** Where the network's maps are strong, as in the paper's Fig. 4: after each enlargement, and around each attention. */
  async heatMaps(input: ImageInput): Promise<readonly { readonly name: string; readonly picture: ImageResult }[]> {
    const { device, config, model } = this.loaded
    return tidyAsync(async () => {
      const image = await imageOf(input, device, 'SmallObjectDetector')
      return heatMaps(model, image, config.size).map(({ name, overlay }: HeatMap) => ({
        name,
        picture: new ImageResult(overlay),
      }))
    })
  }

  dispose(): void {
    this.#finder.dispose()
    this.loaded.model.dispose()
  }
}
