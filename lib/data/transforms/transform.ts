import { probability } from '../../nn/options'
import { type Generator, type Tensor, tidy } from '../../tensor'
import { sampleGenerator } from '../sample-context'
import { fraction } from './draw'
import { kindOf } from './kinds'
import { commonSize, partsOf, type Transformed } from './sample'

export interface TransformOptions {
  /** Where random parameters come from: by default the sample's own inside a `DataLoader`, else the default generator. */
  readonly generator?: Generator | undefined
}

/** What `Compose` and the other containers take. */
export interface SampleTransform {
  forward<T>(sample: T, options?: TransformOptions): Transformed<T>
}

/**
 * Changes the images, clips, masks, boxes and points of a sample, all by the same parameters, as a transform of
 * `torchvision.transforms.v2`. A sample is a tensor or any nesting of lists and plain objects; see `image`, `video`,
 * `mask`, `boundingBoxes` and `keyPoints` for how a tensor's kind is said. A plain tensor is the image where no other
 * is marked. What a transform has no use for passes through as it is, and no input is written to.
 *
 * Write your own by extending this: `makeParams` draws, `transform` applies to one part.
 */
export abstract class Transform<Params> implements SampleTransform {
  /** Whether pixels move. Then masks, boxes and points move with them, and one canvas is required of all. */
  protected readonly geometric: boolean = false

  /**
   * The sample transformed. Tensors made on the way are freed. What is left as it was is the sample's own tensor, so
   * free the two by one scope, not the result by `dispose`.
   */
  forward<T>(sample: T, options: TransformOptions = {}): Transformed<T> {
    // What `Transformed` says of T, `partsOf` does to the value.
    return tidy(() => this.run(sample, options.generator ?? sampleGenerator())) as Transformed<T>
  }

  /**
   * Draws what one sample is transformed by.
   *
   * @param parts the tensors of the sample that are to be transformed
   */
  abstract makeParams(parts: readonly Tensor[], generator: Generator | undefined): Params

  /** One part of the sample, transformed. */
  abstract transform(part: Tensor, params: Params): Tensor

  protected run(sample: unknown, generator: Generator | undefined): unknown {
    const { tensors, rebuild } = partsOf(sample)
    if (tensors.length === 0) return sample
    this.check(tensors)
    if (!this.applies(generator)) return sample
    const params = this.makeParams(tensors, generator)
    return rebuild((part) => this.transform(part, params))
  }

  /** Refuses samples that the transform is not for. */
  protected check(parts: readonly Tensor[]): void {
    if (this.geometric) commonSize(this.constructor.name, parts)
  }

  protected applies(_generator: Generator | undefined): boolean {
    return true
  }
}

/** A transform without random parameters. */
export abstract class FixedTransform extends Transform<undefined> {
  makeParams(): undefined {
    return undefined
  }
}

export interface RandomOptions {
  /** Probability that the transform is applied. */
  readonly p?: number
}

/** A transform that is applied with probability `p`. */
export abstract class RandomTransform<Params> extends Transform<Params> {
  readonly p: number

  constructor(p: number) {
    super()
    this.p = probability(`${new.target.name}: p`, p)
  }

  protected override applies(generator: Generator | undefined): boolean {
    return fraction(generator) < this.p
  }
}

/** A fixed transform that is applied with probability `p`. */
export abstract class RandomFixedTransform extends RandomTransform<undefined> {
  makeParams(): undefined {
    return undefined
  }
}

/** True for boxes and points, which have no pixels. */
export function isGeometry(part: Tensor): boolean {
  const kind = kindOf(part)
  return kind === 'boundingBoxes' || kind === 'keyPoints'
}
