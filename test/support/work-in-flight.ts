// A program, and a worker's, with work of every kind under way, that ends in the middle of it as it is told. Run by
// test/native/exits.test.ts with
//
//   ENDING   one of ENDINGS
//   WORK     kinds of work, all unless stated
//   DELAY_MS how long all of it has been under way by then
//   SEED, ROUNDS   of the ending `rounds`: workers that end at any moment in any way
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import {
  callAsync,
  capture,
  memory,
  ones,
  randn,
  type Tensor,
  tensor,
  tensorsOnTheirWay,
  tidy,
  tidyAsync,
} from '../../lib'
import { DataLoader, type Dataset, workerDataset } from '../../lib/data'
import { encodeImage, readImage, readVideo } from '../../lib/io'
import { Linear } from '../../lib/nn'
import { SGD } from '../../lib/optim'
import { Random } from '../abuse/random'
import type { NumberSample } from './data/numbers'

/** Goes on while `alive()`; says `begun()` each time something was done. */
type Work = (alive: () => boolean, begun: () => void) => Promise<void>

const fixture = (path: string) => fileURLToPath(new URL(`../../test/${path}`, import.meta.url))

const WORK = {
  // First: a hook cannot be registered while asynchronous calls run.
  hooks: async (alive, begun) => {
    const x = tensor([1, 2, 3], { requiresGrad: true })
    x.registerHook((gradient) => gradient.mul(2))
    while (alive()) {
      tidy(() => x.mul(x).sum().backward())
      begun()
      await turn()
    }
  },
  calls: async (alive, begun) => {
    while (alive()) {
      tidy(
        () =>
          void randn([40, 40])
            .matmul(ones([40, 40]))
            .relu()
            .sum()
            .item(),
      )
      begun()
      await turn()
    }
  },
  async: async (alive, begun) => {
    const a = ones([300, 300])
    while (alive()) {
      await tidyAsync(async () => void (await Promise.all([1, 2, 3, 4].map(() => callAsync('aten::matmul', [a, a])))))
      begun()
    }
  },
  graph: async (alive, begun) => {
    const a = ones([200, 200])
    const run = capture((x: Tensor) => x.matmul(x).relu().sum())
    while (alive()) {
      await tidyAsync(async () => void (await Promise.all([run(a), run(a)])))
      begun()
    }
  },
  training: async (alive, begun) => {
    const model = new Linear(64, 64)
    const optimizer = new SGD(model.parameters(), { lr: 1e-6, momentum: 0.9 })
    optimizer.initialize()
    const step = capture((x: Tensor) => {
      const loss = model.forward(x).square().mean()
      model.zeroGrad()
      loss.backward()
      optimizer.step()
      return loss.detach()
    })
    const x = ones([32, 64])
    while (alive()) {
      await tidyAsync(async () => void (await step(x)))
      begun()
    }
  },
  scopes: async (alive, begun) => {
    const one = (i: number) =>
      tidyAsync(async () => {
        const mine = ones([8]).mul(i)
        await turn()
        const sum = tidy(() => mine.add(1).sum().item())
        await callAsync('aten::neg', [mine])
        if (sum !== 8 * (i + 1)) throw new Error(`scope ${i} has the numbers of another: ${sum}`)
      })
    while (alive()) {
      await Promise.all(Array.from({ length: 20 }, (_, i) => one(i)))
      begun()
    }
  },
  files: async (alive, begun) => {
    const png = await tidyAsync(async () => encodeImage(ones([3, 64, 64]), 'png'))
    while (alive()) {
      await tidyAsync(async () => {
        const images = await Promise.all([readImage(png), readImage(png)])
        await Promise.all(images.map((image) => image.data()))
      })
      begun()
    }
  },
  video: async (alive, begun) => {
    while (alive()) {
      for await (using chunk of readVideo(fixture('fixtures/video/b-frames.mp4'), { threads: 2, chunkFrames: 2 })) {
        chunk.frames.numel
        begun()
        if (!alive()) break
      }
    }
  },
  loader: async (alive, begun) => {
    // Beside the bundle of this program.
    const module = new URL('./numbers.mjs', import.meta.url)
    const dataset = await workerDataset<Dataset<NumberSample>>(module, { length: 200 })
    while (alive()) {
      for await (const _ of new DataLoader<NumberSample, unknown>(dataset, { batchSize: 1, workers: 1 })) {
        begun()
        if (!alive()) break
      }
    }
  },
} satisfies Readonly<Record<string, Work>>

type WorkName = keyof typeof WORK
const named = (names: string | undefined): WorkName[] =>
  (Object.keys(WORK) as WorkName[]).filter((name) => !names || names.split(',').includes(name))

/** Starts work; resolves once all of it has been under way for two rounds. `done` resolves when it has come to its end. */
async function start(names: readonly WorkName[], alive: () => boolean): Promise<{ readonly done: Promise<unknown> }> {
  const running: Promise<void>[] = []
  await Promise.all(
    names.map(
      (name) =>
        new Promise<void>((resolve, reject) => {
          let rounds = 0
          const work = WORK[name](alive, () => ++rounds === 2 && resolve())
          work.then(resolve, reject)
          running.push(work)
        }),
    ),
  )
  return { done: Promise.all(running) }
}

