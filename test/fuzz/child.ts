// A process that tries inputs: `child.ts <assignment> <target> <first input> <milliseconds spent>`.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keep, tensor } from '../../lib'
import { bridge } from '../../lib/native/frame'
import { type Assignment, BROKEN } from './assignment'
import { attempt, inputOf, stackOf } from './attempt'
import { type Fault, keepFinding } from './findings'
import { Journal, type Position } from './journal'
import { TARGETS } from './registry'

/** The input at which a planted fault happens. */
const PLANTED_AT = 3
/** An input that takes longer is no finding, as a machine may be busy, but it is kept to be looked at. */
const SLOW_MS = 2000

async function main([file = '']: readonly string[]): Promise<void> {
  const { assignment, from } = JSON.parse(readFileSync(file, 'utf8')) as {
    assignment: Assignment
    from: Position | undefined
  }
  const { targets } = assignment
  bridge().setCpuMemoryLimit(assignment.memoryLimit)
  bridge().setNumThreads(1)
  const journal = new Journal(assignment.journal)
  const start = from === undefined ? 0 : targets.indexOf(from.target)
  for (const [i, target] of targets.slice(start).entries()) {
    const fresh = { target, index: 0, accepted: 0, refused: 0, findings: 0, ms: 0, slowestMs: 0 }
    await tryTarget(assignment, journal, i === 0 && from !== undefined ? from : fresh)
  }
  journal.close()
}

async function tryTarget(assignment: Assignment, journal: Journal, from: Position): Promise<void> {
  const { seed, planted, targets } = assignment
  const target = await TARGETS[from.target]()
  const begin = performance.now() - from.ms
  let position = from
  // An error that nobody waited for belongs to the input that is being read.
  let stray: unknown
  const onStray = (error: unknown) => {
    stray ??= error
  }
  process.on('uncaughtException', onStray).on('unhandledRejection', onStray)
  while (position.index < assignment.inputs && position.ms < 1000 * assignment.seconds) {
    const input = inputOf(target, position.target, seed, position.index)
    journal.enter(position, input)
    const isPlanted = planted !== undefined && position.target === targets[0] && position.index === PLANTED_AT
    const tried = await attempt(
      isPlanted ? { ...target, read: () => misbehave(planted) } : target,
      input,
      journal.input,
    )
    await new Promise((resolve) => setImmediate(resolve))
    const result =
      stray === undefined ? tried : ({ outcome: 'untyped', message: `not awaited: ${stackOf(stray)}` } as const)
    stray = undefined
    if (result.outcome === 'untyped' || result.outcome === 'leaked') {
      const { target, index } = position
      keepFinding(
        assignment.folder,
        journal.input,
        { target, index, fault: result.outcome, message: result.message },
        input,
      )
      position = { ...position, findings: position.findings + 1 }
    } else position = { ...position, [result.outcome]: position[result.outcome] + 1 }
    const ms = performance.now() - begin
    if (ms - position.ms > SLOW_MS) {
      mkdirSync(assignment.folder, { recursive: true })
      copyFileSync(journal.input, join(assignment.folder, `${position.target}.slow.${position.index}`))
    }
    const slowestMs = Math.max(position.slowestMs, ms - position.ms)
    position = { ...position, index: position.index + 1, ms, slowestMs }
  }
  process.off('uncaughtException', onStray).off('unhandledRejection', onStray)
  journal.idle()
  process.send?.(position)
}

function misbehave(fault: Fault): void {
  switch (fault) {
    case 'died':
      process.kill(process.pid, 'SIGSEGV')
      for (;;);
    case 'hung':
      for (;;);
    case 'memory':
      for (const all: Uint8Array[] = []; ; ) all.push(new Uint8Array(2 ** 26).fill(1))
    case 'leaked':
      keep(tensor([1, 2, 3]))
      return
    case 'untyped':
      throw new TypeError('planted')
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error)
  process.exit(BROKEN)
})
