// Two machines, as two network namespaces with a cable between them.
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from '../support/child'
import { runCli } from '../support/cli'
import { PROJECT } from '../support/installed-package'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()
const SCRIPT = join(PROJECT, `.cache/hosts-${process.pid}.mjs`)
const HOSTS = [0, 1].map((number) => ({
  number,
  namespace: `vn${process.pid}h${number}`,
  device: `vn${process.pid % 100_000}c${number}`,
  address: `10.203.0.${number + 1}`,
}))

const ip = (line: string) => execFileSync('ip', line.split(' '), { stdio: 'pipe' })
const reason = withoutCable()

/** Why namespaces cannot be made here, or undefined when they are there. */
function withoutCable(): string | undefined {
  try {
    for (const { namespace } of HOSTS) ip(`netns add ${namespace}`)
    const [near, far] = HOSTS.map(({ device }) => device)
    ip(`link add ${near} type veth peer name ${far}`)
    for (const { namespace, device, address } of HOSTS) {
      ip(`link set ${device} netns ${namespace}`)
      ip(`-n ${namespace} addr add ${address}/24 dev ${device}`)
      ip(`-n ${namespace} link set ${device} up`)
      ip(`-n ${namespace} link set lo up`)
    }
    return undefined
  } catch (error) {
    return `network namespaces need root and the command ip: ${(error as Error).message.trim().split('\n').at(-1)}`
  }
}

beforeAll(() => bundle({ entryPoints: [join(PROJECT, 'test/distributed/job.ts')] }, SCRIPT))
afterAll(() => {
  rmSync(SCRIPT, { force: true })
  for (const { namespace } of HOSTS) {
    try {
      ip(`netns delete ${namespace}`)
    } catch {
      // It was never made.
    }
  }
})

/** One process on each of two machines, or two on one. */
async function onHosts(job: object, args: readonly string[] = []) {
  return Promise.all(
    HOSTS.map(({ number, namespace, device }) =>
      runCli(
        [
          ...['launch', '--nproc', '1', '--nnodes', '2', '--node-rank', String(number)],
          ...['--master-addr', HOSTS[0]?.address ?? '', '--master-port', '29400', ...args, SCRIPT, JSON.stringify(job)],
        ],
        { env: { OMP_NUM_THREADS: '1', GLOO_SOCKET_IFNAME: device }, under: ['ip', 'netns', 'exec', namespace] },
      ),
    ),
  )
}

const parametersOf = (output: string, rank: number) =>
  JSON.parse(readFileSync(`${output}-${rank}.json`, 'utf8')).parameters

const job = (name: string) => ({ batch: 16, epochs: 4, folder: folder(name), output: folder(`${name}-result`) })

test('two machines train as one does, and start again together when one of them loses its process', async ({
  skip,
}) => {
  if (reason !== undefined) skip(reason)
  const one = { batch: 16, epochs: 4, output: folder('one') }
  const alone = await runCli(['launch', '--nproc', '2', SCRIPT, JSON.stringify(one)], {
    env: { OMP_NUM_THREADS: '1', GLOO_SOCKET_IFNAME: 'lo' },
  })
  expect(alone.code, alone.stderr).toBe(0)
  const expected = parametersOf(one.output, 0)

  for (const { code, stderr } of await onHosts(job('whole'))) expect(code, stderr).toBe(0)
  const lost = { ...job('again'), resume: true, kill: { rank: 1, batch: 7 } }
  const [first, second] = await onHosts(lost, ['--max-restarts', '1'])
  expect(first?.code, first?.stderr).toBe(0)
  expect(second?.code, second?.stderr).toBe(0)
  expect(first?.stderr).toMatch(/rank 0 ended with exit code 1; starting all processes again/)
  expect(second?.stderr).toMatch(/rank 1 was killed by SIGKILL; starting all processes again/)
  for (const rank of [0, 1]) {
    expect(parametersOf(folder('whole-result'), rank)).toEqual(expected)
    expect(parametersOf(folder('again-result'), rank)).toEqual(expected)
  }
}, 240_000)
