import { allReduce, type GradientReducer, getRank, getWorldSize } from '../distributed'
import { ArgumentError, VisionNativeError } from '../native/errors'
import { clipGradNorm_ } from '../optim/clip'
import { GradScaler } from '../optim/grad-scaler'
import { type AutocastOptions, autocast } from '../tensor/autocast'
import { noGrad } from '../tensor/autograd'
import { describe } from '../tensor/call'
import { scalarTensor } from '../tensor/creation'
import { type CapturedFunction, capture } from '../tensor/graph'
import { isTensor } from '../tensor/handle'
import { manualSeed } from '../tensor/random'
import { dispose, keep, tensorsIn, tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import { type Settings, type StepOutput, scheduleOf, type TrainerOptions } from './options'
import { stepSeed } from './seed'

/** What a batch gave, 0-dimensional tensors. */
export interface BatchResult {
  readonly loss: Tensor
  readonly values: Readonly<Record<string, Tensor>>
  readonly gradNorm?: Tensor | undefined
}

/** More kinds of batches than this are no kinds: shapes or plain values that change with every batch. */
const MOST_GRAPHS = 16

/** Forward, backward and update of one batch, captured where that is possible. */
export class StepRunner<Batch> {
  readonly scaler: GradScaler | undefined
  /** Why steps are not captured, where they are not. */
  eagerReason: string | undefined
  /** Where several processes train together. */
  reducer: GradientReducer | undefined
  readonly #options: TrainerOptions<Batch>
  readonly #settings: Settings
  readonly #autocast: AutocastOptions | undefined
  readonly #whole: CapturedFunction<[Batch], BatchResult>
  readonly #gradients: CapturedFunction<[Batch, number, boolean], BatchResult>
  readonly #update: CapturedFunction<[], Tensor | undefined>
  /** Parts that have been captured once, which a later failure cannot undo. */
  readonly #proven = new Set<object>()
  /** Learning rates made tensors, so that a captured step follows a schedule. */
  readonly #rates: Tensor[] = []
  #accumulates = false

  constructor(options: TrainerOptions<Batch>, settings: Settings, device: Device) {
    this.#options = options
    this.#settings = settings
    const kind = device.startsWith('cuda') ? 'cuda' : 'cpu'
    this.#autocast = settings.precision === 'float32' ? undefined : { device: kind, dtype: settings.precision }
    this.scaler = settings.precision === 'float16' ? (options.scaler ?? new GradScaler({ device })) : options.scaler
    if (!settings.capture) this.eagerReason = 'capture is off'
    else if (scheduleOf(options.schedule)) this.#holdRates(device)
    options.optimizer.initialize()
    this.scaler?.initialize(options.optimizer)
    this.#whole = capture((batch) => this.#wholeStep(batch))
    this.#gradients = capture((batch, count, last) => this.#takeGradients(batch, count, last))
    this.#update = capture(() => this.#takeStep())
  }

  #holdRates(device: Device): void {
    for (const group of this.#options.optimizer.paramGroups) {
      if (isTensor(group.lr)) continue
      group.lr = keep(scalarTensor(group.lr, { dtype: 'float64', device }))
      this.#rates.push(group.lr)
    }
  }

  /** A batch that is a step of its own; `place` is its number in the training, which seeds it. */
  step(batch: Batch, place: number): Promise<BatchResult> {
    return this.#run(place, this.#whole, () => this.#wholeStep(batch), [batch])
  }

  /**
   * One of `count` batches of a step; the last one makes the step.
   *
   * The first step of all is not captured: it shows which parameters have gradients, so that later ones can be added up
   * in place.
   */
  async part(batch: Batch, place: number, count: number, last: boolean): Promise<BatchResult> {
    const compute = () => this.#takeGradients(batch, count, last)
    const result = this.#accumulates
      ? await this.#run(place, this.#gradients, compute, [batch, count, last])
      : await this.#eager(place, compute)
    if (!last) return result
    const update = () => this.#takeStep()
    const gradNorm = this.#accumulates
      ? await this.#run(place, this.#update, update, [])
      : await this.#eager(place, update)
    this.#accumulates = true
    this.#options.optimizer.zeroGrad({ setToNone: false })
    return { ...result, gradNorm }
  }

  #wholeStep(batch: Batch): BatchResult {
    this.#options.optimizer.zeroGrad()
    return { ...this.#takeGradients(batch, 1, true), gradNorm: this.#takeStep() }
  }

  #takeGradients(batch: Batch, count: number | Tensor, last: boolean): BatchResult {
    const compute = () => this.#options.loss(batch)
    const { loss, ...values } = checked(this.#autocast ? autocast(this.#autocast, compute) : compute())
    const mean = count === 1 ? loss : loss.div(count)
    const scaled = this.scaler ? this.scaler.scale(mean) : mean
    if (last) this.reducer?.prepare([scaled])
    scaled.backward()
    return {
      loss: this.#shared(loss),
      values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, this.#shared(value)])),
    }
  }

  /** A value for the log: the mean over all processes. */
  #shared(value: Tensor): Tensor {
    const { group } = this.#options
    return group ? allReduce(value.detach(), { op: 'mean', group }) : value.detach()
  }

  /** Random numbers of a batch; each process has its own. */
  #seed(place: number): void {
    const { group } = this.#options
    manualSeed(stepSeed(this.#settings.seed, place * getWorldSize(group) + getRank(group)))
  }

  #takeStep(): Tensor | undefined {
    const { model, optimizer, ema } = this.#options
    const { clipNorm } = this.#settings
    if (clipNorm !== undefined) this.scaler?.unscale_(optimizer)
    const norm = clipNorm === undefined ? undefined : clipGradNorm_(model.parameters(), clipNorm)
    if (this.scaler) {
      this.scaler.step(optimizer)
      this.scaler.update()
    } else optimizer.step()
    ema?.update()
    return norm
  }

  async #run<Args extends readonly unknown[], Result>(
    place: number,
    captured: CapturedFunction<Args, Result>,
    eager: () => Result,
    args: Args,
  ): Promise<Result> {
    if (this.eagerReason !== undefined) return this.#eager(place, eager)
    if (captured.graphCount >= MOST_GRAPHS) {
      captured.dispose()
      this.eagerReason =
        `${MOST_GRAPHS} graphs were captured: shapes or plain values differ from batch to batch; ` +
        'pad or crop to a few sizes, and leave names and other plain values out of the batches'
      return this.#eager(place, eager)
    }
    this.#seed(place)
    if (this.#proven.has(captured)) return captured(...args)
    const before = this.#snapshot()
    try {
      const result = await captured(...args)
      this.#proven.add(captured)
      return result
    } catch (error) {
      if (!VisionNativeError.is(error, 'Config')) throw error
      // What the attempt did by half, such as running statistics, must not be done twice.
      before.restore()
      this.eagerReason = error.message
      return this.#eager(place, eager)
    } finally {
      before.forget()
    }
  }

  async #eager<Result>(place: number, fn: () => Result): Promise<Result> {
    this.#seed(place)
    const result = tidy(fn)
    await new Promise(setImmediate)
    return result
  }

  #snapshot(): { restore(): void; forget(): void } {
    const { model, optimizer, ema } = this.#options
    const state = [...tensorsIn([model, optimizer, ema, this.scaler])] as Tensor[]
    const grads = model.parameters().map((p) => [p, p.grad === null ? null : keep(p.grad.clone())] as const)
    const copies = noGrad(() => state.map((tensor) => keep(tensor.clone())))
    return {
      restore: () =>
        noGrad(() => {
          for (const [index, tensor] of state.entries()) tensor.copy_(copies[index] as Tensor)
          for (const [parameter, grad] of grads) parameter.grad = grad?.clone() ?? null
        }),
      forget: () => dispose([copies, grads.map(([, grad]) => grad)]),
    }
  }

  dispose(): void {
    this.reducer?.dispose()
    for (const captured of [this.#whole, this.#gradients, this.#update]) captured.dispose()
    for (const group of this.#options.optimizer.paramGroups) {
      if (isTensor(group.lr) && this.#rates.includes(group.lr)) group.lr = group.lr.toNumber()
    }
    dispose(this.#rates.splice(0))
  }
}

function checked(output: StepOutput): { readonly loss: Tensor } & Readonly<Record<string, Tensor>> {
  const named = isTensor(output) ? { loss: output as Tensor } : output
  for (const [name, value] of Object.entries(named ?? { loss: undefined })) {
    if (isTensor(value) && (value as Tensor).numel === 1) continue
    throw new ArgumentError(
      `Trainer: the loss function gave ${describe(value)} as '${name}'; it must be a tensor of one element, such as a mean over the batch`,
    )
  }
  return named as { readonly loss: Tensor }
}
