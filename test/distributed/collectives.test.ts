import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  allReduce,
  destroyProcessGroup,
  getRank,
  getWorldSize,
  initProcessGroup,
  isLaunched,
  openGroup,
  rendezvous,
} from '../../lib/distributed'
import { tensor } from '../../lib/tensor'
import { bundle } from '../support/child'
import { runCli } from '../support/cli'
import { PROJECT } from '../support/installed-package'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()
const SCRIPT = join(PROJECT, `.cache/collectives-${process.pid}.mjs`)
beforeAll(() => bundle({ entryPoints: [join(PROJECT, 'test/distributed/collectives-job.ts')] }, SCRIPT))
afterAll(() => rmSync(SCRIPT, { force: true }))

test('collectives of three processes give what hand calculation does', async () => {
  const { code, stderr } = await runCli(['launch', '--nproc', '3', SCRIPT, folder('seen')], {
    env: { OMP_NUM_THREADS: '1', GLOO_SOCKET_IFNAME: 'lo' },
  })
  expect(code, stderr).toBe(0)
  for (const rank of [0, 1, 2]) {
    const { mismatch, ...seen } = JSON.parse(readFileSync(folder(`seen-${rank}.json`), 'utf8'))
    // Of [1, 0], [2, 10] and [3, 20].
    const reduced = { sum: [6, 30], mean: [2, 10], product: [6, 0], min: [1, 0], max: [3, 20] }
    expect(seen).toEqual({
      ...{ rank, worldSize: 3 },
      ...reduced,
      ...Object.fromEntries(Object.entries(reduced).map(([op, value]) => [`${op} later`, value])),
      unchanged: [rank + 1, 10 * rank],
      several: [
        [6, 30],
        [12, 60],
        [18, 90],
      ],
      // y = 6 leaf on all three; each adds 2 y to the gradient of the sum: 3 · 2 · 6 leaf · (rank + 1).
      gradient: [36 * (rank + 1), 72 * (rank + 1)],
      captured: [13, 61],
      broadcast: [2, 10],
      gathered: [1, 0, 2, 10, 3, 20],
      objects: [0, 1, 2].map((each) => ({ rank: each, text: 'ü'.repeat(each + 1) })),
      named: [
        [['all', 'float32', [0, 1]]],
        [
          ['all', 'float32', [1, 1], 2],
          ['one', 'int64', [1, 1], 5],
        ],
        [['all', 'float32', [2, 1], 3, 3]],
      ],
      broadcastTensors: [2, 10],
      // The mean of 3, 4 and 5; nobody used the other.
      reduced: [[4], null],
    })
    expect(mismatch).toMatch(
      /rank 0 has 1 parameters and rank 1 has 1; number 0 is float32 \[1\] on rank 0 and float32 \[2\] on rank 1/,
    )
  }
}, 180_000)

test('a barrier names the process that is lost', async () => {
  const { code, stderr } = await runCli(['launch', '--nproc', '2', SCRIPT, 'lose one'], {
    env: { OMP_NUM_THREADS: '1', GLOO_SOCKET_IFNAME: 'lo' },
  })
  expect(code).toBe(1)
  expect(stderr).toMatch(/DistributedError: .*Ranks 1 failed/)
  expect(stderr).toMatch(/error: .*launch: rank 1 was killed by SIGKILL/)
}, 180_000)

describe('where processes meet', () => {
  const environment = { RANK: '1', WORLD_SIZE: '4', MASTER_ADDR: 'host', MASTER_PORT: '29500', LOCAL_RANK: '0' }

  test('is read from the variables of torchrun, or passed', () => {
    const read = { rank: 1, worldSize: 4, localRank: 0, masterAddress: 'host', masterPort: 29500 }
    expect(rendezvous({}, environment)).toEqual(read)
    expect(rendezvous({ rank: 3, masterPort: 1234 }, environment)).toEqual({ ...read, rank: 3, masterPort: 1234 })
    expect(isLaunched(environment)).toBe(true)
    expect(isLaunched({})).toBe(false)
  })

  test.each([
    [{ RANK: undefined }, /the variable RANK is not set; start the script by .*launch/],
    [{ RANK: '4' }, /RANK is 4; it must be a whole number from 0 to 3/],
    [{ WORLD_SIZE: 'many' }, /WORLD_SIZE is NaN/],
    [{ MASTER_PORT: '70000' }, /MASTER_PORT is 70000; it must be a whole number from 1 to 65535/],
  ])('is refused where %o', (change, message) => {
    expect(() => rendezvous({}, { ...environment, ...change })).toThrow(message)
  })
})

test('a group of one, its errors, and none', async () => {
  expect([getRank(), getWorldSize(), openGroup()]).toEqual([0, 1, undefined])
  expect(() => allReduce(tensor([1]))).toThrow(/no process group is open; await initProcessGroup\(\) first/)
  const place = { rank: 0, worldSize: 1, masterPort: 29_000 + (process.pid % 1000), interface: 'lo' }
  await expect(initProcessGroup({ ...place, timeoutMs: 0 })).rejects.toThrow(/timeoutMs is 0/)
  const group = await initProcessGroup(place)
  await expect(initProcessGroup(place)).rejects.toThrow(/'default' is open already/)
  expect(allReduce(tensor([3]), { op: 'mean' }).toArray()).toEqual([3])
  expect(() => allReduce(tensor([3]), { op: 'middle' as 'sum' })).toThrow(/op is 'middle'; it must be one of sum, mean/)
  await destroyProcessGroup()
  expect(() => allReduce(tensor([3]), { group })).toThrow(/'default' was closed/)
})

test('says that nobody came, and where they should have met', async () => {
  const alone = { rank: 1, worldSize: 2, masterPort: 1, timeoutMs: 300, interface: 'lo' }
  await expect(initProcessGroup(alone)).rejects.toMatchObject({
    name: 'DistributedError',
    message: expect.stringMatching(
      /rank 1 of 2 did not meet the others at 127\.0\.0\.1:1 within 0\.3 s; all 2 processes/,
    ),
  })
  expect(openGroup()).toBeUndefined()
})

describe('vision-native launch', () => {
  const script = (name: string, text: string) => {
    mkdirSync(dirname(folder(name)), { recursive: true })
    writeFileSync(folder(name), text)
    return folder(name)
  }

  test('gives each process its place and the arguments, and its exit code', async () => {
    const path = script(
      'place.mjs',
      `const { RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR } = process.env
       console.log([RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR, ...process.argv.slice(2)].join(' '))`,
    )
    const { code, stdout } = await runCli(['launch', '--nproc', '2', path, '--epochs', '3'])
    expect(code).toBe(0)
    expect(stdout.trim().split('\n').sort()).toEqual(['0 0 2 127.0.0.1 --epochs 3', '1 1 2 127.0.0.1 --epochs 3'])
  })

  test('names the process that failed, and what cannot be', async () => {
    const path = script('fails.mjs', 'process.exitCode = process.env.RANK === "1" ? 7 : 0')
    const failed = await runCli(['launch', '--nproc', '2', path])
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringMatching(/launch: rank 1 ended with exit code 7/)])
    const missing = await runCli(['launch', '--nproc', '2', folder('none.mjs')])
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringMatching(/there is no file .*none\.mjs/)])
    const nodes = await runCli(['launch', '--nproc', '1', '--nnodes', '2', '--node-rank', '1', path])
    expect([nodes.code, nodes.stderr]).toEqual([2, expect.stringMatching(/state --master-addr and --master-port/)])
  })
})
