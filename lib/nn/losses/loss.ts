import { ShapeError } from '../../native/errors'
import type { Tensor } from '../../tensor/tensor'
import { Module } from '../module'
import { oneOf } from '../options'
import { type Buffer, buffer } from '../roles'

/** What becomes of the losses of single elements: kept, averaged, or summed. */
export type Reduction = 'none' | 'mean' | 'sum'

export interface LossOptions {
  /** Default: `mean`. */
  readonly reduction?: Reduction | undefined
}

/** `mean`, as the options' default. */
export const MEAN: Reduction = 'mean'

/** The default of options that are a tensor: none. */
export const NO_TENSOR = undefined as Tensor | undefined

const REDUCTIONS: readonly Reduction[] = ['none', 'mean', 'sum']

/** LibTorch's number of a reduction. @throws ArgumentError when there is no such reduction */
export function reductionCode(name: string, reduction: Reduction): number {
  return REDUCTIONS.indexOf(oneOf(`${name}: reduction`, reduction, REDUCTIONS))
}

/** Losses of single elements, reduced. @throws ArgumentError when there is no such reduction */
export function reduce(name: string, losses: Tensor, reduction: Reduction): Tensor {
  oneOf(`${name}: reduction`, reduction, REDUCTIONS)
  return reduction === 'none' ? losses : reduction === 'sum' ? losses.sum() : losses.mean()
}

/**
 * Refuses tensors that would only broadcast: `[N]` beside `[N, 1]` gives N × N differences, which nobody means. PyTorch
 * warns or fails, depending on the loss.
 */
export function checkSameShape(name: string, tensors: Readonly<Record<string, Tensor>>): void {
  const [first, ...others] = Object.entries(tensors)
  for (const [key, tensor] of others) {
    if (first === undefined || String(first[1].shape) === String(tensor.shape)) continue
    throw new ShapeError(
      `${name}: ${first[0]} [${first[1].shape.join(', ')}] and ${key} [${tensor.shape.join(', ')}] differ; reshape or expand one of them`,
    )
  }
}

/** A loss function with fixed options, as a module. */
export abstract class Loss<Options extends object> extends Module {
  constructor(readonly options: Options = {} as Options) {
    super()
  }
}

/** A loss with a weight for each class or element, which is part of the module's state. */
export abstract class WeightedLoss<Options extends { readonly weight?: Tensor | undefined }> extends Loss<Options> {
  readonly weight: Buffer | undefined

  constructor(options?: Options) {
    super(options)
    this.weight = this.options.weight && buffer(this.options.weight)
  }
}
