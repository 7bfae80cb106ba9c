import { AsyncResource } from 'node:async_hooks'
import { ArgumentError, CancelledError, ConfigError } from '../native/errors'
import { bridge, native, reserve, shared } from '../native/frame'
import { describe, readResults } from './call'
import { scalarTensor } from './creation'
import { laterCallerSite } from './debug'
import { HANDLE, isTensor, type TensorLike } from './handle'
import { observeNewTensors, tensorsIn, tidy } from './scope'
import type { Tensor } from './tensor'

/** How a function is captured. */
export interface CaptureOptions {
  /**
   * For inference: where no gradients are recorded, batch norms with fixed statistics are folded into the convolutions
   * before them, additions and activations merged into these, and weights kept in the order that oneDNN computes in.
   * Results differ from the function's own by rounding; when a weight changes, the function is captured anew.
   * False unless stated.
   */
  readonly optimize?: boolean | undefined
  /** Graphs that are kept, for as many kinds of inputs; the one unused for longest makes room. 64 unless stated. */
  readonly maxGraphs?: number | undefined
}

/** How a captured call is stopped. */
export interface CapturedRunOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * A function whose operators run natively, on a thread beside the event loop.
 *
 * The first call with inputs of new shapes, dtypes or devices runs the function itself and writes its operators down;
 * later ones replay them.
 */
export interface CapturedFunction<Args extends readonly unknown[], Result> {
  (...args: Args): Promise<Result>
  /** The same, waiting on this thread. */
  sync(...args: Args): Result
  /** The same with an `AbortSignal`, checked between operators. Tensors that the function changes may then be changed by half. */
  run(args: Args, options?: CapturedRunOptions): Promise<Result>
  /** The graphs captured so far, as text. */
  toString(): string
  /** Number of graphs captured so far. */
  readonly graphCount: number
  /** Forgets all graphs, and frees the memory that they keep from run to run; running ones end first. */
  dispose(): void
  [Symbol.dispose](): void
}

interface Guard {
  readonly read: () => unknown
  readonly value: unknown
}

interface CapturedGraph {
  readonly id: number
  readonly key: string
  readonly guards: readonly Guard[]
  /** Rebuilds what the function returned from the graph's outputs. */
  readonly rebuild: (outputs: readonly Tensor[]) => unknown
  /** Runs that have not ended. */
  running: number
}

/** What `graphFit` says. */
enum Fit {
  Fits = 0,
  Other = 1,
  Stale = 2,
}

interface CaptureState {
  guards: Guard[] | undefined
}

const KEY = Symbol.for('@lab/vision-native/capture')
shared[KEY] ??= { guards: undefined } satisfies CaptureState
const state = shared[KEY] as CaptureState

/** True while a function is being captured. */
export function isCapturing(): boolean {
  return state.guards !== undefined
}

/**
 * Tells the capture that is under way that its graph holds only while `read()` gives what it gives now; other values
 * lead to a graph of their own. Does nothing outside a capture.
 */
export function guardCapture(read: () => unknown): void {
  state.guards?.push({ read, value: read() })
}

/**
 * Captures a function of tensors: its operators are written down once for each kind of input, and run natively from
 * then on, without JavaScript and off the event loop. A whole training step may be captured: forward, `backward()`, and
 * the update of the parameters.
 *
 * What the function does besides calling operators happens only while it is captured. So
 * - a number among the arguments arrives as a 0-dimensional tensor; other plain values are part of what kind of input
 *   it is, as are shapes, dtypes, devices, `module.training`, and gradient modes;
 * - data of tensors cannot be read (`item()`), and nothing asynchronous be called;
 * - a tensor that the function makes must be returned or given up; one that is kept (momentum made on first use, say)
 *   is an error, since later runs would not update it: make it before;
 * - random operators draw new numbers in each run;
 * - a run that changes tensors (parameters, gradients, statistics) excludes others that use them: await it.
 *
 * @throws ConfigError when the function does what a graph cannot repeat, with the line where it does
 */
