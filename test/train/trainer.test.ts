import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { DataLoader, TensorDataset } from '../../lib/data'
import { BatchNorm1d, Dropout, Linear, type Module, ReLU, Sequential } from '../../lib/nn'
import { Adam, ExponentialMovingAverage, ReduceLROnPlateau, SGD, StepLR } from '../../lib/optim'
import { manualSeed, memory, noGrad, type Tensor, tensor, zeros } from '../../lib/tensor'
import { type BatchSource, readRecords, Trainer, type TrainerOptions } from '../../lib/train'
import { liveTensors } from '../support/live-tensors'

type Batch = readonly [x: Tensor, y: Tensor]

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vision-native-train-'))
  folders.push(folder)
  return folder
}

/** Batches of y = 2a − b + 0.5, made anew in each epoch; the order is the epoch's. */
class Line implements BatchSource<Batch> {
  epoch = 0
  constructor(
    readonly length: number,
    readonly size = 4,
    readonly lastSize = size,
  ) {}

  setEpoch(epoch: number): void {
    this.epoch = epoch
  }

  *[Symbol.iterator](): Generator<Batch> {
    for (let i = 0; i < this.length; i++) {
      const rows = i === this.length - 1 ? this.lastSize : this.size
      const values = Array.from({ length: rows * 2 }, (_, k) => Math.sin(1 + k + 10 * i + 1000 * this.epoch))
      const x = tensor(values, { shape: [rows, 2] })
      const y = tensor(
        Array.from({ length: rows }, (_, r) => 2 * (values[2 * r] as number) - (values[2 * r + 1] as number) + 0.5),
        { shape: [rows, 1] },
      )
      yield [x, y]
    }
  }
}

const meanSquare = (a: Tensor, b: Tensor) => a.sub(b).square().mean()

function network(): Sequential {
  manualSeed(7)
  return new Sequential(
    new Linear(2, 8),
    new BatchNorm1d(8),
    new ReLU(),
    new Dropout({ p: 0.2 }),
    new Linear(8, 1),
  ) as Sequential
}

function weights(model: Module): number[] {
  return [...model.stateDict().values()].flatMap((t) => t.flatten().toArray() as number[])
}

const quiet = { progress: false, curves: false } as const

/** A metric that gives what it is told, and counts what it sees. */
class Told {
  seen = 0
  #values: number[]
  constructor(values: readonly number[]) {
    this.#values = [...values]
  }
  reset(): void {
    this.seen = 0
  }
  compute(): number {
    return this.#values.shift() ?? Number.NaN
  }
}

describe('a training', () => {
  test('finds the line that the data lies on', async () => {
    manualSeed(1)
    const model = new Linear(2, 1)
    const optimizer = new SGD(model.parameters(), { lr: 0.2, momentum: 0.5 })
    const trainer = new Trainer<Batch>({
      model,
      optimizer,
      loss: ([x, y]) => meanSquare(model.forward(x), y),
      ...quiet,
    })
    const { reason, epochs, steps, eagerReason } = await trainer.fit(new Line(10), { epochs: 20 })
    expect({ reason, epochs, steps, eagerReason }).toEqual({
      reason: 'epochs',
      epochs: 20,
      steps: 200,
      eagerReason: undefined,
    })
    const [weight, bias] = model.parameters() as unknown as [Tensor, Tensor]
    for (const [i, value] of [2, -1].entries()) expect(weight.at(0, i).toNumber()).toBeCloseTo(value, 4)
    expect(bias.toNumber()).toBeCloseTo(0.5, 4)
  })

  test('of one step by hand: loss, gradient norm and rate are in the record', async () => {
    const model = new Linear(1, 1, { bias: false })
    noGrad(() => model.weight.fill_(3))
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    // loss = (3·2 − 2)² = 16, d/dw = 2 · 4 · 2 = 16, clipped to 1; w = 3 − 0.1
    const records: unknown[] = []
    const trainer = new Trainer({
      model,
      optimizer,
      loss: (x: Tensor) => ({ loss: model.forward(x).sub(2).square().mean(), double: model.weight.sum().mul(2) }),
      clipNorm: 1,
      logEvery: 1,
      onRecord: (record) => records.push(record),
      ...quiet,
    })
    await trainer.fit([tensor([[2]])], { steps: 1 })
    expect(records[0]).toEqual({
      kind: 'step',
      step: 1,
      epoch: 0,
      loss: 16,
      learningRate: 0.1,
      gradNorm: 16,
      values: { double: 6 },
    })
    expect(model.weight.toNumber()).toBeCloseTo(2.9, 6)
  })

  test('leaves no tensors behind', async () => {
    const before = await liveTensors()
    const model = network()
    const own = model.stateDict().size
    const optimizer = new Adam(model.parameters())
    const ema = new ExponentialMovingAverage(model)
    await new Trainer<Batch>({
      model,
      optimizer,
      ema,
      loss: ([x, y]) => meanSquare(model.forward(x), y),
      validation: { data: new Line(3), predict: ([x]) => model.forward(x), update: () => {}, metrics: {} },
      schedule: new StepLR(optimizer, { stepSize: 1 }),
      clipNorm: 1,
      ...quiet,
    }).fit(new Line(5, 4, 3), { epochs: 2 })
    for (const p of model.parameters()) p.grad = null
    ema.dispose()
    optimizer.dispose()
    expect(memory.stats().tensors - before).toBe(own)
    model.dispose()
  })
})

