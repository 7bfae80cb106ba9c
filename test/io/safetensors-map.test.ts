import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readSafetensors, readShardedSafetensors, writeSafetensors } from '../../lib/io'
import { arange, memory, ones, type Tensor, tensor, tidyAsync } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()
const ALL_TYPES = fileURLToPath(new URL('fixtures/safetensors/all-types.safetensors', import.meta.url))

/** A float32 `w` whose data begin at a multiple of 4 plus `off`. */
function shifted(off: number): Buffer {
  const header = JSON.stringify({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } })
  const text = Buffer.from(header.padEnd(header.length + ((4 - (header.length % 4)) % 4) + off))
  const start = Buffer.alloc(8)
  start.writeBigUInt64LE(BigInt(text.byteLength))
  return Buffer.concat([start, text, Buffer.from(Float32Array.of(1.5, -2).buffer)])
}

describe('readSafetensors with mmap', () => {
  test('gives what reading gives, and says nothing of copies where none are', async () => {
    const copied: string[] = []
    const mapped = await readSafetensors(ALL_TYPES, { mmap: true, onCopied: (names) => copied.push(...names) })
    for (const [name, read] of await readSafetensors(ALL_TYPES)) {
      const made = mapped.get(name) as Tensor
      expect([made.dtype, made.shape, made.isContiguous, String(made.dataSync())], name).toEqual([
        read.dtype,
        read.shape,
        true,
        String(read.dataSync()),
      ])
    }
    expect(copied).toEqual([])
  })

  test('takes no memory for the data, and leaves the file as it is when a tensor is written to', async () => {
    const path = inFolder('private.safetensors')
    await writeSafetensors(path, { w: arange(1_000_000) })
    const [before, allocated] = [readFileSync(path), memory.stats().allocatedCpuBytes]
    const { w } = Object.fromEntries(await readSafetensors(path, { mmap: true }))
    expect(memory.stats().allocatedCpuBytes - allocated).toBeLessThan(1_000_000)
    w?.fill_(7)
    expect(w?.at(999_999).item()).toBe(7)
    expect(readFileSync(path).equals(before)).toBe(true)
    const { w: again } = Object.fromEntries(await readSafetensors(path, { mmap: true }))
    expect(again?.at(999_999).item()).toBe(999_999)
  })

  test('keeps its content when the file is replaced', async () => {
    const path = inFolder('replaced.safetensors')
    await writeSafetensors(path, { w: ones([2]) })
    const { w } = Object.fromEntries(await readSafetensors(path, { mmap: true }))
    await writeSafetensors(path, { w: tensor([5, 5]) })
    expect(w?.toArray()).toEqual([1, 1])
  })

  test.each([1, 2, 3])('copies and names what is misaligned by %i bytes', async (off) => {
    const path = inFolder(`off-${off}.safetensors`)
    writeFileSync(path, shifted(off))
    const copied: (readonly string[])[] = []
    const { w } = Object.fromEntries(
      await readSafetensors(path, { mmap: true, onCopied: (names) => copied.push(names) }),
    )
    expect([w?.toArray(), copied]).toEqual([[1.5, -2], [['w']]])
  })

  test('reads the names that are asked for, moves them to a device, and frees them with the scope', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      const tensors = await readSafetensors(ALL_TYPES, { mmap: true, names: ['int8'], device: 'cpu' })
      expect(tensors.get('int8')?.toArray()).toEqual([-128, 127])
    })
    expect(memory.stats().tensors).toBeLessThanOrEqual(before)
  })

  test('refuses a buffer, and a bool that is none', async () => {
    await expect(readSafetensors(readFileSync(ALL_TYPES), { mmap: true })).rejects.toMatchObject({
      kind: 'Argument',
      message: expect.stringMatching(/cannot be mapped, as it is no file/),
    })
    const header = Buffer.from(JSON.stringify({ b: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }))
    const start = Buffer.alloc(8)
    start.writeBigUInt64LE(BigInt(header.byteLength))
    writeFileSync(inFolder('bool.safetensors'), Buffer.concat([start, header, Buffer.of(2)]))
    await expect(readSafetensors(inFolder('bool.safetensors'), { mmap: true })).rejects.toMatchObject({
      kind: 'Format',
    })
  })
})

describe('readShardedSafetensors', () => {
  test('reads tensors from the files that an index names', async () => {
    copyFileSync(ALL_TYPES, inFolder('a.safetensors'))
    await writeSafetensors(inFolder('b.safetensors'), { w: tensor([1, 2]), unused: ones([1]) })
    const index = { metadata: { total_size: 1 }, weight_map: { w: 'b.safetensors', int8: 'a.safetensors' } }
    writeFileSync(inFolder('model.index.json'), JSON.stringify(index))
    const tensors = await readShardedSafetensors(inFolder('model.index.json'))
    expect([...tensors].map(([name, t]) => [name, t.toArray()])).toEqual([
      ['w', [1, 2]],
      ['int8', [-128, 127]],
    ])
    expect([...(await readShardedSafetensors(inFolder('model.index.json'), { names: ['int8'] })).keys()]).toEqual([
      'int8',
    ])
    await expect(readShardedSafetensors(inFolder('model.index.json'), { names: ['q'] })).rejects.toMatchObject({
      kind: 'Argument',
    })
  })

  test.each([
    ['a path that leaves the folder', '{"weight_map":{"w":"../secret.safetensors"}}', /weight_map/],
    ['an absolute path', '{"weight_map":{"w":"/etc/x.safetensors"}}', /weight_map/],
    ['no map', '{}', /weight_map/],
    ['no JSON', '{', /is no JSON/],
  ])('refuses an index with %s', async (_, text, message) => {
    writeFileSync(inFolder('bad.index.json'), text)
    await expect(readShardedSafetensors(inFolder('bad.index.json'))).rejects.toMatchObject({
      kind: 'Format',
      message: expect.stringMatching(message),
    })
  })
})
