import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readNpy, readNpz, writeNpy, writeNpz } from '../../lib/io'
import { arange, memory, ones, type Tensor, tensor, tidyAsync, zeros } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()
/** Made by tools/reference/npy.py. */
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/npy/${name}`, import.meta.url))

const CONTENTS: Record<string, { shape: number[]; values: string[] }> = JSON.parse(
  readFileSync(fixture('arrays.json'), 'utf8'),
)
/** The dtype of each of NumPy's: unsigned ones that tensors lack are widened. */
const DTYPES: Record<string, string> = {
  ...{ f2: 'float16', f4: 'float32', f8: 'float64', i1: 'int8', i2: 'int16', i4: 'int32', i8: 'int64' },
  ...{ u1: 'uint8', u2: 'int32', u4: 'int64', u8: 'int64', bool: 'bool', c8: 'complex64', c16: 'complex128' },
  ...{ scalar: 'float32', empty: 'float32', fortran: 'int32' },
}

function fromPython(text: string): number {
  if (text === 'True' || text === 'False') return text === 'True' ? 1 : 0
  return Number(text.replace('inf', 'Infinity'))
}

function check(name: string, made: Tensor | undefined): void {
  const { shape, values } = CONTENTS[name] as { shape: number[]; values: string[] }
  const dtype = DTYPES[name.replace('big ', '')] as string
  expect([made?.dtype, made?.shape], name).toEqual([dtype, shape])
  const elements = Array.from(made?.dataSync() as ArrayLike<number | bigint>)
  if (dtype === 'int64') expect(elements.map(String), name).toEqual(values)
  else
    expect(
      elements.map((v) => Math.fround(Number(v))),
      name,
    ).toEqual(values.map((v) => Math.fround(fromPython(v))))
  if (dtype === 'float64') expect(elements, name).toEqual(values.map(fromPython))
}

/** A `.npy` file of this header and data. */
function npy(header: string, data = 0, { version = 1, length = header.length + 1 } = {}): Buffer {
  const start = Buffer.alloc(version === 1 ? 10 : 12)
  start.write('\x93NUMPY', 'latin1')
  start[6] = version
  if (version === 1) start.writeUInt16LE(length, 8)
  else start.writeUInt32LE(length, 8)
  return Buffer.concat([start, Buffer.from(`${header}\n`), Buffer.alloc(data)])
}

const dict = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`

describe('readNpz and readNpy', () => {
  test.each(['arrays', 'compressed'])('give every array of %s.npz, in either byte order', async (file) => {
    const arrays = await readNpz(fixture(`${file}.npz`))
    expect([...arrays.keys()]).toEqual(Object.keys(CONTENTS))
    for (const [name, made] of arrays) check(name, made)
    expect(arrays.get('fortran')?.isContiguous).toBe(true)
  })

  test.each([1, 2, 3])('read headers of version %i', async (version) => {
    check('f4', await readNpy(fixture(`version-${version}.npy`)))
  })

  test('read bytes at any address, and leave them as they are', async () => {
    const file = Buffer.concat([Buffer.alloc(3), npy(dict('>i2', '(2,)'), 0), Buffer.from([0, 1, 1, 0])]).subarray(3)
    const before = Buffer.from(file)
    expect((await readNpy(file)).toArray()).toEqual([1, 256])
    expect(file.equals(before)).toBe(true)
  })

  test('read the arrays that are asked for, in that order', async () => {
    expect([...(await readNpz(fixture('arrays.npz'), { names: ['u1', 'f4'] })).keys()]).toEqual(['u1', 'f4'])
    await expect(readNpz(fixture('version-1.npy'))).rejects.toMatchObject({ kind: 'Format' })
    await expect(readNpz(fixture('arrays.npz'), { names: ['q'] })).rejects.toMatchObject({
      kind: 'Argument',
      message: expect.stringMatching(/has no array 'q'; it has 'f2', 'f4'/),
    })
  })

  test('leave the tensors to the scope of the caller', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      await readNpz(fixture('arrays.npz'), { device: 'cpu' })
    })
    expect(memory.stats().tensors).toBe(before)
  })

  test.each([
    ['objects', 'Format', /Python objects, which are pickles that may run code/],
    ['text', 'DType', /the NumPy type U2, which is not supported/],
    ['records', 'DType', /records of several fields; save each field/],
    ['large-u8', 'Format', /18446744073709551615, which int64 cannot/],
  ])('refuse an array of %s', async (name, kind, message) => {
    await expect(readNpy(fixture(`${name}.npy`))).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
    })
  })

  test.each<[string, Buffer, RegExp]>([
    ['nothing', Buffer.alloc(0), /begins with nothing/],
    ['another magic', Buffer.from('hello world'), /begins with 68 65 6c 6c 6f 20/],
    ['version 4', npy(dict('<f4', '()'), 4, { version: 4 }), /version 4; 1, 2 and 3/],
    ['a header of 4 GiB', npy(dict('<f4', '()'), 4, { version: 2, length: 0xffffffff }), /4294967295 bytes; 10000/],
    ['a header past the end', npy(dict('<f4', '()'), 0, { length: 900 }), /truncated: it states a header of 900/],
    [
      'code for a shape',
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os').getpid(),)}"),
      /more than literals/,
    ],
    ['code in front', npy("__import__('os').system('id') or {}"), /is no dict/],
    ['an unknown field', npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 'y'}"), /more than literals/],
    ['a field twice', npy("{'descr': '<f4', 'descr': '<f4', 'shape': ()}"), /has descr twice/],
    ['no shape', npy("{'descr': '<f4', 'fortran_order': False}"), /lacks one of/],
    ['a boolean for a shape', npy("{'descr': '<f4', 'fortran_order': False, 'shape': True}"), /another kind of value/],
    ['a negative size', npy(dict('<f4', '(-1,)')), /more than literals/],
    ['sizes without a comma', npy(dict('<f4', '(1 2,)'), 4), /sizes beyond/],
    ['a size beyond 2^53', npy(dict('<f4', '(9999999999999999999999,)'), 4), /beyond 2\^53/],
    [
      'a product beyond 2^64',
      npy(dict('<f4', '(4294967296, 4294967296)'), 4),
      /takes 73786976294838210000 bytes; 4 follow/,
    ],
    ['65 dimensions', npy(dict('<f4', `(${'1,'.repeat(65)})`), 4), /65 dimensions/],
    ['too few bytes', npy(dict('<f4', '(2,)'), 7), /takes 8 bytes; 7 follow its header: it is truncated/],
    ['too many bytes', npy(dict('<f4', '(2,)'), 9), /bytes follow its end/],
    ['a bool of 2', Buffer.concat([npy(dict('|b1', '(1,)')), Buffer.from([2])]), /a bool is neither 0 nor 1/],
  ])('refuse a header with %s', async (_, bytes, message) => {
    await expect(readNpy(bytes)).rejects.toMatchObject({ kind: 'Format', message: expect.stringMatching(message) })
    writeFileSync(inFolder('bad.npy'), bytes)
    await expect(readNpy(inFolder('bad.npy'))).rejects.toMatchObject({ kind: 'Format' })
  })

  test('refuse compressed arrays that expand beyond the limit', async () => {
    await writeNpz(inFolder('zeros.npz'), { a: zeros([1_000_000]) }, { compress: true })
    expect(readFileSync(inFolder('zeros.npz')).byteLength).toBeLessThan(10_000)
    expect((await readNpz(inFolder('zeros.npz'))).get('a')?.shape).toEqual([1_000_000])
    await expect(readNpz(inFolder('zeros.npz'), { limits: { expandedBytes: 1e6 } })).rejects.toMatchObject({
      kind: 'Format',
      message: expect.stringMatching(/expand to 4000128 bytes; the limit is 1000000: raise/),
    })
  })
})

