// The program of a worker of DataLoader: loads the batches that it is asked for, and hands over their tensors.
import { parentPort, workerData } from 'node:worker_threads'
import { ConfigError } from '../native/errors'
import { call } from '../tensor/call'
import { OWNER } from '../tensor/handle'
import type { Tensor } from '../tensor/tensor'
import { sendTensors, type TensorMessage, useOneThread } from '../tensor/transfer'
import { defaultCollate } from './collate'
import { type Dataset, type IterableDataset, isIterableDataset } from './dataset'
import { type Collate, type Loaded, loadSamples, StreamReader, toPlainError } from './fetch'
import { mapTensors } from './map-tensors'
import { makeFromRecipe } from './worker-dataset'
import type { WorkerAnswer, WorkerRequest, WorkerStart } from './worker-protocol'

const { recipe, id, workers, seed, collates, pinMemory, channel, begun } = workerData as WorkerStart
const lastBegun = new Float64Array(begun)
const port = parentPort
if (!port) throw new ConfigError('lib/data/worker runs in a worker thread of DataLoader')

const answer = (message: WorkerAnswer) => port.postMessage(message)
const begin = (index: number) => {
  lastBegun[0] = index
}

/** One request after another: a batch is ready soonest when it has the thread to itself. */
let queue = Promise.resolve()
let stream: { readonly run: number; readonly reader: StreamReader; batch: number } | undefined

async function start(): Promise<void> {
  useOneThread()
  const made = await makeFromRecipe(recipe, { id, workers, seed })
  const collate: Collate = collates ? ((made.collate as Collate | undefined) ?? defaultCollate) : null
  const { dataset } = made
  port?.on('message', (request: WorkerRequest) => {
    queue = queue.then(() => handle(request, dataset, collate))
  })
  answer({ type: 'ready', length: isIterableDataset(dataset) ? undefined : dataset.length })
}

async function handle(
  request: WorkerRequest,
  dataset: Dataset<unknown> | IterableDataset<unknown>,
  collate: Collate,
): Promise<void> {
  const { run } = request
  const batch = request.type === 'stream' ? 0 : request.batch
  try {
    const loaded = await load(request, dataset, collate)
    if (loaded === 'begun') return
    if (loaded === undefined) return answer({ type: 'end', run, batch })
    answer({ type: 'batch', run, batch, message: send(loaded) })
  } catch (error) {
    answer({ type: 'error', run, batch, error: toPlainError(error) })
  }
}

async function load(
  request: WorkerRequest,
  dataset: Dataset<unknown> | IterableDataset<unknown>,
  collate: Collate,
): Promise<Loaded | undefined | 'begun'> {
  if (request.type === 'samples') {
    const { indices, batch } = request
    return loadSamples(dataset as Dataset<unknown>, indices, request, collate, { batch, worker: id }, begin)
  }
  if (request.type === 'stream') {
    await stream?.reader.close()
    stream = { run: request.run, reader: open(dataset as IterableDataset<unknown>, request), batch: 0 }
    return 'begun'
  }
  return nextOfStream(request.batch, collate, isShared(dataset as IterableDataset<unknown>))
}

const isShared = (dataset: IterableDataset<unknown>) => dataset.shard === undefined

function open(
  dataset: IterableDataset<unknown>,
  { seed, epoch, batchSize, dropLast }: Extract<WorkerRequest, { type: 'stream' }>,
): StreamReader {
  const part = dataset.shard?.(id, workers) ?? dataset
  part.setEpoch?.(epoch)
  const iterator = part[Symbol.asyncIterator]()
  return new StreamReader(iterator, { seed, epoch }, batchSize, dropLast, isShared(dataset) ? 0 : id)
}

/** Where all workers walk the same stream, the batches of the others are passed over. */
async function nextOfStream(batch: number, collate: Collate, shared: boolean): Promise<Loaded | undefined> {
  if (!stream) throw new ConfigError('DataLoader: a batch was asked for before its stream was begun')
  const place = { batch, worker: id }
  for (; shared && stream.batch < batch; stream.batch++) if (!(await stream.reader.skip(place))) return undefined
  stream.batch += 1
  return stream.reader.read(collate, place, begin)
}

function send({ value, scope }: Loaded): TensorMessage {
  try {
    // What the data set keeps for itself is sent as a copy.
    const own = mapTensors(value, (tensor) => {
      if (pinMemory) return call('aten::pin_memory', [tensor]) as Tensor
      return tensor[OWNER] === scope ? tensor : tensor.clone()
    })
    return sendTensors(own, { channel })
  } finally {
    scope.close(undefined)
  }
}

start().catch((error: unknown) => answer({ type: 'unable', error: toPlainError(error) }))