/** Everything at once: what `fit` ends with. */
async function everything(options: Partial<TrainerOptions<Batch>> = {}) {
  const model = network()
  const optimizer = new Adam(model.parameters(), { lr: 0.05 })
  const ema = new ExponentialMovingAverage(model, { decay: 0.9 })
  const trainer = new Trainer<Batch>({
    model,
    optimizer,
    ema,
    loss: ([x, y]) => meanSquare(model.forward(x), y),
    schedule: { scheduler: new StepLR(optimizer, { stepSize: 3, gamma: 0.5 }), every: 'step' },
    clipNorm: 1,
    seed: 3,
    ...quiet,
    ...options,
  })
  const result = await trainer.fit(new Line(7, 4, 3), { epochs: 4 })
  const averages = [...ema.averages().values()].flatMap((t) => t.flatten().toArray() as number[])
  return { weights: weights(model), averages, losses: result.records.map(({ loss }) => loss), result }
}

describe('captured steps', () => {
  test.each([
    { name: 'float32', options: {} },
    { name: 'accumulated gradients', options: { accumulate: 3 } },
    { name: 'bfloat16', options: { precision: 'bfloat16' } },
    { name: 'float16 with a scaled loss', options: { precision: 'float16' } },
  ] as const)('equal eager ones, bit for bit: $name', async ({ options }) => {
    const [captured, eager] = [await everything(options), await everything({ ...options, capture: false })]
    expect(captured.result.eagerReason).toBeUndefined()
    expect(eager.result.eagerReason).toBe('capture is off')
    expect(captured.weights).toEqual(eager.weights)
    expect(captured.averages).toEqual(eager.averages)
    expect(captured.losses).toEqual(eager.losses)
    expect(captured.weights.every(Number.isFinite)).toBe(true)
  })

  test('are given up, with the reason, where the loss function reads data; nothing is done twice', async () => {
    const run = async (capturing: boolean) => {
      const model = network()
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
      const loss = ([x, y]: Batch) => {
        const value = meanSquare(model.forward(x), y)
        return value.toNumber() > 1e9 ? value.mul(2) : value
      }
      const trainer = new Trainer<Batch>({ model, optimizer, loss, capture: capturing, ...quiet })
      const { eagerReason } = await trainer.fit(new Line(5), { epochs: 1 })
      return { weights: weights(model), eagerReason }
    }
    const [captured, eager] = [await run(true), await run(false)]
    expect(captured.eagerReason).toMatch(/was read while a function is captured/)
    expect(captured.weights).toEqual(eager.weights)
  })

  test('are given up when every batch is of another kind', async () => {
    const model = new Linear(1, 1)
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const batches = Array.from({ length: 20 }, (_, i) => ({ x: tensor([[i / 20]]), name: `image-${i}.png` }))
    const trainer = new Trainer({
      model,
      optimizer,
      loss: ({ x }: (typeof batches)[number]) => model.forward(x).square().mean(),
      ...quiet,
    })
    const { eagerReason, steps } = await trainer.fit(batches, { epochs: 1 })
    expect(steps).toBe(20)
    expect(eagerReason).toMatch(/16 graphs were captured.*leave names and other plain values out/)
  })
})