const fails = (what: string) => {
  throw new Error(what)
}

/** How a process, or a worker, may end. `stop` lets all work come to its end. */
const ENDINGS: Readonly<Record<string, (stop: () => void) => unknown>> = {
  return: (stop) => stop(),
  'exit code': (stop) => {
    process.exitCode = 5
    stop()
  },
  exit: () => process.exit(7),
  'exit in a promise': () => Promise.resolve().then(() => process.exit(8)),
  throw: () => setImmediate(() => fails('of the application')),
  rejection: () => void Promise.reject(new Error('of the application')),
  SIGINT: () => process.kill(process.pid, 'SIGINT'),
  SIGTERM: () => process.kill(process.pid, 'SIGTERM'),
  'SIGTERM, answered by exit': () => {
    process.on('SIGTERM', () => process.exit(9))
    process.kill(process.pid, 'SIGTERM')
  },
  'SIGINT, answered by an orderly end': (stop) => {
    process.once('SIGINT', stop)
    process.kill(process.pid, 'SIGINT')
  },
}

const worker = (data: object) =>
  new Worker(new URL(import.meta.url), { workerData: data, execArgv: process.execArgv, env: process.env })
const message = (thread: Worker) =>
  new Promise((resolve, reject) => void thread.once('message', resolve).once('error', reject))
const exit = (thread: Worker) => new Promise<number>((resolve) => void thread.once('exit', resolve))

/** Endings that have to do with workers; they print what they saw. */
const WITH_WORKERS: Readonly<Record<string, (names: readonly WorkName[], delayMs: number) => Promise<void>>> = {
  /** The process exits while workers are busy. */
  'exit over workers': async (names, delayMs) => {
    await Promise.all([1, 2].map(() => message(worker({ names }))))
    await wait(delayMs)
    process.exit(11)
  },
  'throw over workers': async (names, delayMs) => {
    await Promise.all([1, 2].map(() => message(worker({ names }))))
    await wait(delayMs)
    setImmediate(() => fails('of the application'))
  },
  'SIGTERM over workers': async (names, delayMs) => {
    await Promise.all([1, 2].map(() => message(worker({ names }))))
    await wait(delayMs)
    process.kill(process.pid, 'SIGTERM')
  },
  /** Workers end in every way, again and again; the process goes on with what it does, and nothing stays of them. */
  rounds: async (names) => {
    const random = new Random(Number(process.env.SEED ?? 1))
    ones([1]).dispose()
    const before = memory.stats()
    const ends: Record<string, number> = {}
    const lane = async (rounds: number) => {
      for (let i = 0; i < rounds; i++) {
        const some = names.filter(() => random.chance(0.5))
        const ending = random.pick(['terminate', 'exit', 'throw', 'rejection', 'return'])
        const thread = worker({ names: some, ending, delayMs: random.int(0, 15) })
        const ended = exit(thread)
        const failed = new Promise<string>((resolve) => void thread.once('error', (error) => resolve(error.message)))
        if (ending === 'terminate') {
          await message(thread)
          await wait(random.int(0, 15))
          await thread.terminate()
        }
        const code = await ended
        const expected = { terminate: 1, exit: 7, throw: 1, rejection: 1, return: 0 }[ending]
        if (code !== expected) fails(`a worker with ${some} ended by ${ending} with code ${code}`)
        if (/throw|rejection/.test(ending) && (await failed) !== 'of the application') fails(await failed)
        ends[ending] = (ends[ending] ?? 0) + 1
      }
    }
    let busy = true
    const { done } = await start(['calls', 'async', 'scopes'], () => busy)
    await Promise.all([1, 2, 3].map(() => lane(Number(process.env.ROUNDS ?? 3))))
    busy = false
    await done
    const after = memory.stats()
    const more = after.allocatedCpuBytes - before.allocatedCpuBytes
    console.log(
      JSON.stringify({
        ended: Object.values(ends).reduce((a, b) => a + b, 0),
        onTheirWay: tensorsOnTheirWay(),
        leftOver: more > 2 ** 22,
      }),
    )
    // Those of this thread's own work outlive it.
    process.exit(0)
  },
}

async function main(): Promise<void> {
  const { ENDING = 'return', DELAY_MS = '0' } = process.env
  const names = named(process.env.WORK)
  const withWorkers = WITH_WORKERS[ENDING]
  if (withWorkers !== undefined) return withWorkers(names, Number(DELAY_MS))
  let stopped = false
  const { done } = await start(names, () => !stopped)
  await wait(Number(DELAY_MS))
  ENDINGS[ENDING]?.(() => {
    stopped = true
  })
  await done
  console.log('done')
}

interface WorkerTask {
  readonly names: readonly WorkName[]
  /** None: the worker works until it is ended. */
  readonly ending?: string
  readonly delayMs?: number
}

async function inWorker({ names, ending, delayMs = 0 }: WorkerTask): Promise<void> {
  let stopped = false
  const { done } = await start(names, () => !stopped)
  parentPort?.postMessage('begun')
  await wait(ending === 'terminate' ? 60_000 : delayMs)
  if (ending !== undefined)
    ENDINGS[ending]?.(() => {
      stopped = true
    })
  await done
}

await (isMainThread ? main() : inWorker(workerData))
