import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readSafetensors, readSafetensorsMetadata, writeSafetensors } from '../../lib/io'
import { arange, memory, ones, type Tensor, tensor, tidyAsync, zeros } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()
/** Made by tools/reference/safetensors_files.py. */
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/safetensors/${name}`, import.meta.url))

interface Content {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly values: readonly string[]
}
const ALL_TYPES: Record<string, Content> = JSON.parse(readFileSync(fixture('all-types.json'), 'utf8'))

/** A number as Python prints it. */
function fromPython(text: string, dtype: string): number | bigint {
  if (dtype === 'int64') return BigInt(text)
  if (text === 'True' || text === 'False') return text === 'True' ? 1 : 0
  return Number(text.replace('inf', 'Infinity'))
}

/** A file of this header and data; `length` forges the length field. */
function file(header: unknown, data = 0, length?: number | bigint): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const start = Buffer.alloc(8)
  start.writeBigUInt64LE(BigInt(length ?? text.byteLength))
  return Buffer.concat([start, text, Buffer.alloc(data)])
}

const f32 = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: 'F32', shape, data_offsets: [begin, end] })

describe('readSafetensors', () => {
  test('gives every tensor of a Python file, bit for bit', async () => {
    const tensors = await readSafetensors(fixture('all-types.safetensors'))
    expect([...tensors.keys()].sort()).toEqual(Object.keys(ALL_TYPES).sort())
    for (const [name, { dtype, shape, values }] of Object.entries(ALL_TYPES)) {
      const made = tensors.get(name) as Tensor
      expect([made.dtype, made.shape], name).toEqual([dtype, shape])
      const expected = values.map((text) => fromPython(text, dtype))
      expect(Array.from(made.dataSync() as ArrayLike<number | bigint>), name).toEqual(
        dtype === 'float32' || dtype === 'complex64' ? Array.from(Float32Array.from(expected as number[])) : expected,
      )
    }
  })

  test('reads a buffer at any address as it reads a file', async () => {
    const bytes = Buffer.concat([Buffer.alloc(3), readFileSync(fixture('all-types.safetensors'))]).subarray(3)
    const [fromFile, fromBuffer] = [
      await readSafetensors(fixture('all-types.safetensors')),
      await readSafetensors(bytes),
    ]
    expect([...fromBuffer.keys()]).toEqual([...fromFile.keys()])
    for (const [name, made] of fromFile) {
      expect(String(fromBuffer.get(name)?.dataSync()), name).toBe(String(made.dataSync()))
    }
  })

  test('reads the tensors that are asked for, in that order', async () => {
    const tensors = await readSafetensors(fixture('all-types.safetensors'), { names: ['int8', 'scalar'] })
    expect([...tensors.keys()]).toEqual(['int8', 'scalar'])
    expect(tensors.get('int8')?.toArray()).toEqual([-128, 127])
    expect(tensors.get('scalar')?.item()).toBe(3.5)
    await expect(readSafetensors(fixture('all-types.safetensors'), { names: ['w', 'int8'] })).rejects.toMatchObject({
      kind: 'Argument',
      message: expect.stringContaining("has no tensor 'w'"),
    })
  })

  test('passes over a type it lacks when that is not asked for', async () => {
    await expect(readSafetensors(fixture('float8.safetensors'))).rejects.toMatchObject({
      kind: 'DType',
      message: expect.stringContaining("tensor 'f8' is F8_E4M3"),
    })
    const { w } = Object.fromEntries(await readSafetensors(fixture('float8.safetensors'), { names: ['w'] }))
    expect(w?.toArray()).toEqual([1, 1])
  })

  test('gives a file without tensors as an empty map', async () => {
    expect((await readSafetensors(fixture('nothing.safetensors'))).size).toBe(0)
  })

  test('frees what it made when a later tensor is refused', async () => {
    const bad = file({ a: f32([2], 0, 8), b: { dtype: 'BOOL', shape: [1], data_offsets: [8, 9] } }, 9)
    bad[bad.length - 1] = 2
    const before = await liveTensors()
    await expect(readSafetensors(bad)).rejects.toMatchObject({ kind: 'Format' })
    expect(memory.stats().tensors).toBe(before)
  })

  test('leaves the tensors to the scope of its caller', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      await readSafetensors(fixture('all-types.safetensors'))
    })
    expect(memory.stats().tensors).toBe(before)
  })
})

describe('a hostile file is refused by its rule', () => {
  const cases: [rule: string, bytes: Buffer, message: RegExp][] = [
    ['empty', Buffer.alloc(0), /0 bytes, its length field alone has 8/],
    ['shorter than its length field', Buffer.alloc(7), /7 bytes/],
    ['header longer than the file', file('{}', 0, 3), /truncated: it states a header of 3 bytes and has 10/],
    ['header above the limit', file('{}', 0, 100_000_001), /100000000 are the most/],
    ['header of 2^63 bytes', file('{}', 0, 2n ** 63n), /9223372036854775808 bytes/],
    ['no header', file(''), /does not begin with '\{'/],
    ['white space first', file(' {}'), /does not begin with '\{'/],
    ['byte order mark first', file('\ufeff{}'), /does not begin with '\{'/],
    ['no JSON', file('{"a":'), /no JSON/],
    ['a list', file('[]'), /does not begin/],
    ['two values', file('{}{}'), /no JSON/],
    ['not UTF-8', Buffer.concat([file('{"', 0, 5), Buffer.from([0xff, 0x22, 0x7d])]), /not UTF-8/],
    [
      'a name twice',
      file(`{"a":${JSON.stringify(f32([1], 0, 4))},"a":${JSON.stringify(f32([1], 0, 4))}}`, 4),
      /"a" twice/,
    ],
    ['a name twice by an escape', file('{"a":{"dtype":"U8"},"\\u0061" : 1}'), /"a" twice/],
    ['a field twice', file('{"a":{"dtype":"U8","dtype":"F32","shape":[4],"data_offsets":[0,4]}}', 4), /"dtype" twice/],
    ['an entry that is no object', file({ a: null }), /tensor "a": its entry is not an object/],
    ['an entry that is a list', file({ a: [1] }), /tensor "a": its entry is not an object/],
    ['no dtype', file({ a: { shape: [1], data_offsets: [0, 4] } }, 4), /dtype undefined is not known/],
    ['an unknown dtype', file({ a: { ...f32([1], 0, 4), dtype: 'F33' } }, 4), /dtype "F33" is not known/],
    ['a dtype of the prototype', file({ a: { ...f32([1], 0, 4), dtype: 'constructor' } }, 4), /is not known/],
    ['no shape', file({ a: f32(undefined, 0, 4) }, 4), /shape undefined/],
    ['a negative size', file({ a: f32([-1], 0, 4) }, 4), /shape \[-1\]/],
    ['a fractional size', file({ a: f32([0.5], 0, 2) }, 2), /shape \[0.5\]/],
    ['a size as text', file({ a: f32(['1'], 0, 4) }, 4), /shape \["1"\]/],
    ['a size beyond 2^53', file({ a: f32([2 ** 60], 0, 4) }, 4), /not a list of whole numbers/],
    ['a product beyond 2^64', file({ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /data_offsets give it 4/],
    ['a product that wraps to 0', file({ a: f32([2 ** 32, 2 ** 32], 0, 0) }), /data_offsets give it 0/],
    ['a shape of 65 dimensions', file({ a: f32(new Array(65).fill(1), 0, 4) }, 4), /65 dimensions/],
    ['no offsets', file({ a: { dtype: 'F32', shape: [1] } }, 4), /data_offsets undefined/],
    ['three offsets', file({ a: { ...f32([1], 0, 4), data_offsets: [0, 4, 8] } }, 4), /data_offsets \[0,4,8\]/],
    ['a negative offset', file({ a: f32([1], -4, 0) }, 4), /data_offsets \[-4,0\]/],
    ['offsets that go back', file({ a: f32([1], 4, 0) }, 4), /end before they begin/],
    ['offsets past the end', file({ a: f32([2], 0, 8) }, 4), /pass the end of the data, which has 4 bytes/],
    ['a shape that needs more', file({ a: f32([2], 0, 4) }, 4), /takes 8 bytes, data_offsets give it 4/],
    ['a shape that needs less', file({ a: f32([], 0, 8) }, 8), /takes 4 bytes, data_offsets give it 8/],
    [
      'overlapping tensors',
      file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12),
      /"b", which begins at 4, overlaps tensor "a"/,
    ],
    ['one place twice', file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4), /overlaps/],
    ['a gap at the start', file({ a: f32([1], 4, 8) }, 8), /leaves a gap after the start/],
    ['a gap', file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /leaves a gap after tensor "a"/],
    ['bytes at the end', file({ a: f32([1], 0, 4) }, 5), /1 bytes after the last tensor/],
    ['bytes and no tensor', file({}, 5), /5 bytes after/],
    ['metadata that is no object', file({ __metadata__: 'x' }), /__metadata__ is not an object of strings/],
    ['metadata that holds a number', file({ __metadata__: { epoch: 3 } }), /__metadata__ is not an object of strings/],
  ]
  test.each(cases)('%s', async (rule, bytes, message) => {
    const path = inFolder(`${rule.replace(/\W/g, '-')}.safetensors`)
    writeFileSync(path, bytes)
    for (const source of [bytes, path]) {
      const failure = await readSafetensors(source).catch((error: unknown) => error)
      expect(failure).toMatchObject({ kind: 'Format', message: expect.stringMatching(message) })
      expect((failure as Error).message).toContain(source === path ? path : `buffer of ${bytes.byteLength} bytes`)
    }
  })

  test('a header of 4 million brackets', async () => {
    const deep = '['.repeat(2_000_000) + ']'.repeat(2_000_000)
    await expect(readSafetensors(file(`{"a":${deep}}`))).rejects.toMatchObject({
      kind: 'Format',
      message: expect.stringContaining('nested deeper than 3 levels'),
    })
  })

  test('a file cut off anywhere', async () => {
    const whole = readFileSync(fixture('all-types.safetensors'))
    for (let bytes = 0; bytes < whole.byteLength; bytes += 7) {
      await expect(readSafetensors(whole.subarray(0, bytes))).rejects.toMatchObject({ kind: 'Format' })
    }
  })

  test('a name of the prototype is a name like any other', async () => {
    const tensors = await readSafetensors(file(`{"__proto__":${JSON.stringify(f32([1], 0, 4))}}`, 4))
    expect(tensors.get('__proto__')?.toArray()).toEqual([0])
  })
})

describe('readSafetensorsMetadata', () => {
  test('gives metadata, types and shapes', async () => {
    const { metadata, tensors } = await readSafetensorsMetadata(fixture('metadata.safetensors'))
    expect(metadata).toEqual({ author: 'J. Ü.', step: '12' })
    expect([...tensors]).toEqual([['w', { dtype: 'F32', shape: [2] }]])
    expect((await readSafetensorsMetadata(fixture('nothing.safetensors'))).metadata).toEqual({})
  })
})

describe('writeSafetensors', () => {
  test("gives the bytes that Python's writer gives", async () => {
    await writeSafetensors(inFolder('same.safetensors'), await readSafetensors(fixture('all-types.safetensors')))
    const [ours, theirs] = [readFileSync(inFolder('same.safetensors')), readFileSync(fixture('all-types.safetensors'))]
    expect(ours.equals(theirs)).toBe(true)
  })

  test('writes views, and tensors that share memory, as their elements', async () => {
    const base = arange(6).reshape([2, 3])
    await writeSafetensors(inFolder('views.safetensors'), { base, turned: base.t(), column: base.at(null, 1) })
    const { turned, column } = Object.fromEntries(await readSafetensors(inFolder('views.safetensors')))
    expect(turned?.toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ])
    expect(column?.toArray()).toEqual([1, 4])
  })

  test('writes parameters, metadata and an empty set', async () => {
    const weight = tensor([1.5], { requiresGrad: true })
    await writeSafetensors(inFolder('one.safetensors'), { weight }, { metadata: { step: '3', format: 'np' } })
    expect((await readSafetensors(inFolder('one.safetensors'))).get('weight')?.toArray()).toEqual([1.5])
    expect((await readSafetensorsMetadata(inFolder('one.safetensors'))).metadata).toEqual({ step: '3', format: 'np' })
    await writeSafetensors(inFolder('none.safetensors'), new Map())
    expect((await readSafetensors(inFolder('none.safetensors'))).size).toBe(0)
  })

  test('keeps the older file when a tensor cannot be read', async () => {
    const path = inFolder('kept.safetensors')
    await writeSafetensors(path, { a: ones([2]) })
    const [good, gone] = [ones([2]), zeros([2])]
    const written = writeSafetensors(path, { a: good, b: gone })
    gone.dispose()
    await expect(written).rejects.toMatchObject({ kind: 'Disposed' })
    expect([...(await readSafetensors(path)).keys()]).toEqual(['a'])
    expect(readdirSync(inFolder()).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('refuses what the format cannot hold', async () => {
    const path = inFolder('refused.safetensors')
    const complex128 = tensor([1]).to('complex128')
    const refusals: [Record<string, unknown>, string, string][] = [
      [{ a: complex128 }, 'DType', "'a' is complex128"],
      [{ __metadata__: ones([1]) }, 'Argument', '__metadata__'],
      [{ a: [1, 2] }, 'Argument', "'a' is a list of 2, not a Tensor"],
      [{ a: zeros([2], { device: 'meta' }) }, 'Argument', 'meta device'],
      [{ a: ones([2, 2]).toSparse() }, 'Argument', 'sparse_coo'],
    ]
    for (const [tensors, kind, message] of refusals) {
      await expect(writeSafetensors(path, tensors as Record<string, Tensor>)).rejects.toMatchObject({
        kind,
        message: expect.stringContaining(message),
      })
    }
    const metadata = { epoch: 3 } as unknown as Record<string, string>
    await expect(writeSafetensors(path, {}, { metadata })).rejects.toMatchObject({ kind: 'Argument' })
    await expect(writeSafetensors(inFolder('no/such/folder'), {})).rejects.toMatchObject({ kind: 'Argument' })
  })

  test('reads through a link', async () => {
    symlinkSync(fixture('metadata.safetensors'), inFolder('link.safetensors'))
    expect((await readSafetensors(inFolder('link.safetensors'))).get('w')?.toArray()).toEqual([1, 1])
  })
})

describe('alignment', () => {
  test('the data, and each tensor that fills whole units, begins at a multiple of it; the others follow', () =>
    tidyAsync(async () => {
      const path = inFolder('aligned.safetensors')
      const tensors = {
        a: ones([3]),
        b: arange(16),
        c: ones([5], { dtype: 'int64' }),
        d: ones([8], { dtype: 'int64' }),
        e: zeros([32]),
      }
      await writeSafetensors(path, tensors, { alignment: 64 })
      const bytes = readFileSync(path)
      const start = 8 + Number(bytes.readBigUInt64LE())
      expect(start % 64).toBe(0)
      const header = JSON.parse(bytes.subarray(8, start).toString())
      for (const name of ['b', 'd', 'e']) expect(header[name].data_offsets[0] % 64, name).toBe(0)
      expect(header.a.data_offsets[1]).toBe(bytes.length - start)
      const read = await readSafetensors(path)
      for (const [name, value] of Object.entries(tensors)) expect(read.get(name)?.equal(value), name).toBe(true)
      await expect(writeSafetensors(path, tensors, { alignment: 12 })).rejects.toThrow(
        /alignment is 12; it must be a multiple of 8/,
      )
    }))
})
