import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runChild } from '../support/child'

const SCRIPT = `
import { createHash } from 'node:crypto'
import { manualSeed, tensor } from 'lib'
import { BatchNorm1d, Dropout, Linear, ReLU, Sequential } from 'lib/nn'
import { Adam, CosineAnnealingLR } from 'lib/optim'
import { DataLoader, TensorDataset } from 'lib/data'
import { Trainer } from 'lib/train'

manualSeed(5)
const model = new Sequential(new Linear(2, 16), new BatchNorm1d(16), new ReLU(), new Dropout({ p: 0.3 }), new Linear(16, 1))
const optimizer = new Adam(model.parameters(), { lr: 0.02 })
const values = Array.from({ length: 92 }, (_, i) => Math.sin(i * 12.9898) * 2)
const x = tensor(values, { shape: [46, 2] })
const loader = new DataLoader(new TensorDataset(x, x.sum({ dim: [1], keepdim: true })), { batchSize: 4, shuffle: true, seed: 9 })
const trainer = new Trainer({
  model,
  optimizer,
  loss: ([x, y]) => model.forward(x).sub(y).square().mean(),
  schedule: { scheduler: new CosineAnnealingLR(optimizer, { tMax: 60 }), every: 'step' },
  folder: process.env.FOLDER,
  checkpointEverySteps: 7,
  logEvery: 1,
  progress: false,
  curves: false,
  onRecord: ({ step }) => { if (step === Number(process.env.KILL_AT)) process.kill(process.pid, 'SIGKILL') },
})
const { steps } = await trainer.fit(loader, { epochs: 5, resume: true })
const hash = createHash('sha256')
for (const t of model.stateDict().values()) hash.update(new Uint8Array(t.dataSync().buffer))
console.log(steps, hash.digest('hex'))`

test('a training that was killed ends, resumed, with the same weights bit for bit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vision-native-kill-'))
  try {
    const run = (name: string, killAt: number) =>
      runChild(SCRIPT, { env: { FOLDER: join(folder, name), KILL_AT: String(killAt), OMP_NUM_THREADS: '1' } })
    const straight = await run('straight', -1)
    expect(straight.stderr).toBe('')
    expect(straight.stdout).toMatch(/^60 [0-9a-f]{64}\n$/)
    // Any step may be the one; the message of a failure names it.
    const killAt = 2 + Math.floor(Math.random() * 57)
    const killed = await run('killed', killAt)
    expect([killed.signal, killed.stdout]).toEqual(['SIGKILL', ''])
    const resumed = await run('killed', -1)
    expect(resumed.stdout, `killed at step ${killAt}`).toBe(straight.stdout)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
