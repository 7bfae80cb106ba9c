import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  type Checkpoint,
  latestCheckpoint,
  loadCheckpoint,
  loadPth,
  type PthValue,
  pruneCheckpoints,
  saveCheckpoint,
  savePth,
} from '../../lib/io'
import { Linear } from '../../lib/nn'
import { AdamW, CosineAnnealingLR, GradScaler } from '../../lib/optim'
import { full, memory, ones, type Tensor, tidyAsync } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { pthFixture } from '../support/pth-written'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()

function training() {
  const model = new Linear(3, 2)
  const optimizer = new AdamW(model.parameters(), { lr: 0.1 })
  const scheduler = new CosineAnnealingLR(optimizer, { tMax: 10 })
  const scaler = new GradScaler({ device: 'cpu' })
  const step = (value: number) => {
    for (const p of model.parameters()) p.grad = full(p.shape, value)
    optimizer.step()
    scheduler.step()
  }
  const state = (): Checkpoint => ({
    model: model.stateDict(),
    optimizer: optimizer.stateDict(),
    scheduler: scheduler.stateDict(),
    scaler: scaler.stateDict(),
  })
  const weights = () => model.parameters().map((p) => p.toArray())
  return { model, optimizer, scheduler, scaler, step, state, weights }
}

describe('saveCheckpoint and loadCheckpoint', () => {
  test('let a training go on to the same numbers', async () => {
    const first = training()
    first.step(0.5)
    first.step(-0.25)
    const loader = { epoch: 1, order: ones([3]) }
    const position = { epoch: 1, step: 2, seed: 2n ** 60n, metrics: { loss: 0.5 }, loader, trainer: { best: null } }
    await saveCheckpoint(inFolder('last.pth'), { ...first.state(), ...position })
    first.step(0.125)

    const second = training()
    const checkpoint = await loadCheckpoint(inFolder('last.pth'))
    second.model.loadStateDict(checkpoint.model as ReadonlyMap<string, Tensor>)
    second.optimizer.loadStateDict(checkpoint.optimizer as NonNullable<Checkpoint['optimizer']>)
    second.scheduler.loadStateDict(checkpoint.scheduler as NonNullable<Checkpoint['scheduler']>)
    second.scaler.loadStateDict(checkpoint.scaler as NonNullable<Checkpoint['scaler']>)
    second.step(0.125)
    expect(second.weights()).toEqual(first.weights())
    expect(second.optimizer.paramGroups[0]?.lr).toBe(first.optimizer.paramGroups[0]?.lr)
    const { epoch, step, seed, metrics, trainer } = checkpoint
    expect({ epoch, step, seed, metrics, trainer }).toEqual({ ...position, loader: undefined })
    expect((checkpoint.loader as { order: Tensor }).order.toArray()).toEqual([1, 1, 1])
  })

  test('hold the state of the call, whatever the training does next', async () => {
    const { step, state, weights } = training()
    step(1)
    const before = weights()
    const saved = saveCheckpoint(inFolder('snapshot.pth'), state())
    step(1)
    await saved
    const { model } = await loadCheckpoint(inFolder('snapshot.pth'))
    expect([...(model as ReadonlyMap<string, Tensor>).values()].map((t) => t.toArray())).toEqual(before)
  })

  test('read what Python saved under the same names', async () => {
    const { state_dict: model } = (await loadPth(pthFixture('network-zip.pth'))) as Record<string, PthValue>
    const parts: [string, PthValue][] = [
      ['model', model as PthValue],
      ['epoch', 3],
      ['note', 'x'],
    ]
    await savePth(inFolder('python.pth'), new Map(parts))
    const checkpoint = await loadCheckpoint(inFolder('python.pth'))
    expect([checkpoint.epoch, (checkpoint as { note?: string }).note]).toEqual([3, 'x'])
    expect([...(checkpoint.model as ReadonlyMap<string, Tensor>).keys()]).toContain('norm.running_var')
  })

  test.each<[string, unknown, RegExp]>([
    ['an epoch that is no count', { epoch: 1.5 }, /epoch: .*int/],
    ['a negative step', { step: -1 }, /step: /],
    ['a model that is a tensor', { model: ones([1]) }, /model: expected a dict/],
    ['metrics that are text', { metrics: { loss: 'low' } }, /metrics\.loss: /],
    ['a list', [1], /the value: /],
  ])('refuse %s', async (_, value, message) => {
    await expect(saveCheckpoint(inFolder('bad.pth'), value as Checkpoint)).rejects.toMatchObject({
      kind: 'Argument',
      message: expect.stringMatching(message),
    })
    await savePth(inFolder('bad.pth'), value as never)
    const before = await liveTensors()
    await expect(loadCheckpoint(inFolder('bad.pth'))).rejects.toMatchObject({
      kind: 'Format',
      message: expect.stringMatching(message),
    })
    expect(memory.stats().tensors).toBeLessThanOrEqual(before)
  })

  test('refuse a model that holds no tensors, and an optimiser without groups', async () => {
    await savePth(inFolder('bad.pth'), { model: { a: 1 } })
    await expect(loadCheckpoint(inFolder('bad.pth'))).rejects.toThrow(/'a' is 1, not a Tensor/)
    await savePth(inFolder('bad.pth'), { optimizer: { state: {} } })
    await expect(loadCheckpoint(inFolder('bad.pth'))).rejects.toThrow(/no state dict of an optimiser/)
  })

  test('leave the tensors to the scope of the caller', async () => {
    await saveCheckpoint(inFolder('scope.pth'), { model: { a: ones([2]) } })
    const before = await liveTensors()
    await tidyAsync(async () => {
      await loadCheckpoint(inFolder('scope.pth'))
    })
    expect(memory.stats().tensors).toBeLessThanOrEqual(before)
  })
})

