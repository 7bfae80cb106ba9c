import { readFileSync } from 'node:fs'
import { keep, manualSeed, tensor, tidy, VisionNativeError } from '../../lib'
import { bridge } from '../../lib/native/frame'
import type { OperatorFunction } from '../../tools/generate-ops/surface'
import { checkOperator } from './checks'
import { callSpec } from './generate'
import { publicForm } from './invoke'
import { Journal, type Outcome } from './journal'
import { materialise } from './materialise'
import { Random } from './random'
import { describeCall } from './spec'

/** Something bad that happens in place of the third call of a function, to show that the run notices. */
export interface Planted {
  readonly function: string
  readonly fault: 'crash' | 'hang' | 'leak' | 'untyped error'
}

/** What a parent tells its child: `child.ts <file> <first call>`. */
export interface Assignment {
  readonly functions: readonly OperatorFunction[]
  readonly seed: number
  readonly callsEach: number
  readonly journal: string
  readonly memoryLimit: number
  readonly planted: Planted | undefined
}

const SLOW_MS = 2000

/** Rejections that are made before LibTorch is asked: by call.ts, or by the bridge reading the call. */
const OURS =
  /no overload takes|takes \d+ positional|' takes |has no option|there is no option|no operator takes|list of argument|was disposed|64 bits|null is not allowed|options come last|upstream-crashes|expected a Tensor, a number/

function main([file = '', first = '0']: readonly string[]): void {
  const assignment = JSON.parse(readFileSync(file, 'utf8')) as Assignment
  const { functions, callsEach } = assignment
  const journal = new Journal(assignment.journal)
  bridge().setCpuMemoryLimit(assignment.memoryLimit)
  bridge().setNumThreads(1)
  for (let number = Number(first); number < functions.length * callsEach; number++) {
    const fn = functions[Math.floor(number / callsEach)] as OperatorFunction
    makeCall(assignment, journal, fn, number)
    // The last call of a function is followed by the check of its results.
    if ((number + 1) % callsEach === 0) checkFunction(assignment, journal, fn, number)
  }
}

function makeCall(assignment: Assignment, journal: Journal, fn: OperatorFunction, number: number): void {
  const { seed, callsEach, planted } = assignment
  const index = number % callsEach
  const spec = callSpec(fn, seed, index)
  const text = describeCall(spec)
  journal.enter(number, text)
  const before = bridge().memory()
  const start = performance.now()
  let { outcome, message } = run(() => {
    const values = materialise(spec, new Random(seed, fn.name, index, 'values'))
    manualSeed(index)
    if (planted?.function === fn.name && index === 2) misbehave(planted.fault)
    return publicForm(fn.name)(...values)
  })
  const after = bridge().memory()
  if (after.tensors !== before.tensors || after.storages !== before.storages) {
    outcome = 'leaked'
    message = `tensors ${before.tensors} → ${after.tensors}, storages ${before.storages} → ${after.storages}`
  }
  const ms = performance.now() - start
  if (ms > SLOW_MS) journal.detail({ number, outcome: 'slow', call: text, message: `${Math.round(ms)} ms` })
  if (outcome === 'untypedError' || outcome === 'leaked') journal.detail({ number, outcome, call: text, message })
  journal.leave(number, outcome)
}

function misbehave(fault: Planted['fault']): void {
  switch (fault) {
    case 'crash':
      process.abort()
      break
    case 'hang':
      for (;;);
    case 'leak':
      keep(tensor([1, 2, 3]))
      break
    case 'untyped error':
      throw new TypeError('planted')
  }
}

function run(body: () => unknown): { outcome: Outcome; message: string } {
  try {
    tidy(() => {
      body()
    })
    return { outcome: 'succeeded', message: '' }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (!VisionNativeError.is(error))
      return { outcome: 'untypedError', message: error instanceof Error ? `${error.stack}` : message }
    return { outcome: OURS.test(message) ? 'rejectedByUs' : 'rejectedByLibTorch', message }
  }
}

function checkFunction({ seed }: Assignment, journal: Journal, fn: OperatorFunction, number: number): void {
  journal.enter(number, `${fn.name}: check of results`)
  const verdict = tidy(() => checkOperator(fn, seed))
  journal.detail({ number, outcome: 'check', call: fn.name, message: JSON.stringify(verdict) })
}

main(process.argv.slice(2))
