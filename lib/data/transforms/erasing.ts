import { ArgumentError, ShapeError } from '../../native/errors'
import { show, withDefaults } from '../../nn/options'
import { type Generator, randn, type Tensor } from '../../tensor'
import { uniform, wholeNumberBetween } from './draw'
import { roundHalfEven } from './functional/pixels'
import { type EraseWindow, erase } from './functional/values'
import { checkRange, type Range } from './ranges'
import { commonChannels, commonSize, isPicture } from './sample'
import { type RandomOptions, RandomTransform } from './transform'

export interface RandomErasingOptions extends RandomOptions {
  /** Part of the image's area; default 0.02 to 0.33. */
  readonly scale?: Range
  /** Height by width; default 0.3 to 3.3. */
  readonly ratio?: Range
  /** One number, one for each channel, or `'random'` for noise of the normal distribution; default 0. */
  readonly value?: number | readonly number[] | 'random'
}

/** What is overwritten, and by what; undefined where no rectangle fitted. */
export type ErasingParams =
  | { readonly window: EraseWindow; readonly value: Tensor | number | readonly number[] }
  | undefined

/** Overwrites a random rectangle, with probability `p`, default 0.5 (Zhong et al., AAAI 2020). Masks, boxes and points stay. */
export class RandomErasing extends RandomTransform<ErasingParams> {
  readonly scale: Range
  readonly ratio: Range
  readonly value: number | readonly number[] | 'random'

  constructor(options: RandomErasingOptions = {}) {
    const defaults: Required<RandomErasingOptions> = { p: 0.5, scale: [0.02, 0.33], ratio: [0.3, 3.3], value: 0 }
    const { p, scale, ratio, value } = withDefaults<Required<RandomErasingOptions>>('RandomErasing', defaults, options)
    super(p)
    this.scale = checkRange('RandomErasing: scale', scale, 0, 1)
    this.ratio = checkRange('RandomErasing: ratio', ratio, Number.MIN_VALUE)
    if (value !== 'random' && typeof value !== 'number' && !Array.isArray(value)) {
      throw new ArgumentError(
        `RandomErasing: value is ${show(value)}; it must be a number, a list of them, or 'random'`,
      )
    }
    this.value = value
  }

  makeParams(parts: readonly Tensor[], generator: Generator | undefined): ErasingParams {
    const pictures = parts.filter(isPicture)
    const channels = commonChannels('RandomErasing', pictures)
    const [height, width] = commonSize('RandomErasing', pictures)
    if (Array.isArray(this.value) && this.value.length !== 1 && this.value.length !== channels) {
      throw new ShapeError(
        `RandomErasing: value has ${this.value.length} numbers, the image ${channels} channels; give one number, or one for each`,
      )
    }
    const [least, most] = this.ratio
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = height * width * uniform(...this.scale, generator)
      const aspect = Math.exp(uniform(Math.log(least), Math.log(most), generator))
      const h = roundHalfEven(Math.sqrt(area * aspect))
      const w = roundHalfEven(Math.sqrt(area / aspect))
      if (h >= height || w >= width) continue
      const value = this.value === 'random' ? randn([channels, h, w], { generator }) : this.value
      const top = wholeNumberBetween(0, height - h + 1, generator)
      const left = wholeNumberBetween(0, width - w + 1, generator)
      return { window: { top, left, height: h, width: w }, value }
    }
    return undefined
  }

  transform(part: Tensor, params: ErasingParams): Tensor {
    return params === undefined ? part : erase(part, params.window, params.value)
  }
}
