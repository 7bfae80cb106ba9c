import { ShapeError } from '../native/errors'
import { constantPadNd, stack } from '../tensor/ops.generated'
import type { Tensor } from '../tensor/tensor'
import { type Collated, collateWith, type StackTensors } from './collate'

/**
 * As `defaultCollate`, for samples of different sizes, such as sequences and pictures: each tensor and typed array is
 * padded at the end of each dimension to the largest of its batch. Let the samples hold their lengths where the model
 * must know them.
 *
 * @param options `value` to pad with, 0 unless stated
 * @returns the collate function; it throws ShapeError when tensors differ in rank, and what `defaultCollate` throws
 */
export function padCollate({ value = 0 }: { readonly value?: number } = {}): <T>(samples: readonly T[]) => Collated<T> {
  const stackPadded: StackTensors = (tensors, where) => stack(padAll(tensors, value, where))
  return (samples) => collateWith(samples, stackPadded)
}

function padAll(tensors: readonly Tensor[], value: number, where: (i: number) => string): Tensor[] {
  const shapes = tensors.map(({ shape }) => shape)
  const rank = shapes[0]?.length ?? 0
  const other = shapes.findIndex((shape) => shape.length !== rank)
  if (other >= 0) {
    throw new ShapeError(
      `collate: ${where(other)}: shape [${shapes[other]}], but ${where(0)} has [${shapes[0]}]; padding needs one rank`,
    )
  }
  const largest = Array.from({ length: rank }, (_, dim) => Math.max(...shapes.map((shape) => shape[dim] ?? 0)))
  return tensors.map((item, i) => {
    const missing = largest.map((size, dim) => size - (shapes[i]?.[dim] ?? 0))
    if (missing.every((count) => count === 0)) return item
    // LibTorch counts dimensions from the last, each with a place before and one after.
    return constantPadNd(
      item,
      missing.reverse().flatMap((count) => [0, count]),
      { value },
    )
  })
}