describe('an old checkpoint survives', () => {
  const module = (name: string) => JSON.stringify(fileURLToPath(new URL(`../../lib/${name}`, import.meta.url)))
  const script = (path: string, loop: string) => `
    import { saveCheckpoint } from ${module('io/index.ts')}
    import { full } from ${module('tensor/index.ts')}
    const save = (value) => saveCheckpoint(${JSON.stringify(path)}, { model: { w: full([1_000_000], value) }, step: value })
    ${loop}`
  const node = ['--import', 'tsx', '--input-type=module', '-e']

  test('a writer that is killed', async () => {
    const path = inFolder('killed.pth')
    const child = spawn(process.execPath, [
      ...node,
      script(path, `for (let i = 0; ; i++) { await save(i); console.log(i) }`),
    ])
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const { model, step } = await loadCheckpoint(path)
    const weights = (model as ReadonlyMap<string, Tensor>).get('w') as Tensor
    expect([weights.min().item(), weights.max().item()]).toEqual([step, step])
  })

  test('a disk that is full', async () => {
    mkdirSync(inFolder('full'))
    const path = inFolder('full', 'last.pth')
    await saveCheckpoint(path, { step: 7 })
    const before = readFileSync(path)
    // A limit on the size of files stands in for the full disk; the kernel reports it the same way, as a failed write.
    const body = script(
      path,
      `process.on('SIGXFSZ', () => {}); await save(1).catch((error) => console.log(error.code))`,
    )
    const limited = ['-c', 'ulimit -f 1000; exec "$0" "$@"', process.execPath, ...node, body]
    expect(execFileSync('bash', limited, { encoding: 'utf8' })).toBe('ERR_VISION_NATIVE_ARGUMENT\n')
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(readdirSync(inFolder('full'))).toEqual(['last.pth'])
  })
})

describe('a folder of checkpoints', () => {
  test('has a latest one by number, and is pruned from the first', async () => {
    mkdirSync(inFolder('run'))
    expect(await latestCheckpoint(inFolder('run'))).toBeUndefined()
    expect(await latestCheckpoint(inFolder('absent'))).toBeUndefined()
    const names = [
      'step-9.pth',
      'step-10.pth',
      'step-200.pth',
      'step-30.pt',
      'best.pth',
      '.step-900.pth.x.tmp',
      'log-999.json',
    ]
    for (const name of names) writeFileSync(inFolder('run', name), '')
    expect(await latestCheckpoint(inFolder('run'))).toBe(inFolder('run', 'step-200.pth'))
    expect(await pruneCheckpoints(inFolder('run'), 2)).toEqual(
      ['step-9.pth', 'step-10.pth'].map((n) => inFolder('run', n)),
    )
    expect(readdirSync(inFolder('run')).sort()).toEqual(
      ['.step-900.pth.x.tmp', 'best.pth', 'log-999.json', 'step-200.pth', 'step-30.pt'].sort(),
    )
    await expect(pruneCheckpoints(inFolder('run'), 0)).rejects.toMatchObject({ kind: 'Argument' })
    writeFileSync(inFolder('plain'), '')
    await expect(latestCheckpoint(inFolder('plain'))).rejects.toMatchObject({ kind: 'Argument' })
  })
})
