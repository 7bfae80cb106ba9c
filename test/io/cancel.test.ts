// Reading of large files stops when its signal aborts: before it begins, and between any two parts.
import { writeFileSync } from 'node:fs'
import sharp from 'sharp'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { usableImages } from '../../lib/datasets'
import {
  loadCheckpoint,
  loadPth,
  readNpz,
  readSafetensors,
  readShardedSafetensors,
  resampleAudio,
  saveCheckpoint,
  savePth,
  writeNpz,
  writeSafetensors,
} from '../../lib/io'
import { dispose, memory, rand, tidyAsync } from '../../lib/tensor'
import { CheckedSignal } from '../support/count-checks'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()

const CALLS: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
  loadPth: (signal) => loadPth(folder('a.pth'), { signal }),
  loadCheckpoint: (signal) => loadCheckpoint(folder('c.pth'), { signal }),
  readSafetensors: (signal) => readSafetensors(folder('a.safetensors'), { signal }),
  readShardedSafetensors: (signal) => readShardedSafetensors(folder('index.json'), { signal }),
  readNpz: (signal) => readNpz(folder('a.npz'), { signal }),
  resampleAudio: (signal) => tidyAsync(async () => resampleAudio(rand([200_000]), { from: 16_000, to: 8_000, signal })),
  usableImages: (signal) => usableImages([folder('a.png'), folder('a.png')], { what: 'pictures', signal }),
}

beforeAll(async () => {
  await tidyAsync(async () => {
    const tensors = { a: rand([10_000]), b: rand([10_000]) }
    await savePth(folder('a.pth'), tensors)
    await saveCheckpoint(folder('c.pth'), { model: tensors })
    await writeSafetensors(folder('a.safetensors'), tensors)
    await writeNpz(folder('a.npz'), tensors)
  })
  const weight_map = { a: 'a.safetensors', b: 'a.safetensors' }
  writeFileSync(folder('index.json'), JSON.stringify({ weight_map }))
  await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } }).toFile(folder('a.png'))
})

const before = memory.stats().tensors
afterEach(() => expect(memory.stats().tensors).toBe(before))

test.each(Object.entries(CALLS))('%s', async (_, call) => {
  const unstopped = new CheckedSignal()
  const result = await call(unstopped.signal)
  expect(unstopped.checks).toBeGreaterThan(1)
  for (let check = 1; check <= unstopped.checks; check++) {
    const { signal } = new CheckedSignal(check)
    const error = await call(signal).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'Cancelled', cause: { message: `aborted at check ${check}` } })
  }
  dispose(result)
})