export function capture<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  { optimize = false, maxGraphs = 64 }: CaptureOptions = {},
): CapturedFunction<Args, Result> {
  if (!Number.isInteger(maxGraphs) || maxGraphs < 1) {
    throw new ArgumentError(`capture: maxGraphs is ${describe(maxGraphs)}; it must be a whole number of 1 or more`)
  }
  // The one used last comes last.
  const graphs: CapturedGraph[] = []
  const forget = (graph: CapturedGraph): void => {
    graphs.splice(graphs.indexOf(graph), 1)
    bridge().freeGraph(graph.id)
  }

  const find = (key: string): CapturedGraph | undefined => {
    for (const graph of graphs.filter((candidate) => candidate.key === key)) {
      const fit = bridge().graphFit(graph.id)
      if (fit === Fit.Stale) forget(graph)
      else if (fit === Fit.Fits && graph.guards.every(({ read, value }) => Object.is(read(), value))) {
        graphs.push(...graphs.splice(graphs.indexOf(graph), 1))
        return graph
      }
    }
    return undefined
  }

  const recordNew = (call: TakenApart): Result => {
    const { graph, result } = record(fn, call, optimize)
    graphs.push(graph)
    // Those that run stay: freeing one would wait for its end.
    for (const old of graphs.filter(({ running }) => running === 0).slice(0, Math.max(0, graphs.length - maxGraphs))) {
      if (old !== graph) forget(old)
    }
    return result
  }

  const sync = (...args: Args): Result => {
    if (isCapturing()) return fn(...args)
    return tidy(() => {
      const call = takeApart(args)
      const graph = find(call.key)
      if (!graph) return recordNew(call)
      layOut(call.tensors)
      bridge().runGraph(graph.id)
      return graph.rebuild(readTensors()) as Result
    })
  }

  const run = (args: Args, { signal }: CapturedRunOptions = {}): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (isCapturing()) return resolve(fn(...args))
      if (signal?.aborted) throw cancelled(signal)
      let graph: CapturedGraph | undefined
      // Bound here, outside the scope of the inputs: results belong to the scope of whoever called.
      const settle = AsyncResource.bind((error?: Error) => {
        signal?.removeEventListener('abort', abort)
        if (graph) graph.running--
        if (error) reject(signal && error instanceof CancelledError ? cancelled(signal) : error)
        else resolve(graph?.rebuild(readTensors()) as Result)
      })
      let job = 0
      const abort = () => bridge().cancel(job)
      const recorded = tidy(() => {
        const call = takeApart(args)
        graph = find(call.key)
        if (!graph) return { result: recordNew(call) }
        layOut(call.tensors)
        job = bridge().runGraphAsync(graph.id, settle)
        graph.running++
        signal?.addEventListener('abort', abort, { once: true })
        return undefined
      })
      if (recorded) resolve(recorded.result)
    })

  const dispose = () => {
    for (const { id } of graphs.splice(0)) bridge().freeGraph(id)
  }
  const captured = Object.assign((...args: Args) => run(args), {
    sync,
    run,
    dispose,
    toString: () => graphs.map(({ id }) => bridge().graphText(id)).join('\n'),
    [Symbol.dispose]: dispose,
  })
  return Object.defineProperty(captured, 'graphCount', { get: () => graphs.length }) as typeof captured & {
    graphCount: number
  }
}

// ---- Recording ------------------------------------------------------------------------------------------------------

