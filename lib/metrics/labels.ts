import { ArgumentError, DeviceError, DTypeError, ShapeError } from '../native/errors'
import { describe } from '../tensor/call'
import { isTensor } from '../tensor/handle'
import type { Tensor } from '../tensor/tensor'

const FLOATING: readonly string[] = ['float16', 'bfloat16', 'float32', 'float64']
const INTEGRAL: readonly string[] = ['uint8', 'int8', 'int16', 'int32', 'int64', 'bool']

export const isFloating = ({ dtype }: Tensor): boolean => FLOATING.includes(dtype)

/** @throws ArgumentError, DTypeError, DeviceError unless predictions and targets are tensors that go together */
export function checkPair(caller: string, predictions: Tensor, targets: Tensor): void {
  for (const [role, value] of [
    ['predictions', predictions],
    ['targets', targets],
  ] as const) {
    if (!isTensor(value as unknown)) throw new ArgumentError(`${caller}: ${role} is ${describe(value)}; pass a Tensor`)
    if (!FLOATING.includes(value.dtype) && !INTEGRAL.includes(value.dtype)) {
      throw new DTypeError(`${caller}: ${role} is ${value.dtype}; it is real`)
    }
  }
  if (predictions.device !== targets.device) {
    throw new DeviceError(
      `${caller}: predictions are on ${predictions.device}, targets on ${targets.device}; move one with to()`,
    )
  }
}

/** @throws DTypeError unless the targets are labels */
export function checkLabelDtype(caller: string, role: string, labels: Tensor): void {
  if (INTEGRAL.includes(labels.dtype)) return
  throw new DTypeError(`${caller}: ${role} is ${labels.dtype}; labels are whole numbers, convert them with to('int64')`)
}

/** @throws ShapeError unless both have one shape */
export function checkSameShape(caller: string, predictions: Tensor, targets: Tensor): void {
  const [a, b] = [predictions.shape.join(', '), targets.shape.join(', ')]
  if (a !== b) throw new ShapeError(`${caller}: predictions are [${a}], targets [${b}]; they have one shape`)
}

/** Labels in pairs, flat and int64, and which of them count. */
export interface LabelPairs {
  /** `[n]`, or `[n, k]` for the k best; within the classes also where a pair does not count. */
  readonly predicted: Tensor
  /** `[n]`. */
  readonly actual: Tensor
  /** `[n]` int64: 1 where the pair counts, 0 where the target is ignored or not valid. */
  readonly counted: Tensor
  /** 0-d int64: labels outside the classes, and scores that are NaN. Never more than 0 on the CPU, where it throws. */
  readonly invalid: Tensor
  /** Number of classes; undefined where neither options nor scores say. */
  readonly classes: number | undefined
}

export interface LabelOptions {
  /** Number of classes; scores say it by themselves. */
  readonly numClasses?: number | undefined
  /** Targets with this label are left out. */
  readonly ignoreIndex?: number | undefined
  /** For scores of the shape of the targets: above it the prediction is 1. 0.5 unless stated. */
  readonly threshold?: number | undefined
}

/**
 * Pairs of predicted and actual labels.
 *
 * @param predictions scores `[N, C, …]` floating point for targets `[N, …]`; or labels, whole numbers of the targets'
 *   shape; or scores of class 1, floating point of the targets' shape
 * @param topK how many of the best classes count as predicted
 */
