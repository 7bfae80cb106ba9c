// Several processes on this machine train as one does on all of the data.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle } from '../support/child'
import { type CliResult, runCli } from '../support/cli'
import { PROJECT } from '../support/installed-package'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()
// Beside the package, so that it finds what the package depends on.
const SCRIPT = join(PROJECT, `.cache/distributed-${process.pid}.mjs`)
const ENVIRONMENT = { OMP_NUM_THREADS: '1', GLOO_SOCKET_IFNAME: 'lo' }

beforeAll(() => bundle({ entryPoints: [join(PROJECT, 'test/distributed/job.ts')] }, SCRIPT))
afterAll(() => rmSync(SCRIPT, { force: true }))

interface Scores {
  readonly error: number
  readonly r2: number
}

interface Outcome {
  readonly parameters: Readonly<Record<string, unknown>>
  readonly records: readonly {
    kind: string
    step: number
    loss: number
    values?: { bias: number }
    validation?: Scores
  }[]
  readonly told: number
  readonly eagerReason?: string
}

async function launched(nproc: number, job: object, args: readonly string[] = []): Promise<CliResult> {
  return runCli(['launch', '--nproc', String(nproc), ...args, SCRIPT, JSON.stringify(job)], { env: ENVIRONMENT })
}

async function train(
  nproc: number,
  job: { readonly output: string; readonly [option: string]: unknown },
  args: readonly string[] = [],
): Promise<Outcome[]> {
  const { code, stderr } = await launched(nproc, job, args)
  expect(code, stderr).toBe(0)
  return Array.from({ length: nproc }, (_, rank) => JSON.parse(readFileSync(`${job.output}-${rank}.json`, 'utf8')))
}

function largest(a: unknown, b: unknown): number {
  const [x, y] = [a, b].map((value) => [value].flat(9) as number[])
  expect(x?.length).toBe(y?.length)
  return Math.max(...(x ?? []).map((value, i) => Math.abs(value - (y?.[i] ?? Number.NaN))))
}

function difference(a: Outcome['parameters'], b: Outcome['parameters']): number {
  expect(Object.keys(a)).toEqual(Object.keys(b))
  return Math.max(...Object.keys(a).map((name) => largest(a[name], b[name])))
}

const steps = ({ records }: Outcome) => records.filter(({ kind }) => kind === 'step')

describe('data-parallel training', () => {
  const common = { batch: 16, epochs: 3 }

  test('of 2 and of 4 processes ends as that of one with the whole batch, captured and not', async () => {
    const [alone] = await train(1, { ...common, output: folder('one') })
    expect(alone?.eagerReason).toBeUndefined()
    for (const [nproc, capture] of [
      [2, true],
      [2, false],
      [4, true],
    ] as const) {
      const outcomes = await train(nproc, { ...common, capture, output: folder(`${nproc}-${capture}`) })
      for (const [rank, outcome] of outcomes.entries()) {
        expect(outcome.eagerReason === undefined, outcome.eagerReason).toBe(capture)
        expect(difference(outcome.parameters, alone?.parameters ?? {})).toBeLessThan(1e-6)
        expect(outcome.told > 0).toBe(rank === 0)
        // What is logged is of all samples, too.
        for (const [i, { loss, values }] of steps(outcome).entries()) {
          const expected = steps(alone as Outcome)[i]
          expect(loss).toBeCloseTo(expected?.loss ?? Number.NaN, 6)
          expect(values?.bias).toBeCloseTo(expected?.values?.bias ?? Number.NaN, 6)
        }
        expect(steps(outcome)).toHaveLength(9)
      }
    }
  }, 240_000)

  test('sums gradients of several batches up before they are averaged', async () => {
    const [alone] = await train(1, { ...common, output: folder('accumulate-1'), accumulate: 1 })
    // Half as many samples in a batch, and two of them a step: the same samples in another grouping.
    const outcomes = await train(2, { ...common, batch: 8, accumulate: 2, output: folder('accumulate-2') })
    for (const { parameters } of outcomes) {
      expect(difference(parameters, alone?.parameters ?? {})).toBeLessThan(1e-6)
    }
  }, 120_000)
})

describe('of a network with batch norm', () => {
  test('statistics, weights and the measures of a validation in parts are those of one process', async () => {
    const job = { norm: true, epochs: 3, batch: 16 }
    const [alone] = await train(1, { ...job, output: folder('norm-1') })
    for (const nproc of [2, 4]) {
      for (const outcome of await train(nproc, { ...job, output: folder(`norm-${nproc}`) })) {
        expect(outcome.eagerReason).toBeUndefined()
        expect(difference(outcome.parameters, alone?.parameters ?? {})).toBeLessThan(1e-6)
        const [seen, expected] = [outcome, alone as Outcome].map(({ records }) =>
          records.flatMap(({ validation }) => (validation ? [validation] : [])),
        )
        expect(seen).toHaveLength(3)
        for (const [i, { error, r2 }] of (expected ?? []).entries()) {
          expect(seen?.[i]?.error).toBeCloseTo(error, 6)
          expect(seen?.[i]?.r2).toBeCloseTo(r2, 6)
        }
      }
    }
  }, 240_000)
})

describe('a process that is killed', () => {
  const job = (name: string) => ({
    ...{ batch: 16, epochs: 4, kill: { rank: 1, batch: 7 } },
    ...{ folder: folder(name), output: folder(`${name}-result`) },
  })

  test('ends the others with an error that says so', async () => {
    const { code, stderr } = await launched(2, job('lost'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/DistributedError: .*(closed by peer|reset by peer)/)
    expect(stderr).toMatch(/error: .*launch: rank 1 was killed by SIGKILL/)
    expect(stderr).not.toMatch(/had to be ended/)
    expect(existsSync(folder('lost-result-0.json'))).toBe(false)
  })

  test('is started again, and the run goes on from its checkpoint to the same weights', async () => {
    const whole = await train(2, { ...job('whole'), kill: undefined })
    const { code, stderr } = await launched(2, { ...job('again'), resume: true }, ['--max-restarts', '1'])
    expect(code, stderr).toBe(0)
    expect(stderr).toMatch(/rank 1 was killed by SIGKILL; starting all processes again \(1 of 1\)/)
    for (const rank of [0, 1]) {
      const outcome: Outcome = JSON.parse(readFileSync(folder(`again-result-${rank}.json`), 'utf8'))
      expect(outcome.parameters).toEqual(whole[rank]?.parameters)
    }
  }, 120_000)
})
