// `npm run soak -- --minutes 10`: mixed work for so long, and whether memory stays flat. With `--plant leak`, a leak is
// made on purpose, which must be found: the command then ends with status 1, as for any other leak.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { machine } from '../bench/support/result'
import { writeFileAtomic } from '../lib/native/atomic-file'
import { lineChart, stack } from '../lib/plot'
import { manualSeed, memory } from '../lib/tensor'
import { ROOT } from './run'
import { judge, type Sample } from './soak/samples'
import { allWork, leak, type Work } from './soak/work'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    plant: { type: 'string' },
  },
})
const minutes = Number(values.minutes)
if (!(minutes > 0) || (values.plant !== undefined && values.plant !== 'leak')) {
  console.error('Usage: npm run soak -- [--minutes 10] [--seed 1] [--plant leak]')
  process.exit(2)
}

/** Kinds of work under way at a time. */
const LANES = 3
const DELAY_RESOLUTION_MS = 2
const RESULTS = join(ROOT, 'bench/results/soak.json')
const PICTURE = join(ROOT, 'docs/pictures/soak.svg')

setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')
const folder = mkdtempSync(join(tmpdir(), 'vision-native-soak-'))
manualSeed(Number(values.seed))

const work = await allWork(folder)
const done = new Map<string, number>(work.map(({ name }) => [name, 0]))
// Each kind once: what it makes on first use is no leak.
for (const one of work) await one.run(() => 0)
const tensorsBefore = await tensorsAtRest()

const samples: Sample[] = []
const busy = new Set<Work>()
const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
const started = performance.now()
const ended = () => performance.now() - started >= minutes * 60_000
delay.enable()
await Promise.all([watch(), ...Array.from({ length: LANES }, (_, index) => lane(Number(values.seed) * LANES + index))])
delay.disable()
const verdict = judge(samples, (await tensorsAtRest()) - tensorsBefore)
rmSync(folder, { recursive: true })

const { warmUpS, mbPerMinute, boundMbPerMinute, tensorsLeft, largestDelayMs, flat } = verdict
console.log(`\n${[...done].map(([name, count]) => `${name} ${count}`).join(', ')}`)
console.log(
  `resident memory after ${warmUpS.toFixed(0)} s: ${mbPerMinute.toFixed(2)} MB a minute, at most ${boundMbPerMinute.toFixed(1)} allowed; tensors left: ${tensorsLeft}`,
)
console.log(`largest delay of the event loop: ${largestDelayMs.toFixed(1)} ms`)
console.log(flat ? 'flat' : 'NOT FLAT: something is not freed')
if (values.plant === undefined) await record()
process.exitCode = flat ? 0 : 1

/** Does one piece of work after the other until the time is over; none that another lane does. */
async function lane(seed: number): Promise<void> {
  const random = seeded(seed)
  while (!ended()) {
    const idle = work.filter((one) => !busy.has(one))
    const one = idle[Math.floor(random() * idle.length)] as Work
    busy.add(one)
    try {
      await one.run(random)
    } finally {
      busy.delete(one)
    }
    done.set(one.name, (done.get(one.name) ?? 0) + 1)
    if (values.plant === 'leak' && one.name === 'errors') leak()
    // Work that never waits would keep timers from firing, which no application does.
    await setImmediate()
  }
}

async function watch(): Promise<void> {
  while (!ended()) {
    await setTimeout(1000)
    // Before the collection, whose time is the measurement's own.
    const delayMs = Math.max(0, delay.max / 1e6 - DELAY_RESOLUTION_MS)
    gc()
    samples.push(sampleNow(delayMs))
    await setImmediate()
    delay.reset()
    const { s, rssMB, tensors } = samples.at(-1) as Sample
    if (samples.length % 30 === 0) console.log(`${s.toFixed(0)} s: ${rssMB.toFixed(0)} MB, ${tensors} tensors`)
  }
}

function sampleNow(delayMs: number): Sample {
  const { rss, heapUsed } = process.memoryUsage()
  const { tensors, allocatedCpuBytes } = memory.stats()
  const round = (value: number) => Math.round(value * 100) / 100
  return {
    s: round((performance.now() - started) / 1000),
    rssMB: round(rss / 1e6),
    heapMB: round(heapUsed / 1e6),
    tensors,
    tensorMB: round(allocatedCpuBytes / 1e6),
    delayMs: round(delayMs),
  }
}

/** Tensors alive when nothing runs and the garbage collector has found what it will find. */
async function tensorsAtRest(): Promise<number> {
  for (let round = 0; round < 5; round++) {
    gc()
    await setTimeout(20)
  }
  return memory.stats().tensors
}

/** Numbers in 0–1 from a seed. */
function seeded(seed: number): () => number {
  let state = BigInt(seed) * 2n + 1n
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn
    return Number(state >> 11n) / 2 ** 53
  }
}

async function record(): Promise<void> {
  const result = {
    name: 'soak',
    machine: machine(),
    minutes,
    lanes: LANES,
    done: Object.fromEntries(done),
    verdict,
    samples,
  }
  await writeFileAtomic(RESULTS, Buffer.from(`${JSON.stringify(result)}\n`), 'soak')
  mkdirSync(join(PICTURE, '..'), { recursive: true })
  const minutesOf = (name: string, read: (sample: Sample) => number) => ({
    name,
    points: samples.map((sample) => [sample.s / 60, read(sample)] as const),
  })
  const frame = { x: 'minutes', width: 640, height: 180, markers: false }
  const charts = [
    lineChart({
      ...frame,
      y: 'MB',
      series: [
        minutesOf('resident', ({ rssMB }) => rssMB),
        minutesOf('JavaScript heap', ({ heapMB }) => heapMB),
        minutesOf('tensors', ({ tensorMB }) => tensorMB),
      ],
    }),
    lineChart({ ...frame, y: 'tensors alive', series: [minutesOf('tensors', ({ tensors }) => tensors)] }),
    lineChart({ ...frame, y: 'largest delay, ms', series: [minutesOf('event loop', ({ delayMs }) => delayMs)] }),
  ]
  await stack(charts, { title: `${minutes} minutes of mixed work` }).toFile(PICTURE)
  console.log(`written: ${relative(ROOT, RESULTS)}, ${relative(ROOT, PICTURE)}`)
}