export function labelPairs(
  caller: string,
  predictions: Tensor,
  targets: Tensor,
  { numClasses, ignoreIndex, threshold = 0.5 }: LabelOptions,
  topK = 1,
): LabelPairs {
  checkPair(caller, predictions, targets)
  checkLabelDtype(caller, 'targets', targets)
  const scored = isFloating(predictions) && predictions.ndim === targets.ndim + 1
  if (!scored) checkSameShape(caller, predictions, targets)
  if (!scored && topK > 1) throw new ShapeError(`${caller}: the ${topK} best classes need scores [N, C, …], got labels`)
  const classes = scored
    ? classesOf(caller, predictions, targets, numClasses)
    : isFloating(predictions)
      ? 2
      : numClasses
  if (scored && topK > predictions.size(1)) {
    throw new ShapeError(`${caller}: topK is ${topK}, the scores are of ${predictions.size(1)} classes`)
  }

  const actual = targets.to('int64').reshape([-1])
  const used = ignoreIndex === undefined ? undefined : actual.ne(ignoreIndex)
  const valid = within(actual, classes)
  const complaints = [
    outside(caller, 'targets', actual, used === undefined ? valid : valid.logicalOr(used.logicalNot()), classes),
  ]
  if (isFloating(predictions)) complaints.push(notNumbers(caller, predictions))

  let predicted: Tensor
  if (scored) {
    const best = topK === 1 ? predictions.argmax({ dim: 1, keepdim: true }) : predictions.topk(topK, { dim: 1 })[1]
    predicted = best.movedim(1, -1).reshape(topK === 1 ? [-1] : [-1, topK])
  } else if (isFloating(predictions)) {
    predicted = predictions.gt(threshold).to('int64').reshape([-1])
  } else {
    const labels = predictions.to('int64').reshape([-1])
    const fits = within(labels, classes)
    complaints.push(
      outside(caller, 'predictions', labels, used === undefined ? fits : fits.logicalOr(used.logicalNot()), classes),
    )
    predicted = classes === undefined ? labels : labels.clamp({ min: 0, max: classes - 1 })
  }
  const counted = (used === undefined ? valid : valid.logicalAnd(used)).to('int64')
  return {
    predicted,
    actual: classes === undefined ? actual : actual.clamp({ min: 0, max: classes - 1 }),
    counted,
    invalid: complaints.reduce((sum, count) => sum.add(count)),
    classes,
  }
}

function classesOf(caller: string, scores: Tensor, targets: Tensor, numClasses: number | undefined): number {
  const expected = scores.shape.toSpliced(1, 1).join(', ')
  if (expected !== targets.shape.join(', ')) {
    throw new ShapeError(
      `${caller}: scores [${scores.shape.join(', ')}] go with targets [${expected}], got [${targets.shape.join(', ')}]`,
    )
  }
  const classes = scores.size(1)
  if (classes < 2) {
    throw new ShapeError(
      `${caller}: scores [${scores.shape.join(', ')}] are of one class; for a yes or no call squeeze(1)`,
    )
  }
  if (numClasses !== undefined && numClasses !== classes) {
    throw new ShapeError(
      `${caller}: numClasses is ${numClasses}, the scores [${scores.shape.join(', ')}] are of ${classes}`,
    )
  }
  return classes
}

function within(labels: Tensor, classes: number | undefined): Tensor {
  return classes === undefined ? labels.ge(0) : labels.ge(0).logicalAnd(labels.lt(classes))
}

function outside(caller: string, role: string, labels: Tensor, valid: Tensor, classes: number | undefined): Tensor {
  const count = valid.logicalNot().sum()
  if (count.device === 'cpu' && count.toNumber() > 0) {
    const first = labels.maskedSelect(valid.logicalNot()).select(0, 0).toNumber()
    const range = classes === undefined ? '0 and above' : `0 to ${classes - 1}`
    throw new ArgumentError(
      `${caller}: label ${first} in ${role}; labels are ${range}. Leave others out with ignoreIndex`,
    )
  }
  return count
}

/** How many values are NaN; on the CPU, where looking costs no waiting, more than none is an error at once. */
export function notNumbers(caller: string, scores: Tensor): Tensor {
  const count = scores.isnan().sum()
  if (count.device === 'cpu' && count.toNumber() > 0) {
    throw new ArgumentError(`${caller}: ${count.toNumber()} of ${scores.numel} scores are NaN, which no order holds`)
  }
  return count
}

/** What was found on a device that `update` did not wait for. */
export function checkInvalid(caller: string, invalid: number): void {
  if (invalid === 0) return
  throw new ArgumentError(
    `${caller}: ${invalid} labels outside the classes or scores that are NaN were among the updates; look at the data on the CPU to see which`,
  )
}

/** @throws ArgumentError unless the value is absent or a whole number of at least `least` */
export function checkCount(caller: string, option: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return
  throw new ArgumentError(`${caller}: ${option} is ${value}; it is a whole number of at least ${least}`)
}