describe('gradients summed over batches', () => {
  test('are those of one large batch, the smaller last group too', async () => {
    const run = async (batches: readonly Tensor[], accumulate: number) => {
      const model = new Linear(1, 1, { bias: false })
      noGrad(() => model.weight.fill_(1))
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 })
      const trainer = new Trainer({
        model,
        optimizer,
        loss: (x: Tensor) => model.forward(x).square().mean(),
        accumulate,
        ...quiet,
      })
      const { steps } = await trainer.fit(batches, { epochs: 2 })
      return { weight: model.weight.toNumber(), steps }
    }
    const rows = [[1], [2], [3], [-1], [0.5], [1.5]]
    const small = await run(
      rows.map((row) => tensor([row])),
      4,
    )
    const large = await run([tensor(rows.slice(0, 4)), tensor(rows.slice(4))], 1)
    expect(small.steps).toBe(4)
    expect(small.weight).toBeCloseTo(large.weight, 6)
  })
})

describe('validation', () => {
  test('sees the model in evaluation mode with averaged weights, and gives it back', async () => {
    const model = new Sequential(new Linear(2, 1), new Dropout({ p: 0.5 }))
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const ema = new ExponentialMovingAverage(model, { decay: 1 })
    const modes: boolean[] = []
    const metric = new Told([0.5, 0.6])
    const first = noGrad(() =>
      model
        .at(0)
        .forward(tensor([[1, 1]]))
        .toNumber(),
    )
    const outputs: number[] = []
    const trainer = new Trainer<Batch, Tensor>({
      model,
      optimizer,
      ema,
      loss: ([x, y]) => meanSquare(model.forward(x), y),
      validation: {
        data: [[tensor([[1, 1]]), zeros([1, 1])] as const],
        predict: ([x]) => {
          modes.push(model.training)
          return model.forward(x)
        },
        update: (output) => {
          outputs.push(output.toNumber())
          metric.seen += 1
        },
        metrics: { told: metric },
      },
      ...quiet,
    })
    const { validation } = await trainer.fit(new Line(4), { epochs: 2 })
    // The first update takes the weights over, and a decay of 1 then keeps them.
    const averaged = [...ema.averages().values()]
    const expected = (averaged[0] as Tensor).sum().toNumber() + (averaged[1] as Tensor).toNumber()
    expect(outputs.map((o) => o.toFixed(5))).toEqual([expected.toFixed(5), expected.toFixed(5)])
    expect(first).not.toBeCloseTo(expected, 6)
    expect(modes).toEqual([false])
    expect([validation, metric.seen, model.training]).toEqual([{ told: 0.6 }, 1, true])
  })

  const watching = (values: readonly number[], options: Partial<TrainerOptions<Batch>>) => {
    const model = new Linear(2, 1)
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    return {
      model,
      optimizer,
      options: {
        model,
        optimizer,
        loss: ([x, y]: Batch) => meanSquare(model.forward(x), y),
        validation: {
          data: new Line(1),
          predict: ([x]: Batch) => model.forward(x),
          update: () => {},
          metrics: { score: new Told(values) },
        },
        ...quiet,
        ...options,
      } satisfies TrainerOptions<Batch>,
    }
  }

  test('ends the training after `patience` values that are no better', async () => {
    const { options } = watching([0.1, 0.3, 0.2, 0.305, 0.3, 0.9], {
      earlyStopping: { metric: 'score', mode: 'max', patience: 2, minDelta: 0.01 },
    })
    const result = await new Trainer(options).fit(new Line(2), { epochs: 10 })
    expect([result.reason, result.epochs]).toEqual(['early stopping', 5])
  })

  test('keeps the weights of the best value', async () => {
    const folder = newFolder()
    const { options, model } = watching([3, 1, 2], { folder, best: { metric: 'score', mode: 'min' } })
    const seen: number[][] = []
    const result = await new Trainer({
      ...options,
      onRecord: ({ kind }) => kind === 'epoch' && seen.push(weights(model)),
    }).fit(new Line(2), { epochs: 3 })
    expect(result.best).toBe(1)
    const { loadCheckpoint } = await import('../../lib/io')
    const best = await loadCheckpoint(join(folder, 'checkpoints/best.pth'))
    const other = new Linear(2, 1)
    other.loadStateDict(best.model as Map<string, Tensor>)
    expect(weights(other)).toEqual(seen[1])
    expect([best.epoch, best.metrics]).toEqual([2, { score: 1 }])
  })

  test('drives ReduceLROnPlateau', async () => {
    const { options, optimizer } = watching([1, 1, 1, 1], {})
    const scheduler = new ReduceLROnPlateau(optimizer, { patience: 1, factor: 0.1 })
    const rates: number[] = []
    await new Trainer({
      ...options,
      schedule: { scheduler, every: 'epoch', metric: 'score' },
      onRecord: (record) => record.kind === 'epoch' && rates.push(record.learningRate),
    }).fit(new Line(2), { epochs: 4 })
    // Values 2 and 3 are no better than the first; the second of them passes the patience of 1.
    expect(rates).toEqual([0.1, 0.1, 0.1, 0.010000000000000002])
  })

  test('may be less frequent, and follows the last epoch in any case', async () => {
    const { options } = watching([1, 2, 3, 4, 5], {})
    const result = await new Trainer({
      ...options,
      validation: { ...options.validation, everyEpochs: 2 },
    }).fit(new Line(2), { epochs: 5 })
    const epochs = result.records
      .filter(({ kind }) => kind === 'epoch')
      .map((record) => 'validation' in record && record.validation)
    expect(epochs).toEqual([undefined, { score: 1 }, undefined, { score: 2 }, { score: 3 }])
  })
})

