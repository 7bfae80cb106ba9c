import type { Module } from '../../lib/nn/module'
import { gradcheck, noGrad, type Tensor } from '../../lib/tensor'

/**
 * Cases whose gradient is by design not the derivative of what they return, so that differences cannot confirm it.
 * Their gradients are compared with PyTorch's like all others.
 */
export const NOT_BY_DIFFERENCES: Readonly<Record<string, string>> = {
  'gumbelSoftmax hard': 'a straight-through estimator: the value is a step, the gradient that of the soft sample',
  Embedding: 'the row of paddingIdx gets no gradient',
  embedding: 'the row of paddingIdx gets no gradient',
  'Embedding norm': 'rows beyond maxNorm are rescaled in place, unrecorded; scaleGradByFreq divides the gradient',
  'EmbeddingBag max': 'rows beyond maxNorm are rescaled in place, unrecorded',
  embeddingBag: 'scaleGradByFreq divides the gradient by how often a row occurs',
  'gaussianNllLoss full': 'a variance below eps is raised to it, unrecorded',
  'GaussianNLLLoss column': 'a variance below eps is raised to it, unrecorded',
  'ctcLoss padded': 'the gradient is for log-probabilities that sum to one, which differences leave',
  'CTCLoss row': 'the gradient is for log-probabilities that sum to one, which differences leave',
  'spectralNorm train': 'the power iteration is not differentiated: its vectors count as constants',
  MaxUnpool1d: 'two of the indices are equal: one value hides the other, whose gradient is not zero all the same',
  MaxUnpool2d: 'two of the indices are equal: one value hides the other, whose gradient is not zero all the same',
  MaxUnpool3d: 'two of the indices are equal: one value hides the other, whose gradient is not zero all the same',
}

/** Why differences cannot confirm the gradients of a case, if so. */
export function exceptionOf(name: string): string | undefined {
  return Object.hasOwn(NOT_BY_DIFFERENCES, name) ? NOT_BY_DIFFERENCES[name] : undefined
}

/**
 * Compares the gradients of inputs and parameters with differences in float64. Buffers are as at the start in each run:
 * what a layer learns of its input while training must not make another function of it.
 *
 * @param run the outputs from the values that `inputs` hold
 */
export function checkGradients(
  module: Module | undefined,
  inputs: readonly Tensor[],
  run: () => readonly Tensor[],
): void {
  const buffers = (module?.buffers() ?? []).map((buffer) => ({ buffer, value: buffer.clone() }))
  const restore = () => {
    for (const { buffer, value } of buffers) noGrad(() => buffer.copy_(value))
  }
  const parameters = (module?.parameters() ?? []).filter((parameter) => parameter.requiresGrad)
  gradcheck(
    () => {
      restore()
      return run()
    },
    [...inputs, ...parameters],
    { fastMode: true },
  )
}
