import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadPth, readNpy, readNpz, readSafetensors, type Source } from '../../lib/io'
import { VisionNativeError } from '../../lib/native/errors'
import { tidyAsync } from '../../lib/tensor'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Small files by Python, and their readers. */
const FILES: [string, (source: Source) => Promise<unknown>][] = [
  ['../fixtures/pth/values-zip.pth', loadPth],
  ['../fixtures/pth/shared-zip.pth', loadPth],
  ['../fixtures/pth/shared-legacy.pth', loadPth],
  ['../fixtures/pth/values-legacy.pth', loadPth],
  ['../fixtures/pth/numpy.pth', loadPth],
  ['../fixtures/pth/deflated.pth', loadPth],
  ['../fixtures/npy/compressed.npz', readNpz],
  ['../fixtures/npy/version-1.npy', readNpy],
  ['fixtures/safetensors/all-types.safetensors', readSafetensors],
]

/** Changes that damage and attacks make: bytes replaced, removed, doubled. */
const change = fc.record({
  place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bytes: fc.uint8Array({ minLength: 0, maxLength: 8 }),
  removed: fc.integer({ min: 0, max: 8 }),
})

test.each(FILES)('%s with bytes changed is read or refused, and nothing else happens', async (path, read) => {
  const whole = readFileSync(at(path))
  const damage = (
    bytes: Buffer,
    { place, bytes: put, removed }: { place: number; bytes: Uint8Array; removed: number },
  ) => {
    const begin = Math.floor(place * bytes.byteLength)
    return Buffer.concat([bytes.subarray(0, begin), put, bytes.subarray(begin + removed)])
  }
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const bytes = changes.reduce(damage, whole)
      await tidyAsync(async () => {
        const failure = await read(bytes).then(
          () => undefined,
          (error: unknown) => error,
        )
        if (failure !== undefined) expect(VisionNativeError.is(failure), String(failure)).toBe(true)
      })
    }),
    { numRuns: 150, seed: 20_260_101 },
  )
})

test.each(FILES)('%s with every byte of its structure changed alone', async (path, read) => {
  const whole = readFileSync(at(path))
  for (let i = 0; i < whole.byteLength; i += Math.ceil(whole.byteLength / 600)) {
    const bytes = Buffer.from(whole)
    bytes[i] = (bytes[i] as number) ^ 0xff
    await tidyAsync(async () => {
      const failure = await read(bytes).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (failure !== undefined) expect(VisionNativeError.is(failure), `byte ${i}: ${String(failure)}`).toBe(true)
    })
  }
})