describe('a run folder', () => {
  const start = (folder: string, options: Partial<TrainerOptions<Batch>> = {}) => {
    const model = network()
    const optimizer = new Adam(model.parameters(), { lr: 0.05 })
    const ema = new ExponentialMovingAverage(model, { decay: 0.9 })
    const trainer = new Trainer<Batch>({
      model,
      optimizer,
      ema,
      loss: ([x, y]) => meanSquare(model.forward(x), y),
      schedule: { scheduler: new StepLR(optimizer, { stepSize: 3, gamma: 0.5 }), every: 'step' },
      clipNorm: 1,
      logEvery: 2,
      folder,
      checkpointEverySteps: 3,
      ...quiet,
      ...options,
    })
    return { model, trainer, ema }
  }
  const untimed = (path: string) =>
    readRecords(join(path, 'log.jsonl')).map((record) => ({ ...record, seconds: 0, samplesPerSecond: 0, waitShare: 0 }))

  test.each([
    { name: 'one batch a step', options: {} },
    { name: 'accumulated gradients', options: { accumulate: 2 } },
    { name: 'float16', options: { precision: 'float16' } },
  ] as const)('resumes to the same weights and log, bit for bit: $name', async ({ options }) => {
    const [whole, cut] = [newFolder(), newFolder()]
    const straight = start(whole, options)
    await straight.trainer.fit(new Line(7, 4, 3), { epochs: 4 })

    // Stopped in the third epoch, four steps after its last checkpoint was due.
    const abort = new AbortController()
    const first = start(cut, { ...options, onRecord: ({ step }) => step === 10 && abort.abort() })
    await expect(first.trainer.fit(new Line(7, 4, 3), { epochs: 4, signal: abort.signal })).rejects.toThrow(
      /after step 1\d.*resume: true/,
    )
    const second = start(cut, options)
    const result = await second.trainer.fit(new Line(7, 4, 3), { epochs: 4, resume: true })

    expect(weights(second.model)).toEqual(weights(straight.model))
    expect([...second.ema.averages().values()].map((t) => t.toArray())).toEqual(
      [...straight.ema.averages().values()].map((t) => t.toArray()),
    )
    expect(untimed(cut)).toEqual(untimed(whole))
    expect(result.records.length).toBe(untimed(whole).length)
  })

  test('stopped between two batches of a step, it ends the step first: no gradient is lost', async () => {
    const straight = start(newFolder(), { accumulate: 2 })
    await straight.trainer.fit(new Line(6), { epochs: 2 })

    const abort = new AbortController()
    class Stopping extends Line {
      override *[Symbol.iterator](): Generator<Batch> {
        let count = 0
        for (const batch of super[Symbol.iterator]()) {
          if (++count === 3) abort.abort()
          yield batch
        }
      }
    }
    const folder = newFolder()
    const cut = start(folder, { accumulate: 2 }).trainer.fit(new Stopping(6), { epochs: 2, signal: abort.signal })
    await expect(cut).rejects.toThrow(/after step 2; resume: true/)
    const resumed = start(folder, { accumulate: 2 })
    await resumed.trainer.fit(new Line(6), { epochs: 2, resume: true })
    expect(weights(resumed.model)).toEqual(weights(straight.model))
  })

  test('that was left at the last batch of an epoch goes on with the next epoch', async () => {
    const data = () => {
      const x = tensor(
        Array.from({ length: 24 }, (_, i) => Math.sin(i)),
        { shape: [12, 2] },
      )
      const y = x.sum({ dim: [1], keepdim: true })
      return new DataLoader(new TensorDataset(x, y), { batchSize: 4, shuffle: true, seed: 2 })
    }
    const straight = start(newFolder())
    await straight.trainer.fit(data(), { epochs: 3 })

    const [folder, abort] = [newFolder(), new AbortController()]
    const options = { logEvery: 3, onRecord: ({ step }: { step: number }) => step === 3 && abort.abort() }
    await expect(start(folder, options).trainer.fit(data(), { epochs: 3, signal: abort.signal })).rejects.toThrow(
      /after step 3; resume: true/,
    )
    const resumed = start(folder)
    await resumed.trainer.fit(data(), { epochs: 3, resume: true })
    expect(weights(resumed.model)).toEqual(weights(straight.model))
  })

  test('of another run is not overwritten', async () => {
    const folder = newFolder()
    await start(folder).trainer.fit(new Line(3), { steps: 3 })
    const log = readFileSync(join(folder, 'log.jsonl'), 'utf8')
    await expect(start(folder).trainer.fit(new Line(3), { steps: 3 })).rejects.toThrow(/holds a run.*resume: true/)
    expect(readFileSync(join(folder, 'log.jsonl'), 'utf8')).toBe(log)
  })

  test('of another network is refused with every name, and nothing is changed', async () => {
    const folder = newFolder()
    await start(folder).trainer.fit(new Line(3), { steps: 3 })
    const model = new Linear(2, 1)
    const before = weights(model)
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    const trainer = new Trainer<Batch>({
      model,
      optimizer,
      loss: ([x, y]) => meanSquare(model.forward(x), y),
      folder,
      ...quiet,
    })
    await expect(trainer.fit(new Line(3), { steps: 6, resume: true })).rejects.toThrow(
      /2 missing:\n {2}weight\n {2}bias[\s\S]*unexpected/,
    )
    expect(weights(model)).toEqual(before)
  })

  test('holds the curves', async () => {
    const folder = newFolder()
    await start(folder, { curves: true }).trainer.fit(new Line(7), { epochs: 3 })
    expect(readFileSync(join(folder, 'curves.svg'), 'utf8')).toMatch(/<svg[\s\S]*loss/)
    expect(readFileSync(join(folder, 'curves.png')).subarray(1, 4).toString()).toBe('PNG')
  })

  test('goes on after its end when more is asked for', async () => {
    const folder = newFolder()
    await start(folder).trainer.fit(new Line(3), { epochs: 1 })
    const { trainer, model } = start(folder)
    const result = await trainer.fit(new Line(3), { epochs: 2, resume: true })
    expect([result.epochs, result.steps]).toEqual([2, 6])
    const straight = start(newFolder())
    await straight.trainer.fit(new Line(3), { epochs: 2 })
    expect(weights(model)).toEqual(weights(straight.model))
  })
})

