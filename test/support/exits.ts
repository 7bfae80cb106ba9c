import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { bundle, type ChildResult, runProgram } from './child'

interface Expected {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly printed: string
  /** On standard error. */
  readonly said: RegExp
}

const quiet = /^$/
const thrown = /Error: of the application/

/** Those that differ most, for the tests that always run. */
export const FEW_EXITS: readonly string[] = ['return', 'exit', 'throw', 'SIGTERM', 'exit over workers']

/** What Node promises of each way to end. */
export const EXITS: Readonly<Record<string, Partial<Expected>>> = {
  return: { printed: 'done\n' },
  'exit code': { code: 5, printed: 'done\n' },
  exit: { code: 7 },
  'exit in a promise': { code: 8 },
  throw: { code: 1, said: thrown },
  rejection: { code: 1, said: thrown },
  SIGINT: { code: null, signal: 'SIGINT' },
  SIGTERM: { code: null, signal: 'SIGTERM' },
  'SIGTERM, answered by exit': { code: 9 },
  'SIGINT, answered by an orderly end': { printed: 'done\n' },
  'exit over workers': { code: 11 },
  'throw over workers': { code: 1, said: thrown },
  'SIGTERM over workers': { code: null, signal: 'SIGTERM' },
}

/** Words of libc, libstdc++, glibc's heap, V8, Node and LibTorch for a process that breaks down. */
const SIGNS_OF_A_CRASH =
  /segmentation|core dumped|terminate called|pure virtual|double free|corrupt|invalid pointer|assert|fatal|abort|native stack|c10::error/i

/** Makes one program of test/support/work-in-flight.ts; call it outside the tests. */
export function inFlight(): (env: Readonly<Record<string, string>>) => Promise<ChildResult> {
  let folder = ''
  beforeAll(async () => {
    mkdirSync('.cache', { recursive: true })
    folder = mkdtempSync(join('.cache', 'test-'))
    await bundle({ entryPoints: ['test/support/work-in-flight.ts'] }, join(folder, 'program.mjs'))
    await bundle({ entryPoints: ['test/support/data/numbers.ts'] }, join(folder, 'numbers.mjs'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return (env) => runProgram([join(folder, 'program.mjs')], env)
}

/** Ends a program in one way and holds it to what Node promises. */
export async function expectExit(
  run: ReturnType<typeof inFlight>,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { code, signal, stdout, stderr } = await run(env)
  const { printed, said, ...expected } = {
    ...{ code: 0, signal: null, printed: '', said: quiet },
    ...EXITS[env.ENDING ?? ''],
  }
  expect({ code, signal }, stderr).toEqual(expected)
  expect(stdout).toBe(printed)
  expect(stderr).toMatch(said)
  expect(stderr).not.toMatch(SIGNS_OF_A_CRASH)
}

/** Workers that end in every way at any moment, and what is left of them. */
export async function expectRounds(run: ReturnType<typeof inFlight>, seed: number, rounds: number): Promise<void> {
  const WORK = 'calls,async,graph,training,hooks,scopes,files,video'
  const { code, signal, stdout, stderr } = await run({ ENDING: 'rounds', SEED: `${seed}`, ROUNDS: `${rounds}`, WORK })
  expect([code, signal, stderr]).toEqual([0, null, ''])
  expect(JSON.parse(stdout)).toEqual({ ended: 3 * rounds, onTheirWay: 0, leftOver: false })
}
