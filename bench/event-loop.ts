// Whether the event loop stays free while a 640×480 flow is solved, and how soon a run that is aborted stops.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { readImage } from '../lib/io'
import { tvl1 } from '../lib/ops'
import { memory, type Tensor, tidyAsync, upsampleBilinear2d } from '../lib/tensor'

const DATA = fileURLToPath(new URL('../examples/data/', import.meta.url))
const TIMER_MS = 5
const ROUNDS = 5

export interface EventLoopFigures {
  readonly flowMs: number
  /** Longest time a native call held the main thread while the flow was solved. */
  readonly longestNativeCallMs: number
  /** Largest delay of a 5 ms timer while this process solves, and while another one does. */
  readonly largestTimerDelayMs: { readonly here: number; readonly elsewhere: number }
  /** From `abort()` to the rejection, the longest of the rounds. */
  readonly abortMs: number
  /** Tensors alive after the aborted runs that were not before. */
  readonly tensorsLeft: number
}

export async function eventLoop(): Promise<EventLoopFigures> {
  const [first, second] = [await photograph('rubberwhale1.png'), await photograph('rubberwhale2.png')]
  const solve = (signal?: AbortSignal) => tidyAsync(async () => void (await tvl1().pair(first, second, { signal })))
  await solve()

  memory.takeLongestCallMs()
  const start = performance.now()
  const here = await largestDelay(async () => {
    for (let round = 0; round < ROUNDS; round++) await solve()
  })
  const flowMs = (performance.now() - start) / ROUNDS
  const longestNativeCallMs = memory.takeLongestCallMs()
  const elsewhere = await largestDelay(solveElsewhere)

  const before = memory.stats().tensors
  const aborts: number[] = []
  for (let round = 0; round < ROUNDS; round++)
    aborts.push(await timeOfAbort(solve, (flowMs * (round + 1)) / (ROUNDS + 2)))
  const tensorsLeft = memory.stats().tensors - before
  return {
    flowMs,
    longestNativeCallMs,
    largestTimerDelayMs: { here, elsewhere },
    abortMs: Math.max(...aborts),
    tensorsLeft,
  }
}

async function photograph(name: string): Promise<Tensor> {
  const grey = await readImage(DATA + name, { mode: 'grey', dtype: 'float32' })
  return upsampleBilinear2d(grey.unsqueeze(0), [480, 640], false).squeeze(0).squeeze(0)
}

/** The most by which a timer was late while `work` was under way. */
async function largestDelay(work: () => Promise<void>): Promise<number> {
  let largest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    largest = Math.max(largest, now - last - TIMER_MS)
    last = now
  }, TIMER_MS)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return largest
}

async function timeOfAbort(solve: (signal: AbortSignal) => Promise<void>, afterMs: number): Promise<number> {
  const controller = new AbortController()
  const running = solve(controller.signal)
  let aborted = 0
  setTimeout(() => {
    aborted = performance.now()
    controller.abort()
  }, afterMs)
  const ended = await running.then(
    () => undefined,
    () => performance.now(),
  )
  if (ended === undefined) throw new Error(`bench: the flow was solved before its abort after ${afterMs} ms`)
  return ended - aborted
}

/** This file, run by itself: the same load in a process whose event loop nobody watches. */
async function solveElsewhere(): Promise<void> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [], { execArgv: ['--import', 'tsx'] })
  const code = await new Promise((resolve) => child.on('exit', resolve))
  if (code !== 0) throw new Error(`bench: the other process ended with ${code}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [first, second] = [await photograph('rubberwhale1.png'), await photograph('rubberwhale2.png')]
  for (let round = 0; round < ROUNDS; round++) (await tvl1().pair(first, second)).dispose()
}
