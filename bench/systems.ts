// Per system of lib/models: how many pictures or clips a second its captured network or pipeline takes, and its peak of
// memory, beside the same network composed in Python PyTorch of PyTorch's own operators.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readSafetensors, writeSafetensors } from '../lib/io'
import { cudaIsAvailable, type Device, setNumThreads, type Tensor, tidy, tidyAsync } from '../lib/tensor'
import type { Context } from './benchmarks'
import { PythonPeer } from './support/python'
import { largestDifference, median, type ThroughputRow } from './support/result'
import type { SystemCase, SystemRun } from './support/system-case'
import { systemCases } from './support/system-cases'

const ROUNDS = 5
const WARM_UP = 1
/** Milliseconds that a round lasts at least. */
const ROUND_MS = 150
/** Results differ by less than this share of what another input changes: they are no constants that anyone could give. */
const AGREEMENT = 1e-2

/**
 * Environment in which the C library gives freed blocks of 64 KiB and more back at once: what is resident is then what is
 * in use. Memory is measured in processes of its own, so that times are those of the usual settings.
 */
const RETURNS_MEMORY = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536' }
const MEMORY = fileURLToPath(new URL('support/system-memory.ts', import.meta.url))

export async function systems(context: Context): Promise<{ rows: ThroughputRow[] }> {
  setNumThreads(context.threads)
  const folder = mkdtempSync(join(tmpdir(), 'systems-'))
  try {
    const rows: ThroughputRow[] = []
    const devices: Device[] = cudaIsAvailable() && (await peerHasCuda(context)) ? ['cpu', 'cuda'] : ['cpu']
    for (const each of await systemCases()) {
      for (const device of devices) rows.push(await compare(each, device, context, folder))
    }
    return { rows }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function peerHasCuda({ python }: Context): Promise<boolean> {
  const peer = new PythonPeer(python, 'systems.py')
  try {
    return (await peer.ask<{ cuda: boolean }>({ cuda: true })).cuda
  } finally {
    peer.close()
  }
}

async function compare(each: SystemCase, device: Device, context: Context, folder: string): Promise<ThroughputRow> {
  const { python, threads } = context
  const peer = new PythonPeer(python, 'systems.py')
  const ours = each.make(device)
  try {
    const loading = { system: each.system, config: each.peerConfig, device, threads }
    const { equalTo, load } = await agreement(each, ours, loading, peer, folder)
    const first = await timed(ours, 1)
    const runs = Math.max(1, Math.round(ROUND_MS / first))
    const times = { ours: [] as number[], theirs: [] as number[] }
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const contestants = [
        async () => times.ours.push(await timed(ours, runs)),
        async () => times.theirs.push((await peer.ask<{ ms: number }>({ runs })).ms),
      ]
      // Each comes first in turn, as what ran before warms or cools the caches.
      for (const contestant of round % 2 === 0 ? contestants : contestants.reverse()) await contestant()
    }
    const [oursMs, peerMs] = [times.ours, times.theirs].map((all) => median(all.slice(WARM_UP))) as [number, number]
    const perSecond = (ms: number) => (1000 * (each.perPass ?? 1)) / ms
    return {
      case: `${each.system}, ${each.title}${device === 'cpu' ? '' : `, ${device}`}`,
      oursMs,
      peer: 'torch (Python), eager',
      peerMs,
      ratio: peerMs / oursMs,
      equalTo,
      unit: each.unit,
      perSecond: perSecond(oursMs),
      peerPerSecond: perSecond(peerMs),
      ...(device === 'cpu' && {
        peakMB: await ourPeak(each, threads),
        peerPeakMB: await peerPeak(python, load),
      }),
    }
  } finally {
    peer.close()
    ours.dispose()
  }
}

/** Gives the peer our values and compares what it makes of them. */
async function agreement(each: SystemCase, ours: SystemRun, loading: object, peer: PythonPeer, folder: string) {
  const file = join(folder, `${each.system}.safetensors`)
  const answer = join(folder, `${each.system}-answer.safetensors`)
  const load = { load: { ...loading, file, answer } }
  const equalTo = await tidyAsync(async () => {
    const changed = ours.inputs.map((input) => input.flip([-1]).contiguous())
    const named = (prefix: string, list: readonly Tensor[]) =>
      list.map((tensor, i): [string, Tensor] => [`${prefix}.${i}`, tensor])
    const state = [...ours.state].map(([name, tensor]): [string, Tensor] => [`state.${name}`, tensor])
    await writeSafetensors(file, new Map([...state, ...named('input', ours.inputs)]))
    await peer.ask(load)
    const theirs = await readSafetensors(answer)
    // The first run writes the graph down; what counts is what it gives when it is replayed.
    await ours.run(ours.inputs)
    const [results, others] = [await ours.run(ours.inputs), await ours.run(changed)]
    return Math.max(
      ...results.map((result, i) => {
        const [mine, other] = [numbers(result), numbers(others[i] as Tensor)]
        const difference = largestDifference(mine, numbers(theirs.get(`output.${i}`) as Tensor))
        const change = largestDifference(mine, other)
        if (difference < AGREEMENT * change) return difference
        throw new Error(
          `bench: result ${i} of ${each.system} differs from the peer's by ${difference}; another input changes it by ${change}`,
        )
      }),
    )
  })
  return { equalTo, load }
}

function numbers(result: Tensor): Float32Array {
  return tidy(() => result.to({ device: 'cpu', dtype: 'float32' }).contiguous().dataSync() as Float32Array)
}

/** Milliseconds a pass. Results are brought to the CPU, where a GPU must have ended before. */
async function timed(ours: SystemRun, runs: number): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < runs; i++) {
    await tidyAsync(async () => {
      for (const result of await ours.run(ours.inputs)) if (result.device !== 'cpu') await result.data()
    })
  }
  return (performance.now() - start) / runs
}

async function ourPeak(each: SystemCase, threads: number): Promise<number> {
  const args = [...process.execArgv, MEMORY, each.system, String(threads)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...RETURNS_MEMORY } })
  return (JSON.parse(stdout) as { mb: number }).mb
}

async function peerPeak(python: string, load: object): Promise<number> {
  const peer = new PythonPeer(python, 'systems.py', RETURNS_MEMORY)
  try {
    await peer.ask(load)
    return (await peer.ask<{ mb: number }>({ memory: true })).mb
  } finally {
    peer.close()
  }
}
