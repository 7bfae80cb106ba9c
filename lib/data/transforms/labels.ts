import { ArgumentError } from '../../native/errors'
import { isTensor, type Tensor } from '../../tensor'
import { kindOf } from './kinds'
import { isPlainObject } from './sample'

/** Finds the labels in a sample; undefined where there are none. */
export type LabelsGetter = (sample: unknown) => Tensor | undefined

/**
 * As torchvision looks for labels: the second item of a list, or of it or of an object the entry `labels`, or the first
 * whose name contains `label`.
 */
export function findLabels(sample: unknown): Tensor | undefined {
  const target = Array.isArray(sample) ? sample[1] : sample
  if (isTensor(target)) return kindOf(target) === undefined && target !== sample ? (target as Tensor) : undefined
  if (!isPlainObject(target)) return undefined
  const names = Object.keys(target)
  const name = names.find((key) => key.toLowerCase() === 'labels') ?? names.find((key) => /label/i.test(key))
  const labels = name === undefined ? undefined : target[name]
  return isTensor(labels) ? (labels as Tensor) : undefined
}

/** @throws ArgumentError when there are none */
export function requireLabels(name: string, sample: unknown, getter: LabelsGetter): Tensor {
  const labels = getter(sample)
  if (labels !== undefined) return labels
  throw new ArgumentError(
    `${name}: the sample holds no tensor of labels; pass [images, labels], an object with 'labels', or the option labelsGetter`,
  )
}
