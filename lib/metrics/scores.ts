import { ArgumentError, DTypeError, ShapeError } from '../native/errors'
import type { Tensor } from '../tensor/tensor'
import { meanOf } from './average'
import { BaseMetric, type StateValues } from './base'
import { type BinaryCurve, binaryCurve } from './binary-curve'
import { checkCount, checkInvalid, checkLabelDtype, checkPair, isFloating, notNumbers } from './labels'

export interface BinaryScoreOptions {
  /** Targets with this label are left out. */
  readonly ignoreIndex?: number | undefined
}

/** With neither `numClasses` nor `numLabels` the task is binary. */
export interface ScoreOptions extends BinaryScoreOptions {
  /** Scores are `[N, C]`, targets `[N]`; each class against the rest. */
  readonly numClasses?: number | undefined
  /** Scores and targets are `[N, L]`, targets 0 or 1; each label for itself. */
  readonly numLabels?: number | undefined
}

type ScoreName = 'scores' | 'targets' | 'invalid'

/** Marks targets that do not count; labels themselves are not negative. */
const IGNORED = -1

/** Measures that need all scores in order; they are kept, on their device, until `reset`. */
export abstract class ScoreMetric<Result, Options extends ScoreOptions> extends BaseMetric<
  [scores: Tensor, targets: Tensor],
  Result,
  ScoreName,
  Options
> {
  constructor(name: string, options: Options) {
    super(name, 'concat', ['scores', 'targets', 'invalid'], options)
    checkCount(name, 'numClasses', options.numClasses, 2)
    checkCount(name, 'numLabels', options.numLabels, 1)
    if (options.numClasses !== undefined && options.numLabels !== undefined) {
      throw new ArgumentError(
        `${name}: numClasses and numLabels exclude each other; a sample has one class or any labels`,
      )
    }
  }

  /** @param tasks one curve for a binary task, else one for each class or label */
  protected abstract score(tasks: readonly Task[]): Result

  /** @throws ShapeError, DTypeError, DeviceError, ArgumentError when scores and targets do not go together */
  protected override observe(scores: Tensor, targets: Tensor): Record<ScoreName, Tensor> {
    const { numClasses, numLabels, ignoreIndex } = this.options
    checkPair(this.name, scores, targets)
    checkLabelDtype(this.name, 'targets', targets)
    if (!isFloating(scores)) {
      throw new DTypeError(
        `${this.name}: scores are ${scores.dtype}; labels have no order, pass scores or probabilities`,
      )
    }
    this.#checkShapes(scores, targets)
    const labels = targets.to('int64')
    const used = ignoreIndex === undefined ? labels.eq(labels) : labels.ne(ignoreIndex)
    const classes = numClasses ?? 2
    const wrong = used.logicalAnd(labels.lt(0).logicalOr(labels.ge(classes)))
    const count = wrong.sum()
    if (count.device === 'cpu' && count.toNumber() > 0) {
      const first = labels.maskedSelect(wrong).select(0, 0).toNumber()
      throw new ArgumentError(
        `${this.name}: label ${first} in targets; labels are 0 to ${classes - 1}. Leave others out with ignoreIndex`,
      )
    }
    const single = numClasses === undefined && numLabels === undefined
    return {
      // Half precision is widened, so that batches of different precision join.
      scores: scores.to(scores.dtype === 'float64' ? 'float64' : 'float32').reshape(single ? [-1] : scores.shape),
      targets: labels.where(used, IGNORED).reshape(single ? [-1] : targets.shape),
      invalid: count.add(notNumbers(this.name, scores)).reshape([1]),
    }
  }

  protected override conclude({ scores, targets, invalid }: Readonly<Record<ScoreName, StateValues>>): Result {
    checkInvalid(
      `${this.name}.compute`,
      invalid.data.reduce((sum, count) => sum + count, 0),
    )
    const tasks = scores.shape[1] ?? 1
    return this.score(Array.from({ length: tasks }, (_, task) => this.#taskOf(scores.data, targets.data, task, tasks)))
  }

  #taskOf(scores: Float64Array, targets: Float64Array, task: number, tasks: number): Task {
    const samples = scores.length / tasks
    const [positives, negatives] = [new Float64Array(samples), new Float64Array(samples)]
    let [p, n] = [0, 0]
    for (let i = 0; i < samples; i++) {
      const target = targets[this.options.numLabels === undefined ? i : i * tasks + task] as number
      if (target === IGNORED) continue
      const score = scores[i * tasks + task] as number
      if (this.options.numClasses === undefined ? target === 1 : target === task) positives[p++] = score
      else negatives[n++] = score
    }
    return { positives: positives.subarray(0, p), negatives: negatives.subarray(0, n) }
  }

  #checkShapes(scores: Tensor, targets: Tensor): void {
    const { numClasses, numLabels } = this.options
    const [got, goal] = [scores.shape.join(', '), targets.shape.join(', ')]
    if (numClasses !== undefined) {
      if (got === `${targets.numel}, ${numClasses}` && targets.ndim === 1) return
      throw new ShapeError(`${this.name}: scores are [N, ${numClasses}] and targets [N], got [${got}] and [${goal}]`)
    }
    if (numLabels !== undefined) {
      if (got === goal && scores.ndim === 2 && scores.size(1) === numLabels) return
      throw new ShapeError(`${this.name}: scores and targets are [N, ${numLabels}], got [${got}] and [${goal}]`)
    }
    if (got === goal) return
    throw new ShapeError(
      `${this.name}: scores [${got}] and targets [${goal}] differ; for scores of each class set numClasses`,
    )
  }
}

/** Scores of the samples that are of a class, and of the others. */
export interface Task {
  readonly positives: Float64Array
  readonly negatives: Float64Array
}

export function curveOf({ positives, negatives }: Task): BinaryCurve {
  return binaryCurve(positives, negatives)
}

/** All tasks as one: each pair of sample and class is a sample of its own. */
export function pooled(tasks: readonly Task[]): Task {
  const join = (parts: readonly Float64Array[]) => {
    const joined = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      joined.set(part, at)
      at += part.length
    }
    return joined
  }
  return { positives: join(tasks.map((task) => task.positives)), negatives: join(tasks.map((task) => task.negatives)) }
}

/** A measure of each task, and what `average` makes of them. */
export function averagedScores(
  tasks: readonly Task[],
  average: 'binary' | 'micro' | 'macro' | 'weighted' | 'none',
  measureOf: (curve: BinaryCurve) => number,
): number | readonly number[] {
  if (average === 'micro' || average === 'binary') return measureOf(curveOf(pooled(tasks)))
  const values = tasks.map((task) => measureOf(curveOf(task)))
  if (average === 'none') return values
  return meanOf(values, average === 'weighted' ? tasks.map(({ positives }) => positives.length) : undefined)
}
