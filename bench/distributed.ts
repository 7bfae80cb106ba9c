// Time of a training step by one process and by two, a core each, beside DistributedDataParallel in Python.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Context } from './benchmarks'
import { largestDifference, median, type Row } from './support/result'

const HERE = dirname(fileURLToPath(import.meta.url))
const STEPS = 12
/** Steps whose times are left out: graphs are recorded in them. */
const WARM_UP = 3
const ROUNDS = 3
/** Losses that are compared; later ones drift apart as rounding does. */
const COMPARED = 3

interface Training {
  readonly losses: readonly number[]
  readonly ms: readonly number[]
}

export async function distributed({ python }: Context): Promise<{ rows: Row[]; speedUp: object }> {
  const folder = mkdtempSync(join(tmpdir(), 'distributed-'))
  try {
    const [batch, result] = [join(folder, 'batch.safetensors'), join(folder, 'result.json')]
    execFileSync(python, [join(HERE, 'distributed/worker.py'), '--make', batch])
    const environment = { ...process.env, OMP_NUM_THREADS: '1', GLOO_SOCKET_IFNAME: 'lo' }
    const run = (command: string, ...args: string[]): Training => {
      execFileSync(command, [...args, batch, String(STEPS), result], {
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const { losses, ms } = JSON.parse(readFileSync(result, 'utf8')) as Training
      return { losses, ms: ms.slice(WARM_UP) }
    }
    const ours = (processes: number) =>
      run(
        process.execPath,
        ...['--import', 'tsx', join(HERE, '../lib/cli/main.ts'), 'launch', '--nproc', String(processes)],
        join(HERE, 'distributed/worker.ts'),
      )
    const theirs = (processes: number) =>
      run(
        python,
        ...['-m', 'torch.distributed.run', '--nproc-per-node', String(processes), '--master-port', '29533'],
        join(HERE, 'distributed/worker.py'),
      )
    const rows: Row[] = []
    for (const processes of [1, 2]) {
      const times = { ours: [] as number[], theirs: [] as number[] }
      let difference = 0
      for (let round = 0; round < ROUNDS; round++) {
        const [own, peer] = [ours(processes), theirs(processes)]
        times.ours.push(...own.ms)
        times.theirs.push(...peer.ms)
        const [a, b] = [own, peer].map(({ losses }) => losses.slice(0, COMPARED))
        difference = Math.max(difference, largestDifference(a ?? [], b ?? []))
      }
      const [oursMs, peerMs] = [median(times.ours), median(times.theirs)]
      const name = `ResNet-18, 32×3×96×96 by ${processes === 1 ? 'one process' : `${processes} processes`}`
      rows.push({ case: name, oursMs, peer: 'PyTorch DDP', peerMs, ratio: peerMs / oursMs, equalTo: difference })
    }
    const [one, two] = rows
    const speedUp = (key: 'oursMs' | 'peerMs') => (one?.[key] ?? Number.NaN) / (two?.[key] ?? Number.NaN)
    return { rows, speedUp: { ours: speedUp('oursMs'), peer: speedUp('peerMs') } }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
