// One of several processes that train a small network; what it ends with goes to a file of its rank.
import { writeFileSync } from 'node:fs'
import { DataLoader, DistributedSampler } from '../../lib/data'
import { destroyProcessGroup, getRank, initProcessGroup, isLaunched } from '../../lib/distributed'
import { Mean, R2Score } from '../../lib/metrics'
import { BatchNorm1d, Linear, ReLU, Sequential, synchronizeBatchNorm } from '../../lib/nn'
import { mseLoss } from '../../lib/nn/functional'
import { SGD } from '../../lib/optim'
import { manualSeed, randn, stack, type Tensor, tidy } from '../../lib/tensor'
import { Trainer, type TrainingRecord } from '../../lib/train'

interface Job {
  readonly output: string
  /** Samples of a step, over all processes. */
  readonly batch: number
  readonly epochs: number
  readonly capture?: boolean
  readonly accumulate?: number
  readonly folder?: string
  readonly resume?: boolean
  /** This rank kills itself before this batch, the first time it gets there. */
  readonly kill?: { readonly rank: number; readonly batch: number }
  /** With a batch norm over all processes, and a validation of which each process runs a part. */
  readonly norm?: boolean
}

const job = JSON.parse(process.argv[2] ?? '{}') as Job
const group = isLaunched() ? await initProcessGroup({ timeoutMs: 60_000 }) : undefined
const { rank, worldSize } = group ?? { rank: 0, worldSize: 1 }

manualSeed(7)
const [inputs, weights] = [randn([48, 6]), randn([6, 2])]
const targets = tidy(() => inputs.matmul(weights).tanh())
// Other weights in each process: those of rank 0 are what counts.
manualSeed(100 + getRank())
const model = new Sequential(
  new Linear(6, 16),
  ...(job.norm ? [new BatchNorm1d(16)] : []),
  new ReLU(),
  new Linear(16, 2),
)
if (group && job.norm) synchronizeBatchNorm(model)
const dataset = {
  length: 48,
  get: async (index: number) => tidy(() => ({ x: inputs.at(index).clone(), y: targets.at(index).clone() })),
}
let batches = 0
const loader = new DataLoader(dataset, {
  batchSize: job.batch / worldSize,
  sampler: new DistributedSampler(dataset, { numReplicas: worldSize, rank, shuffle: true, seed: 3 }),
  prefetchFactor: 0,
  collate: (samples: readonly { x: Tensor; y: Tensor }[]) => {
    const first = process.env.TORCHELASTIC_RESTART_COUNT === '0'
    if (first && job.kill?.rank === rank && batches++ === job.kill.batch) process.kill(process.pid, 'SIGKILL')
    return tidy(() => ({ x: stack(samples.map(({ x }) => x)), y: stack(samples.map(({ y }) => y)) }))
  },
})
// Of 13 samples: the processes' parts are of different lengths.
const judged = { length: 13, get: dataset.get }
const metrics = { error: new Mean(), r2: new R2Score() }
const validation = {
  data: new DataLoader(judged, {
    batchSize: 4,
    sampler: new DistributedSampler(judged, { numReplicas: worldSize, rank, shuffle: false, pad: false }),
    prefetchFactor: 0,
  }),
  predict: ({ x }: { x: Tensor }) => model.forward(x),
  update: (output: Tensor, { y }: { y: Tensor }) => {
    metrics.error.update(output.sub(y).square())
    metrics.r2.update(output.select(1, 0), y.select(1, 0))
  },
  metrics,
  sharded: true,
}
const records: TrainingRecord[] = []
const trainer = new Trainer({
  model,
  optimizer: new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 }),
  loss: ({ x, y }: { x: Tensor; y: Tensor }) => {
    const predicted = model.forward(x)
    return { loss: mseLoss(predicted, y), bias: predicted.mean() }
  },
  group,
  validation: job.norm ? validation : undefined,
  capture: job.capture ?? true,
  accumulate: job.accumulate,
  folder: job.folder,
  checkpointEverySteps: job.folder === undefined ? undefined : 2,
  progress: false,
  logEvery: 1,
  onRecord: (record) => records.push(record),
})
const { records: all, eagerReason } = await trainer.fit(loader, { epochs: job.epochs, resume: job.resume ?? false })
const parameters = Object.fromEntries([...model.stateDict()].map(([name, t]) => [name, t.toArray()]))
writeFileSync(
  `${job.output}-${rank}.json`,
  JSON.stringify({ parameters, records: all, told: records.length, eagerReason }),
)
await destroyProcessGroup()
