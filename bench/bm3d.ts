// Time of BM3D beside the package of the method's authors, on a photograph with noise of σ = 25; both results' PSNR.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readImage } from '../lib/io'
import { bm3d } from '../lib/ops'
import { call, manualSeed, randn, setNumThreads, type Tensor, tensor, tidy } from '../lib/tensor'
import type { Context } from './benchmarks'
import { PythonPeer } from './support/python'
import { median, type Row } from './support/result'

const SIGMA = 25 / 255
const ISAS = ['scalar', 'avx2', 'avx512', 'avx512 + vpopcntdq']
const PHOTOGRAPH = fileURLToPath(new URL('../examples/data/rubberwhale1.png', import.meta.url))

export async function bm3dTime({ python, threads }: Context): Promise<{ rows: Row[]; [figure: string]: unknown }> {
  setNumThreads(threads)
  manualSeed(1)
  const isa = ISAS[call('vision_native::_cpu_isa', []) as unknown as number] ?? 'unknown'
  const folder = await mkdtemp(join(tmpdir(), 'bm3d-'))
  const peer = new PythonPeer(python, 'bm3d.py')
  const photograph = await readImage(PHOTOGRAPH)
  // A part of it, so that the peer's rounds fit.
  const colour = tidy(() => photograph.to('float32').div(255).narrow(1, 0, 160).narrow(2, 0, 192).contiguous())
  const grey = tidy(() => colour.mean({ dim: [0], keepdim: true }))
  try {
    const rows: Row[] = []
    const decibels: Record<string, unknown> = {}
    const missing = new Set<string>()
    for (const [name, clean] of [
      ['grey', grey],
      ['colour', colour],
    ] as const) {
      const noisy = tidy(() => clean.add(randn([...clean.shape]).mul(SIGMA)))
      const found = await compare(name, clean, noisy, peer, folder, isa)
      if (typeof found === 'string') missing.add(found)
      else {
        rows.push(found.row)
        decibels[name] = found.decibels
      }
    }
    return { rows, isa, decibels, notInstalled: [...missing], ...ownTimes(threads) }
  } finally {
    peer.close()
    await rm(folder, { recursive: true })
  }
}

const psnr = (a: Tensor, b: Tensor) => tidy(() => -10 * Math.log10(a.sub(b).square().mean().toNumber()))

async function compare(name: string, clean: Tensor, noisy: Tensor, peer: PythonPeer, folder: string, isa: string) {
  const path = join(folder, name)
  const [channels, height, width] = clean.shape as [number, number, number]
  await writeFile(
    path,
    tidy(() => noisy.permute([1, 2, 0]).contiguous().dataSync() as Float32Array),
  )
  const question = { image: path, shape: [height, width, channels], sigma: SIGMA, stages: 'both' }
  const ours: number[] = []
  const theirs: number[] = []
  let decibels: Record<string, number> = {}
  for (let round = -1; round < 5; round++) {
    const ms = timed(() => bm3d(noisy, { sigma: SIGMA }))
    const answer = await peer.ask<{ ms: number; output: string } | { missing: string }>(question)
    if ('missing' in answer) return answer.missing
    if (round < 0) {
      const values = new Float32Array(Uint8Array.from(await readFile(answer.output)).buffer)
      decibels = tidy(() => {
        const peers = tensor(values, { shape: [height, width, channels] }).permute([2, 0, 1])
        const result = bm3d(noisy, { sigma: SIGMA })
        return { noisy: psnr(noisy, clean), ours: psnr(result, clean), peers: psnr(peers, clean) }
      })
    } else {
      ours.push(ms)
      theirs.push(answer.ms)
    }
  }
  const [oursMs, peerMs] = [median(ours), median(theirs)]
  // Not the same numbers: the package has other transforms and thresholds. Decibels apart tell whether it is as good.
  const equalTo = Math.abs((decibels.ours ?? Number.NaN) - (decibels.peers ?? Number.NaN))
  const row = {
    case: `${width} × ${height} ${name}, σ = 25, ${isa} (differ: dB)`,
    oursMs,
    peer: 'bm3d of PyPI, all threads',
    peerMs,
    ratio: peerMs / oursMs,
    equalTo,
  }
  return { row, decibels }
}

/** How the time depends on size, stages and threads. */
function ownTimes(threads: number): Record<string, unknown> {
  const [small, large] = [128, 256].map((side) => tidy(() => randn([1, side, side]).mul(0.1).add(0.5))) as [
    Tensor,
    Tensor,
  ]
  const colour = tidy(() => randn([3, 256, 256]).mul(0.1).add(0.5))
  const runs: Readonly<Record<string, () => void>> = {
    '128²': () => void bm3d(small, { sigma: 0.1 }),
    '256²': () => void bm3d(large, { sigma: 0.1 }),
    '256², first stage': () => void bm3d(large, { sigma: 0.1, stages: 'hard' }),
    '256², colour': () => void bm3d(colour, { sigma: 0.1 }),
    '256², one thread': () => {
      setNumThreads(1)
      bm3d(large, { sigma: 0.1 })
      setNumThreads(threads)
    },
    '256², two threads': () => {
      setNumThreads(2)
      bm3d(large, { sigma: 0.1 })
      setNumThreads(threads)
    },
  }
  const times = new Map(Object.keys(runs).map((name) => [name, [] as number[]]))
  for (let round = 0; round < 7; round++) {
    for (const [name, run] of Object.entries(runs)) times.get(name)?.push(timed(run))
  }
  const milliseconds = Object.fromEntries([...times].map(([name, values]) => [name, median(values)]))
  const [one, two] = [milliseconds['256², one thread'] ?? Number.NaN, milliseconds['256², two threads'] ?? Number.NaN]
  return { milliseconds, oneThreadOverTwo: one / two }
}

function timed(run: () => unknown): number {
  const start = performance.now()
  tidy(() => void run())
  return performance.now() - start
}