describe('what goes wrong', () => {
  const parts = () => {
    const model = new Linear(2, 1)
    return { model, optimizer: new SGD(model.parameters(), { lr: 0.1 }), ...quiet }
  }

  test('a loss that is NaN names step, epoch and batch, and the checkpoint before it stays', async () => {
    const folder = newFolder()
    const { model, ...rest } = parts()
    let calls = 0
    const trainer = new Trainer<Batch>({
      ...rest,
      model,
      loss: ([x, y]) => meanSquare(model.forward(x), ++calls > 7 ? y.div(0) : y),
      capture: false,
      folder,
      checkpointEverySteps: 5,
    })
    const error = await trainer.fit(new Line(5), { epochs: 3 }).catch((e) => e)
    expect(error.code).toBe('ERR_VISION_NATIVE_DIVERGENCE')
    expect(error.message).toMatch(/the loss is (NaN|Infinity) in step 8 \(epoch 2, batch 3\)/)
    const { loadCheckpoint } = await import('../../lib/io')
    expect((await loadCheckpoint(join(folder, 'checkpoints/last.pth'))).step).toBe(5)
  })

  test.each([
    [{ accumulate: 0 }, /accumulate is 0; it must be a whole number of at least 1/],
    [{ clipNorm: -1 }, /clipNorm is -1/],
    [{ precision: 'int8' }, /precision is 'int8'/],
    [{ tensorboard: true }, /tensorboard writes files; state the folder/],
    [{ best: { metric: 'x', mode: 'max' }, folder: 'f' }, /best watches 'x'.*there are none/],
    [{ loss: 3 }, /loss is 3; it must be a function/],
  ])('%o is refused', (options, message) => {
    expect(() => new Trainer({ ...parts(), loss: () => zeros([]), ...options } as never)).toThrow(message)
  })

  test('a loss that is no single number', async () => {
    const { model, ...rest } = parts()
    const trainer = new Trainer<Batch>({ model, ...rest, loss: ([x]) => model.forward(x) })
    await expect(trainer.fit(new Line(2), { epochs: 1 })).rejects.toThrow(
      /gave .* as 'loss'; it must be a tensor of one element/,
    )
  })

  test('no batches, no limits, two trainings at once', async () => {
    const { model, ...rest } = parts()
    const trainer = new Trainer<Batch>({ model, ...rest, loss: ([x, y]) => meanSquare(model.forward(x), y) })
    await expect(trainer.fit([], { epochs: 1 })).rejects.toThrow(/the data has no batches/)
    await expect(trainer.fit(3 as never, { epochs: 1 })).rejects.toThrow(/data is 3; it must be a DataLoader/)
    await expect(trainer.fit(new Line(2))).rejects.toThrow(/state epochs, steps, or both/)
    const running = trainer.fit(new Line(2), { epochs: 1 })
    await expect(trainer.fit(new Line(2), { epochs: 1 })).rejects.toThrow(/is training already/)
    await running
  })

  test('an error of the data ends the training as it is', async () => {
    const { model, ...rest } = parts()
    async function* failing(): AsyncGenerator<Batch> {
      yield* new Line(1)
      throw new Error('disk gone')
    }
    const trainer = new Trainer<Batch>({ model, ...rest, loss: ([x, y]) => meanSquare(model.forward(x), y) })
    await expect(trainer.fit(failing(), { epochs: 1 })).rejects.toThrow('disk gone')
  })
})
