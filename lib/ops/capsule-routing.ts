import { ArgumentError, ShapeError } from '../native/errors'
import { type AsyncCallOptions, call, callAsync } from '../tensor/call'
import { conv2d } from '../tensor/ops.generated'
import { tidy, tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

export interface SquashOptions {
  /** The length at which a capsule is shortened to 1/(2·√κ); 1 unless stated. */
  readonly kappa?: number
  /** Where the components of a capsule lie; the last dimension unless stated. */
  readonly dim?: number
}

/**
 * Shortens vectors to a length below 1 and keeps their directions: s·‖s‖/(κ + ‖s‖²); 0 stays 0 and passes no gradient.
 *
 * @param input capsules of any shape, floating point
 * @throws ArgumentError when κ is not above 0
 */
export function squash(input: Tensor, { kappa = 1, dim = -1 }: SquashOptions = {}): Tensor {
  return call('vision_native::squash', [input], { kappa, dim }) as Tensor
}

export interface CapsuleRoutingOptions {
  /** Added to every output capsule before it is squashed, `[K, N]`. Without one, routing is the literal Equations. */
  readonly bias?: Tensor | undefined
  /** 1 to 64; 3 unless stated. */
  readonly iterations?: number
  /** κ of the squash; 0.5 unless stated. */
  readonly kappa?: number
  /** Takes the couplings for constants in the backward pass. */
  readonly detach?: boolean
}

export interface RoutedCapsules {
  /** `[B, K, N, H, W]`, of the dtype of the votes. */
  readonly capsules: Tensor
  /** `[B, S, K, H, W]` of the last iteration, float32 (float64 for float64 votes); they have no gradient. */
  readonly couplings: Tensor
}

const ROUTING = 'vision_native::capsule_routing'

/**
 * Routes the votes of S input types to K output types at every position. Couplings are a softmax over positions and
 * output types together, for each sample and input type; logits and sums are float32 whatever the votes are. From
 * "Toward More Accurate Heterogeneous Iris Recognition with Transformers and Capsules", MMM 2023, Equations 6 to 9.
 *
 * The gradient unrolls all iterations and is recomputed from the votes; it has no second derivative.
 *
 * @param votes `[B, S, K, N, H, W]`, N the dimension of a capsule; any layout
 * @returns `[B, K, N, H, W]`
 * @throws ShapeError when a rank or the bias's shape is another; ArgumentError for κ or iterations out of range
 */
export function capsuleRouting(votes: Tensor, options: CapsuleRoutingOptions = {}): Tensor {
  return tidy(() => route(votes, options, false).capsules)
}

/** `capsuleRouting` off the event loop. @throws CancelledError when `signal` stops it */
export function capsuleRoutingAsync(
  votes: Tensor,
  { signal, onProgress, ...options }: CapsuleRoutingOptions & AsyncCallOptions = {},
): Promise<Tensor> {
  return tidyAsync(async () => {
    const [capsules] = (await callAsync(ROUTING, [votes], named(options, false), { signal, onProgress })) as [Tensor]
    return capsules
  })
}

/** `capsuleRouting`, and the couplings that it ends with. */
export function capsuleRoutingWithCouplings(votes: Tensor, options: CapsuleRoutingOptions = {}): RoutedCapsules {
  return route(votes, options, true)
}

function route(votes: Tensor, options: CapsuleRoutingOptions, returnCouplings: boolean): RoutedCapsules {
  const [capsules, couplings] = call(ROUTING, [votes], named(options, returnCouplings)) as [Tensor, Tensor]
  return { capsules, couplings }
}

function named(options: CapsuleRoutingOptions, returnCouplings: boolean) {
  const { bias, iterations = 3, kappa = 0.5, detach = false } = options
  return { bias, iterations, kappa, detach, returnCouplings }
}

export interface DenseCapsuleRoutingOptions {
  /** Added to every output capsule before it is squashed, `[J, M]`. */
  readonly bias?: Tensor | undefined
  /** 1 to 64; 3 unless stated. */
  readonly iterations?: number
  /** κ of the squash; 1 unless stated. */
  readonly kappa?: number
  /** Takes the couplings for constants in the backward pass. */
  readonly detach?: boolean
}

const DENSE = 'vision_native::capsule_routing_dense'

/**
 * Routing by agreement between I input and J output capsules, each pair with a matrix of its own (Sabour, Frosst, Hinton,
 * "Dynamic Routing Between Capsules", NeurIPS 2017). Couplings are a softmax over the outputs of each input capsule. Votes
 * are made where they are needed and never stored; sums are float32 whatever the input is.
 *
 * The gradient unrolls all iterations and has no second derivative.
 *
 * @param input `[B, I, N]`
 * @param weight `[I, J, M, N]`, of the dtype of the input
 * @returns `[B, J, M]`
 * @throws ShapeError when shapes do not fit; DTypeError when dtypes differ; ArgumentError for κ or iterations out of range
 */
export function capsuleRoutingDense(input: Tensor, weight: Tensor, options: DenseCapsuleRoutingOptions = {}): Tensor {
  return call(DENSE, [input, weight], { ...options }) as Tensor
}

/** `capsuleRoutingDense` off the event loop. @throws CancelledError when `signal` stops it */
export function capsuleRoutingDenseAsync(
  input: Tensor,
  weight: Tensor,
  { signal, onProgress, ...options }: DenseCapsuleRoutingOptions & AsyncCallOptions = {},
): Promise<Tensor> {
  return callAsync(DENSE, [input, weight], { ...options }, { signal, onProgress }) as Promise<Tensor>
}

/**
 * Lengths of capsules.
 *
 * @param capsules any shape, components on `dim`, which the result lacks; the gradient at 0 is 0
 */
export function capsuleLengths(capsules: Tensor, dim = -1): Tensor {
  return capsules.norm(dim, { p: 2 })
}

export interface MarginLossOptions {
  /** m⁺; 0.9 unless stated. */
  readonly upper?: number
  /** m⁻; 0.1 unless stated. */
  readonly lower?: number
  /** λ, the weight of absent classes; 0.5 unless stated. */
  readonly absentWeight?: number
  /** Over the batch; classes are always summed. `sum` unless stated. */
  readonly reduction?: 'sum' | 'mean' | 'none'
}

/**
 * T·max(0, m⁺ − ‖g‖)² + λ·(1 − T)·max(0, ‖g‖ − m⁻)², summed over classes (Sabour, Frosst, Hinton, 2017).
 *
 * @param lengths `[B, J]`
 * @param targets `[B, J]`, 1 where the class is there and 0 elsewhere
 */
export function marginLoss(lengths: Tensor, targets: Tensor, options: MarginLossOptions = {}): Tensor {
  const { upper = 0.9, lower = 0.1, absentWeight = 0.5, reduction = 'sum' } = options
  if (lengths.ndim !== 2 || `${lengths.shape}` !== `${targets.shape}`) {
    throw new ShapeError(`marginLoss: lengths and targets are [B, J], got [${lengths.shape}] and [${targets.shape}]`)
  }
  if (reduction !== 'sum' && reduction !== 'mean' && reduction !== 'none') {
    throw new ArgumentError(`marginLoss: reduction is 'sum', 'mean' or 'none', got '${reduction}'`)
  }
  return tidy(() => {
    const present = targets.to(lengths.dtype)
    const missing = lengths.neg().add(upper).clamp({ min: 0 }).square().mul(present)
    const excess = lengths.add(-lower).clamp({ min: 0 }).square().mul(present.neg().add(1)).mul(absentWeight)
    const losses = missing.add(excess).sum({ dim: 1 })
    if (reduction === 'none') return losses
    return reduction === 'sum' ? losses.sum() : losses.mean()
  })
}

/**
 * Votes by a 3D convolution over the stacked capsules: kernel D × 3 × 3, depth stride N′ and no padding in depth, which
 * is a 2D convolution of the first D components of every capsule with shared weights.
 *
 * @param input capsules `[B, S, N′, H, W]`
 * @param weight `[K·N, 1, D, 3, 3]` (or any odd window), D from 1 to N′
 * @param outputs K
 * @param bias `[K·N]`
 * @returns votes `[B, S, K, N, H, W]`
 */
export function capsuleVotes(input: Tensor, weight: Tensor, outputs: number, bias: Tensor | null = null): Tensor {
  const [samples, types, dims, height, width] = input.shape
  const [made, one, depth, rows, columns] = weight.shape
  if (input.ndim !== 5 || weight.ndim !== 5 || one !== 1 || depth === undefined || dims === undefined) {
    throw new ShapeError(
      `capsuleVotes: input is [B, S, N′, H, W], weight [K·N, 1, D, h, w], got [${input.shape}] and [${weight.shape}]`,
    )
  }
  if (samples === undefined || types === undefined || height === undefined || width === undefined) {
    throw new ShapeError(`capsuleVotes: input is [B, S, N′, H, W], got [${input.shape}]`)
  }
  if (depth < 1 || depth > dims) {
    throw new ShapeError(
      `capsuleVotes: the depth of the weight is 1 to ${dims}, the dimension of a capsule, got ${depth}`,
    )
  }
  if (made === undefined || rows === undefined || columns === undefined || rows % 2 !== 1 || columns % 2 !== 1) {
    throw new ShapeError(`capsuleVotes: the window of the weight is odd, got [${weight.shape}]`)
  }
  if (!Number.isInteger(outputs) || outputs < 1 || made % outputs !== 0) {
    throw new ArgumentError(`capsuleVotes: outputs divide the ${made} channels of the weight, got ${outputs}`)
  }
  return tidy(() => {
    const slots = input.narrow(2, 0, depth).reshape([samples * types, depth, height, width])
    const padding = [(rows - 1) / 2, (columns - 1) / 2]
    const votes = conv2d(slots, weight.squeeze(1), { bias, padding })
    return votes.reshape([samples, types, outputs, made / outputs, height, width])
  })
}
