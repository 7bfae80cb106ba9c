// Accuracy of TV-L1 flow on Middlebury's RubberWhale pair, beside OpenCV's methods on the same grey frames.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFlow, readImage } from '../lib/io'
import { angularError, endPointError, flowOutliers } from '../lib/metrics'
import { tvl1 } from '../lib/ops'
import { tensor } from '../lib/tensor/creation'
import { tidyAsync } from '../lib/tensor/scope'
import type { Tensor } from '../lib/tensor/tensor'

const data = (name: string) => fileURLToPath(new URL(`../examples/data/${name}`, import.meta.url))
const PEER = fileURLToPath(new URL('tvl1-accuracy.py', import.meta.url))

/** How a flow compares with the measured motion, over the pixels where that is known. */
interface Accuracy {
  /** Mean end-point error in pixels. */
  readonly epe: number
  readonly angularErrorDegrees: number
  /** Share of pixels off by more than 1 px. */
  readonly outliers: number
}

interface Row {
  readonly case: string
  readonly oursMs: number
  readonly peer: string
  readonly peerMs: number
  readonly ratio: number
  /** Largest difference of the two flows in pixels; the methods differ, so it tells nothing but for DualTVL1. */
  readonly equalTo: number
  readonly ours: Accuracy
  readonly theirs: Accuracy
}

interface Frames {
  readonly dtype: 'uint8' | 'float32'
  readonly first: Tensor
  readonly second: Tensor
}

type Truth = Awaited<ReturnType<typeof readFlow>>

/** @param python an interpreter with opencv-contrib-python-headless and numpy */
export async function tvl1Accuracy(python: string): Promise<Row[]> {
  const truth = await readFlow(data('rubberwhale_gt.flo'))
  const rows: Row[] = []
  for (const dtype of ['uint8', 'float32'] as const) {
    const grey = async (name: string) => (await readImage(data(name), { mode: 'grey', dtype })).squeeze(0)
    const frames = { dtype, first: await grey('rubberwhale1.png'), second: await grey('rubberwhale2.png') }
    rows.push(...(await tidyAsync(() => compare(python, frames, truth))))
  }
  return rows
}

async function compare(python: string, frames: Frames, truth: Truth): Promise<Row[]> {
  const start = performance.now()
  const flow = await tvl1().pair(frames.first, frames.second)
  const oursMs = performance.now() - start
  const ours = accuracyOf(flow, truth)
  return peerFlows(python, frames).map(({ name, ms, flow: theirs }) => ({
    case: `RubberWhale, ${frames.dtype} grey`,
    oursMs,
    peer: `OpenCV ${name}`,
    peerMs: ms,
    ratio: ms / oursMs,
    equalTo: flow.sub(theirs).abs().amax().toNumber(),
    ours,
    theirs: accuracyOf(theirs, truth),
  }))
}

function accuracyOf(flow: Tensor, { flow: truth, valid }: Truth): Accuracy {
  return {
    epe: endPointError(flow, truth, { valid }).toNumber(),
    angularErrorDegrees: angularError(flow, truth, { valid }).toNumber(),
    outliers: flowOutliers(flow, truth, { valid }).toNumber(),
  }
}

function peerFlows(python: string, { dtype, first, second }: Frames): { name: string; ms: number; flow: Tensor }[] {
  const [height, width] = first.shape as [number, number]
  const folder = mkdtempSync(join(tmpdir(), 'tvl1-accuracy-'))
  try {
    const paths = [first, second].map((frame, i) => {
      const path = join(folder, `frame${i}`)
      writeFileSync(path, frame.dataSync() as Uint8Array | Float32Array)
      return path
    })
    const output = execFileSync(python, [PEER, String(width), String(height), dtype, ...paths, folder], {
      encoding: 'utf8',
    })
    const { methods } = JSON.parse(output.trim().split('\n').at(-1) ?? '') as {
      methods: { name: string; ms: number }[]
    }
    return methods.map(({ name, ms }) => {
      const values = new Float32Array(Uint8Array.from(readFileSync(join(folder, `${name}.flow`))).buffer)
      return { name, ms, flow: tensor(values, { shape: [height, width, 2] }).permute([2, 0, 1]) }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The rows as a table for people. */
function tableOf(rows: readonly Row[]): string {
  const line = (name: string, { epe, angularErrorDegrees, outliers }: Accuracy, ms: number) =>
    [
      name.padEnd(24),
      epe.toFixed(4).padStart(8),
      `${angularErrorDegrees.toFixed(2)}°`.padStart(8),
      `${(100 * outliers).toFixed(1)} %`.padStart(8),
      `${ms.toFixed(0)} ms`.padStart(10),
    ].join(' ')
  return rows
    .flatMap((row, i) => {
      const theirs = line(`  ${row.peer}`, row.theirs, row.peerMs)
      if (row.case === rows[i - 1]?.case) return [theirs]
      const head = [row.case.padEnd(24), ' EPE px', '   angle', '  > 1 px', '      once'].join(' ')
      return [head, line('  ours (opencv-cpu)', row.ours, row.oursMs), theirs]
    })
    .join('\n')
}

/** The interpreter with the peers: made by the bench's set-up, or named by the caller. */
function peerPython(): string {
  return process.env.VISION_NATIVE_BENCH_PYTHON ?? fileURLToPath(new URL('.venv/bin/python', import.meta.url))
}

async function main(json: boolean): Promise<void> {
  const rows = await tvl1Accuracy(peerPython())
  console.log(tableOf(rows))
  // The command reads frames as float32: its figure is the one of that case.
  const epe = rows.find((row) => row.case.includes('float32'))?.ours.epe
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length }
  if (json) console.log(JSON.stringify({ name: 'tvl1-accuracy', machine, epe, rows }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.includes('--json'))
