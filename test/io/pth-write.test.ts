import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { attributesOf, loadPth, type PthValue, savePth } from '../../lib/io'
import { arange, memory, ones, type Tensor, tensor, zeros } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { pthFixture, valueToWrite } from '../support/pth-written'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()

async function throughFile<T extends PthValue>(value: T, name = 'through.pth'): Promise<T> {
  await savePth(inFolder(name), value)
  return (await loadPth(inFolder(name))) as T
}

describe('savePth', () => {
  test('writes the file that Python was found to read, byte for byte', async () => {
    // Judged by tools/reference/pth_written.py: torch.load with weights_only, with and without mmap.
    await savePth(inFolder('written.pth'), await valueToWrite())
    const [ours, judged] = [readFileSync(inFolder('written.pth')), readFileSync(pthFixture('written.pth'))]
    expect(ours.equals(judged)).toBe(true)
  })

  test('gives back what it was given', async () => {
    const given = (await valueToWrite()) as unknown as Record<string, Record<string, PthValue>>
    const { values, shared, types } = await throughFile(given)
    expect(values).toEqual(given.values)
    expect(values?.first).toBe(values?.second)
    expect(Object.isFrozen(values?.tuple)).toBe(true)
    for (const [name, made] of types as unknown as ReadonlyMap<string, Tensor>) {
      const original = (given.types as unknown as ReadonlyMap<string, Tensor>).get(name) as Tensor
      expect([made.dtype, made.shape, String(made.dataSync())], name).toEqual([
        original.dtype,
        original.shape,
        String(original.dataSync()),
      ])
    }
    const { base, row, turned, again, parameter } = shared as unknown as Record<string, Tensor>
    expect([turned?.strides, again === base, parameter?.requiresGrad]).toEqual([[1, 4], true, true])
    base?.fill_(5)
    expect([row?.toArray(), turned?.at(1).toArray()]).toEqual([
      [5, 5, 5, 5],
      [5, 5, 5],
    ])
  })

  test('aligns every storage to 64 bytes', async () => {
    await savePth(
      inFolder('aligned.pth'),
      [1, 2, 3].map((n) => arange(n, { dtype: 'int64' })),
    )
    const bytes = readFileSync(inFolder('aligned.pth'))
    expect(bytes.indexOf(Buffer.from(BigInt64Array.of(0n, 1n, 2n).buffer)) % 64).toBe(0)
  })

  test('is an archive that other programs find in order', async () => {
    await savePth(inFolder('checked.pth'), { a: arange(1000), ä: 'ü' })
    const script = 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), *z.namelist())'
    expect(execFileSync('python3', ['-c', script, inFolder('checked.pth')], { encoding: 'utf8' }).trim()).toBe(
      'None archive/data.pkl archive/.format_version archive/.storage_alignment archive/byteorder archive/data/0 archive/version',
    )
  })

  test('writes of a storage what its tensors use', async () => {
    const large = arange(1_000_000)
    await savePth(inFolder('part.pth'), { a: large.narrow(0, 500_000, 3), b: large.narrow(0, 500_010, 2) })
    expect(readFileSync(inFolder('part.pth')).byteLength).toBeLessThan(2500)
    const { a, b } = (await loadPth(inFolder('part.pth'))) as Record<string, Tensor>
    expect([a?.toArray(), b?.toArray(), b?.storageOffset]).toEqual([
      [500_000, 500_001, 500_002],
      [500_010, 500_011],
      10,
    ])
  })

  test('tells storages of equal content apart, and parts of one together', async () => {
    const alike = [zeros([4]), zeros([4]), zeros([2]), zeros([4]).narrow(0, 0, 2)]
    const made = await throughFile([...alike, (alike[0] as Tensor).narrow(0, 1, 2)])
    made[0]?.fill_(1)
    expect(made.map((t) => t.toArray())).toEqual([
      [1, 1, 1, 1],
      [0, 0, 0, 0],
      [0, 0],
      [0, 0],
      [1, 1],
    ])
  })

  test('copies before it returns: what happens to the tensors then is not in the file', async () => {
    const weight = ones([1000])
    const saved = savePth(inFolder('snapshot.pth'), { weight, list: [weight.narrow(0, 0, 2)] })
    weight.fill_(2)
    weight.dispose()
    await saved
    const { weight: made } = (await loadPth(inFolder('snapshot.pth'))) as Record<string, Tensor>
    expect(made?.sum().item()).toBe(1000)
  })

  test('writes the attributes of a map that it read', async () => {
    const state = ((await loadPth(pthFixture('network-zip.pth'))) as Record<string, ReadonlyMap<string, PthValue>>)
      .state_dict
    const again = await throughFile(state as ReadonlyMap<string, PthValue>)
    expect(attributesOf(again)).toEqual(attributesOf(state as ReadonlyMap<string, PthValue>))
    expect(JSON.stringify([...(attributesOf(again) as never as { _metadata: Map<string, unknown> })._metadata])).toBe(
      '[["",{"version":1}],["conv",{"version":1}],["norm",{"version":2}],["head",{"version":1}]]',
    )
  })

  test('writes shared containers once, however often they appear', async () => {
    let level: PthValue = [1, 2]
    for (let i = 0; i < 40; i++) level = [level, level]
    await savePth(inFolder('dag.pth'), level)
    expect(readFileSync(inFolder('dag.pth')).byteLength).toBeLessThan(3000)
    expect(await loadPth(inFolder('dag.pth'))).toHaveLength(2)
  })

  test('leaves out properties without a value', async () => {
    expect(await throughFile({ a: 1, b: undefined as never })).toEqual({ a: 1 })
  })

  test('tells the strings of the format from those of the value', async () => {
    const tricky = ['torch\nFloatStorage\n', 'collections\nOrderedDict\n', 'storage', 'cpu', 'latin1', '0', arange(2)]
    expect((await throughFile(tricky)).slice(0, -1)).toEqual(tricky.slice(0, -1))
  })

  test('frees its copies', async () => {
    const before = await liveTensors()
    const value = { a: arange(3), b: arange(3).narrow(0, 0, 1) }
    await savePth(inFolder('freed.pth'), value)
    value.a.dispose()
    value.b.dispose()
    // The tensor of which `b` is a view is still there, for the garbage collector.
    expect(memory.stats().tensors - before).toBe(1)
  })

  const cycle: Record<string, PthValue> = {}
  cycle.self = cycle
  let deep: PthValue = 1
  for (let i = 0; i < 600; i++) deep = [deep]
  test.each<[string, unknown, string, RegExp]>([
    ['a function', { a: [() => 1] }, 'Argument', /value\.a\[0\] is a function/],
    ['a symbol', Symbol('x'), 'Argument', /value is a symbol/],
    ['undefined in a list', [undefined], 'Argument', /value\[0\] is undefined/],
    ['a date', { 'the date': new Date() }, 'Argument', /value\["the date"\] is an object of class Date; convert/],
    ['a typed array', [new Float32Array(2)], 'Argument', /value\[0\] .* make a tensor of it/],
    ['a cycle', cycle, 'Argument', /value\.self holds itself/],
    ['a deep value', deep, 'Argument', /nested deeper than 500 levels/],
    ['half a surrogate pair', ['\ud800'], 'Argument', /half a surrogate pair/],
    ['an integer beyond all', [2n ** 4000n], 'Argument', /more than 255 bytes/],
    ['a key that is an object', new Map([[{}, 1]]), 'Argument', /for a key/],
    ['a sparse tensor', [ones([2, 2]).toSparse()], 'Argument', /sparse_coo/],
    ['a meta tensor', [zeros([2], { device: 'meta' })], 'Argument', /meta device/],
    ['a disposed tensor', [disposed()], 'Disposed', /disposed/],
  ])('%s is refused with its place, and an old file stays', async (_, value, kind, message) => {
    writeFileSync(inFolder('old.pth'), 'old')
    await expect(savePth(inFolder('old.pth'), value as PthValue)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
    })
    expect(readFileSync(inFolder('old.pth'), 'utf8')).toBe('old')
    expect(readdirSync(inFolder()).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

function disposed(): Tensor {
  const gone = tensor([1])
  gone.dispose()
  return gone
}
