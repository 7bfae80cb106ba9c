import { ArgumentError } from '../native/errors'
import { bridge } from '../native/frame'
import { call, describe } from './call'
import { isTensor } from './handle'
import { withMode } from './mode'
import type { Tensor } from './tensor'

// ---- Gradients ------------------------------------------------------------------------------------------------------

/** One tensor, or several. */
type Tensors = Tensor | readonly Tensor[]
/** The gradient of a loss with respect to each of several tensors; null for a tensor of one element stands for 1. */
type Gradients = Tensor | readonly (Tensor | null)[]

export interface BackwardOptions {
  /** Keeps what the graph saved, so that it can be differentiated again; as `createGraph` unless stated. */
  readonly retainGraph?: boolean | undefined
  /** Records the computation of the gradients, for gradients of gradients. */
  readonly createGraph?: boolean | undefined
  /** Adds gradients to these tensors alone; to all leaves that require gradients unless stated. */
  readonly inputs?: Tensors | undefined
}

export interface GradOptions {
  /** The gradient of a loss with respect to each output; may be left out where outputs have one element. */
  readonly gradOutputs?: Gradients | undefined
  /** Keeps what the graph saved, so that it can be differentiated again; as `createGraph` unless stated. */
  readonly retainGraph?: boolean | undefined
  /** Records the computation of the gradients, for gradients of gradients. */
  readonly createGraph?: boolean | undefined
  /** Gives null for an input that the outputs do not depend on, which is an error otherwise. */
  readonly allowUnused?: boolean | undefined
}

/**
 * Gradients of the sum of `outputs` with respect to `inputs`, as `torch.autograd.grad`: they are returned, and no
 * tensor's `grad` changes. May be captured.
 *
 * @param outputs tensors that require gradients, each weighted by its entry of `gradOutputs`
 * @param inputs leaves, or tensors computed on the way to the outputs
 * @returns for each input a gradient of its shape
 * @throws ArgumentError when a tensor requires no gradient, or an input was not used
 * @throws ShapeError when a gradient has another shape than its output
 */
export function grad(
  outputs: Tensors,
  inputs: Tensors,
  options: GradOptions & { readonly allowUnused: true },
): (Tensor | null)[]
export function grad(outputs: Tensors, inputs: Tensors, options?: GradOptions): Tensor[]
export function grad(
  outputs: Tensors,
  inputs: Tensors,
  { gradOutputs, retainGraph, createGraph, allowUnused }: GradOptions = {},
): (Tensor | null)[] {
  const args = [listOf('grad', outputs), listOf('grad', inputs), gradientsOf('grad', gradOutputs)]
  return call('vision_native::grad', args, { retainGraph, createGraph, allowUnused }) as (Tensor | null)[]
}

/**
 * Adds the gradients of the sum of `tensors` to the `grad` of the leaves they were computed from, as
 * `torch.autograd.backward`: one pass through what several losses share.
 *
 * @param gradients the gradient of the loss with respect to each tensor; may be left out for tensors of one element
 * @throws ArgumentError when a tensor requires no gradient
 * @throws ShapeError when a gradient has another shape than its tensor
 */
export function backward(
  tensors: Tensors,
  gradients?: Gradients | null | undefined,
  { retainGraph, createGraph, inputs }: BackwardOptions = {},
): void {
  const args = [
    listOf('backward', tensors),
    gradientsOf('backward', gradients),
    inputs === undefined ? [] : someOf('backward', inputs),
  ]
  call('vision_native::backward', args, { retainGraph, createGraph })
}

function listOf(name: string, tensors: unknown): readonly unknown[] {
  if (isTensor(tensors)) return [tensors]
  if (!Array.isArray(tensors))
    throw new ArgumentError(`${name}: expected a tensor or a list of them, got ${describe(tensors)}`)
  const index = tensors.findIndex((item) => !isTensor(item))
  if (index >= 0)
    throw new ArgumentError(`${name}: a list of tensors holds ${describe(tensors[index])} at index ${index}`)
  return tensors
}

/** LibTorch takes an empty list of inputs for all leaves, which is not what an empty list says. */
export function someOf(name: string, inputs: unknown): readonly unknown[] {
  const list = listOf(name, inputs)
  if (list.length === 0) throw new ArgumentError(`${name}: inputs is empty; leave it out for all leaves`)
  return list
}

function gradientsOf(name: string, gradients: unknown): readonly unknown[] {
  if (gradients === undefined || gradients === null) return []
  return Array.isArray(gradients) ? gradients.map((item) => item ?? null) : listOf(name, gradients)
}

// ---- Modes ----------------------------------------------------------------------------------------------------------

/**
 * Runs `fn` without recording operations for `backward()`: results do not require gradients.
 *
 * @throws ArgumentError when `fn` returns a promise: the mode would end before its work does
 */
export function noGrad<T>(fn: () => T): T {
  return inMode('noGrad', fn, () => bridge().setGradEnabled(false))
}

/** Runs `fn` recording operations, also inside `noGrad`. @throws ArgumentError when `fn` returns a promise */
export function enableGrad<T>(fn: () => T): T {
  return inMode('enableGrad', fn, () => bridge().setGradEnabled(true))
}

/**
 * As `noGrad`, and faster: tensors made inside keep no version and can never take part in a recorded operation.
 *
 * @throws ArgumentError when `fn` returns a promise
 */
export function inferenceMode<T>(fn: () => T): T {
  return inMode('inferenceMode', fn, () => bridge().setInferenceMode(true))
}

/** True while operations on tensors that require gradients are recorded. */
export function isGradEnabled(): boolean {
  return bridge().gradEnabled()
}

/** True inside `inferenceMode`. */
export function isInferenceMode(): boolean {
  return bridge().inferenceMode()
}

function inMode<T>(name: string, fn: () => T, set: () => void): T {
  return withMode(name, fn, () => {
    const native = bridge()
    const grad = native.gradEnabled()
    const inference = native.inferenceMode()
    set()
    return () => {
      if (native.inferenceMode() !== inference) native.setInferenceMode(inference)
      native.setGradEnabled(grad)
    }
  })
}
