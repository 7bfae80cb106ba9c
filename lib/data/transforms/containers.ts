import { ArgumentError } from '../../native/errors'
import { probability, show, withDefaults } from '../../nn/options'
import { multinomial, tensor, tidy } from '../../tensor'
import { describe } from '../../tensor/call'
import { sampleGenerator } from '../sample-context'
import { fraction, permutation } from './draw'
import type { Transformed } from './sample'
import type { RandomOptions, SampleTransform, TransformOptions } from './transform'

/** Transforms within one. */
abstract class Container implements SampleTransform {
  constructor(readonly transforms: readonly SampleTransform[]) {
    const { name } = new.target
    if (!Array.isArray(transforms) || transforms.length === 0) {
      throw new ArgumentError(`${name}: expected a list of transforms, got ${describe(transforms)}`)
    }
    const wrong = transforms.find((transform) => typeof transform?.forward !== 'function')
    if (wrong !== undefined) {
      throw new ArgumentError(`${name}: ${describe(wrong)} is no transform; wrap a function in Lambda`)
    }
  }

  forward<T>(sample: T, options: TransformOptions = {}): Transformed<T> {
    const generator = options.generator ?? sampleGenerator()
    // Each transform gives what `Transformed` says of T; so do any number of them.
    return tidy(() => this.run(sample, { generator })) as Transformed<T>
  }

  protected abstract run(sample: unknown, options: TransformOptions): unknown
}

/** One transform after another. Tensors between them are freed. */
export class Compose extends Container {
  protected run(sample: unknown, options: TransformOptions): unknown {
    return this.transforms.reduce<unknown>((value, transform) => transform.forward(value, options), sample)
  }
}

/** All of the transforms with probability `p`, default 0.5, or none. */
export class RandomApply extends Container {
  readonly p: number

  constructor(transforms: readonly SampleTransform[], options: RandomOptions = {}) {
    super(transforms)
    this.p = probability('RandomApply: p', withDefaults('RandomApply', { p: 0.5 }, options).p)
  }

  protected run(sample: unknown, options: TransformOptions): unknown {
    if (fraction(options.generator) >= this.p) return sample
    return this.transforms.reduce<unknown>((value, transform) => transform.forward(value, options), sample)
  }
}

export interface RandomChoiceOptions {
  /** Weight of each transform; by default all are as likely. */
  readonly p?: readonly number[] | null
}

/** One of the transforms. */
export class RandomChoice extends Container {
  /** Probability of each transform. */
  readonly p: readonly number[]

  constructor(transforms: readonly SampleTransform[], options: RandomChoiceOptions = {}) {
    super(transforms)
    const { p } = withDefaults<Required<RandomChoiceOptions>>('RandomChoice', { p: null }, options)
    const weights = p ?? transforms.map(() => 1)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    if (weights.length !== transforms.length || !weights.every((weight) => weight >= 0) || !(total > 0)) {
      throw new ArgumentError(
        `RandomChoice: p is ${show(weights)} for ${transforms.length} transforms; give each a weight of 0 or more`,
      )
    }
    this.p = weights.map((weight) => weight / total)
  }

  protected run(sample: unknown, options: TransformOptions): unknown {
    const { generator } = options
    const index = multinomial(tensor(this.p, { dtype: 'float32' }), 1, { generator }).toNumber()
    return this.transforms[index]?.forward(sample, options)
  }
}

/** All of the transforms, in random order. */
export class RandomOrder extends Container {
  protected run(sample: unknown, options: TransformOptions): unknown {
    const order = permutation(this.transforms.length, options.generator)
    return order.reduce<unknown>((value, i) => this.transforms[i]?.forward(value, options), sample)
  }
}