describe('writeNpy and writeNpz', () => {
  test.each(['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'bool', 'c8', 'scalar', 'empty'])(
    'write the bytes that NumPy writes of %s',
    async (name) => {
      const made = (await readNpz(fixture('arrays.npz'), { names: [name] })).get(name) as Tensor
      await writeNpy(inFolder(`${name}.npy`), made)
      expect(readFileSync(inFolder(`${name}.npy`)).equals(readFileSync(fixture(`same-${name}.npy`)))).toBe(true)
    },
  )

  test.each([false, true])('write archives that other programs find in order (compressed: %s)', async (compress) => {
    const given = new Map([
      ['a', arange(6).reshape([2, 3]).t()],
      ['folder/ü', tensor([1.5])],
    ])
    await writeNpz(inFolder('ours.npz'), given, { compress })
    const script = 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), *z.namelist())'
    const options = { encoding: 'utf8', env: { ...process.env, PYTHONIOENCODING: 'utf8' } } as const
    expect(execFileSync('python3', ['-c', script, inFolder('ours.npz')], options)).toBe('None a.npy folder/ü.npy\n')
    const made = await readNpz(inFolder('ours.npz'))
    expect([...made].map(([name, t]) => [name, t.toArray()])).toEqual(
      [...given].map(([name, t]) => [name, t.toArray()]),
    )
  })

  test('refuse what NumPy lacks, and names that leave the archive', async () => {
    const refusals: [Record<string, unknown>, string, RegExp][] = [
      [{ a: ones([1]).to('bfloat16') }, 'DType', /'a' is bfloat16, which NumPy does not have/],
      [{ a: [1] }, 'Argument', /'a' is a list of 1, not a Tensor/],
      [{ a: ones([2, 2]).toSparse() }, 'Argument', /sparse_coo/],
      [{ a: zeros([1], { device: 'meta' }) }, 'Argument', /meta device/],
      [{ '../a': ones([1]) }, 'Argument', /no name for a file in an archive/],
      [{ '/a': ones([1]) }, 'Argument', /no name/],
      [{ '': ones([1]) }, 'Argument', /no name/],
    ]
    for (const [arrays, kind, message] of refusals) {
      await expect(writeNpz(inFolder('no.npz'), arrays as Record<string, Tensor>)).rejects.toMatchObject({
        kind,
        message: expect.stringMatching(message),
      })
    }
    await expect(writeNpy(inFolder('no.npy'), ones([1]).to('bfloat16'))).rejects.toMatchObject({ kind: 'DType' })
  })
})