function record<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  { tensors, args, key }: TakenApart,
  optimize: boolean,
): { graph: CapturedGraph; result: Result } {
  const made: { tensor: TensorLike; site: () => string }[] = []
  const guards: Guard[] = []
  layOut(tensors)
  bridge().beginCapture(tensors.length)
  state.guards = guards
  const stopObserving = observeNewTensors((tensor) => made.push({ tensor, site: laterCallerSite() }))
  try {
    const result = tidy(() => fn(...(args as unknown as Args)))
    const outputs = [...tensorsIn(result)] as Tensor[]
    const escaped = made.find(({ tensor }) => tensor[HANDLE] !== 0 && !outputs.includes(tensor as Tensor))
    if (escaped) {
      throw new ConfigError(
        `capture: a tensor made at ${escaped.site()} outlives the captured function without being returned, so later runs ` +
          'would not update it; return it, or make it before and change it in place',
      )
    }
    layOut(outputs)
    const id = bridge().endCapture(outputs.length, optimize)
    return { graph: { id, key, guards, rebuild: rebuilder(result, outputs), running: 0 }, result }
  } catch (error) {
    bridge().abortCapture()
    throw error
  } finally {
    state.guards = undefined
    stopObserving()
  }
}

/** A function that puts a run's outputs where the recorded result had its tensors. */
function rebuilder(result: unknown, tensors: readonly Tensor[]): CapturedGraph['rebuild'] {
  const places = new Map<TensorLike, number>(tensors.map((tensor, index) => [tensor, index]))
  const template = mapLeaves(result, (leaf) => (isTensor(leaf) ? new Place(places.get(leaf) ?? -1) : leaf))
  return (outputs) => mapLeaves(template, (leaf) => (leaf instanceof Place ? outputs[leaf.index] : leaf))
}

/** Stands for an output in a recorded result; the recorded tensors themselves are the caller's to free. */
class Place {
  constructor(readonly index: number) {}
}

/** A value with its leaves replaced, through arrays, maps and plain objects. */
function mapLeaves(value: unknown, replace: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => mapLeaves(item, replace))
  if (value instanceof Map) return new Map([...value].map(([name, item]) => [name, mapLeaves(item, replace)]))
  if (isPlain(value))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapLeaves(item, replace)]))
  return replace(value)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

// ---- Inputs and outputs ---------------------------------------------------------------------------------------------

interface TakenApart {
  /** The tensors among the arguments, in order; numbers have become 0-dimensional ones. */
  readonly tensors: readonly Tensor[]
  /** The arguments with those tensors in place. */
  readonly args: readonly unknown[]
  /** What kind of input this is: graphs are for one kind each. */
  readonly key: string
}

function takeApart(args: readonly unknown[]): TakenApart {
  const tensors: Tensor[] = []
  const key: string[] = [bridge().modesKey()]
  const arrive = (value: unknown): unknown => {
    if (typeof value === 'number') {
      const scalar = scalarTensor(value, { dtype: 'float64' })
      tensors.push(scalar)
      key.push('number')
      return scalar
    }
    if (isTensor(value)) {
      tensors.push(value as Tensor)
      key.push(kindOf(value as Tensor))
      return value
    }
    if (Array.isArray(value)) {
      key.push(`[${value.length}`)
      return value.map(arrive)
    }
    if (isPlain(value)) {
      key.push(`{${Object.keys(value).join()}`)
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, arrive(item)]))
    }
    if (value !== null && (typeof value === 'object' || typeof value === 'function')) {
      throw new ArgumentError(
        `captured function: an argument is ${describe(value)}; arguments are tensors, numbers and plain values, alone or in arrays and plain objects`,
      )
    }
    key.push(`${typeof value} ${String(value)}`)
    return value
  }
  return { args: args.map(arrive), tensors, key: key.join('|') }
}

function kindOf(tensor: Tensor): string {
  return `${tensor.dtype} ${tensor.device} ${tensor.shape} / ${tensor.strides} ${tensor.requiresGrad}`
}

function layOut(tensors: readonly Tensor[]): void {
  reserve(tensors.length)
  tensors.forEach((tensor, index) => {
    native.doubles[index] = tensor[HANDLE]
  })
}

function readTensors(): Tensor[] {
  const results = readResults(() => undefined)
  return results === undefined ? [] : ((Array.isArray(results) ? results : [results]) as Tensor[])
}

function cancelled(signal: AbortSignal): CancelledError {
  return new CancelledError('captured function: cancelled by its AbortSignal', { cause: signal.reason })
}
