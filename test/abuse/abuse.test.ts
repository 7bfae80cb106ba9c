import { expect, test } from 'vitest'
import { currentSurface } from '../../tools/generate-ops'
import { NO_VALID_CALL } from './checks'
import type { Planted } from './child'
import { reachedKernel, summarise, totalCalls } from './report'
import { abuse } from './run'

/**
 * Every public operator, called with right and wrong arguments of every kind in child processes.
 *
 *     VISION_NATIVE_ABUSE_SEED=7          other calls
 *     VISION_NATIVE_ABUSE_CALLS=500       calls of each operator
 *     VISION_NATIVE_PLANT_CRASH=conv2d    the process dies in a call of conv2d; this test must say so
 */
const SEED = Number(process.env.VISION_NATIVE_ABUSE_SEED ?? 1)
const CALLS_EACH = Number(process.env.VISION_NATIVE_ABUSE_CALLS ?? 76)
const planted: Planted | undefined = process.env.VISION_NATIVE_PLANT_CRASH
  ? { function: process.env.VISION_NATIVE_PLANT_CRASH, fault: 'crash' }
  : undefined

const publicFunctions = currentSurface().functions.filter((f) => f.surface === 'public')
const some = publicFunctions.filter((f) => /^(abs|add_|conv2d|sum|where)$/.test(f.name))

test('no call of a public operator does worse than throw a typed error, and results are right', {
  timeout: 900_000,
}, async () => {
  const report = await abuse({
    functions: publicFunctions,
    seed: SEED,
    callsEach: CALLS_EACH,
    planted,
    log: console.log,
  })
  console.log(summarise(report, SEED))

  expect(report.details.filter((detail) => detail.outcome !== 'slow')).toEqual([])
  expect(report.counts).toMatchObject({ notRun: 0, died: 0, stuck: 0, leaked: 0, untypedError: 0 })
  expect(totalCalls(report)).toBeGreaterThanOrEqual(60_000)
  expect(reachedKernel(report)).toBeGreaterThan(0.3)

  const wrong = [...report.verdicts.values()].flatMap((verdict) => verdict.failures)
  expect(wrong).toEqual([])
  const unchecked = [...report.verdicts].filter(([, verdict]) => verdict.checks.length === 0).map(([name]) => name)
  for (const name of unchecked) console.log(`no valid call of ${name}: ${NO_VALID_CALL.get(name) ?? 'unknown'}`)
  expect(unchecked).toEqual([...NO_VALID_CALL.keys()])
})

test('a crash, a hang, a leak and an untyped error are found, told with their call, and the run goes on', {
  timeout: 300_000,
}, async () => {
  const faults = [
    ['crash', 'died'],
    ['hang', 'stuck'],
    ['leak', 'leaked'],
    ['untyped error', 'untypedError'],
  ] as const
  for (const [fault, outcome] of faults) {
    const report = await abuse({
      functions: some,
      seed: SEED,
      callsEach: 6,
      planted: { function: 'conv2d', fault },
      callLimitMs: fault === 'hang' ? 8000 : 60_000,
    })
    expect(report.details.map((detail) => [detail.outcome, detail.call.split('(')[0]])).toEqual([[outcome, 'conv2d']])
    expect(report.counts).toMatchObject({ notRun: 0, [outcome]: 1 })
    expect(totalCalls(report)).toBe(some.length * 6)
    expect(report.verdicts.size).toBe(some.length)
  }
})

test('a seed gives the same calls and the same outcomes', { timeout: 120_000 }, async () => {
  const run = () => abuse({ functions: some, seed: 5, callsEach: 40 })
  const [first, second] = [await run(), await run()]
  expect(first.counts).toEqual(second.counts)
  expect(first.successes).toEqual(second.successes)
})
