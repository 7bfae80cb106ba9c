import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { attributesOf, loadPth, optimizerStateOf, type PthValue, stateDictOf } from '../../lib/io'
import { BatchNorm2d, Conv2d, Linear, Module } from '../../lib/nn'
import { Complex, memory, type Tensor, tidyAsync } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { OPTIMIZERS, pthFixture, resumed } from '../support/pth-written'

/** Made by tools/reference/pth.py, which holds the values that are expected here. */
const load = async <T>(name: string) => (await loadPth(pthFixture(name))) as T
type Tensors = Readonly<Record<string, Tensor>>
const FORMATS = ['zip', 'legacy']

interface Content {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly values: readonly string[]
}
const ALL_TYPES: Record<string, Content> = JSON.parse(readFileSync(pthFixture('types.json'), 'utf8'))

/** A number as Python prints it. */
function fromPython(text: string, dtype: string): number | bigint {
  if (dtype === 'int64') return BigInt(text)
  if (text === 'True' || text === 'False') return text === 'True' ? 1 : 0
  return Number(text.replace('inf', 'Infinity'))
}

class Network extends Module {
  readonly conv = new Conv2d(1, 2, 3)
  readonly norm = new BatchNorm2d(2)
  readonly head = new Linear(2, 3)
}

describe.each(FORMATS)('a file in the %s format of torch.save', (format) => {
  test('gives every dtype, bit for bit', async () => {
    const tensors = await load<Tensors>(`types-${format}.pth`)
    expect(Object.keys(tensors)).toEqual(Object.keys(ALL_TYPES))
    for (const [name, { dtype, shape, values }] of Object.entries(ALL_TYPES)) {
      const made = tensors[name] as Tensor
      expect([made.dtype, made.shape], name).toEqual([dtype, shape])
      const expected = values.map((text) => fromPython(text, dtype))
      expect(Array.from(made.dataSync() as ArrayLike<number | bigint>), name).toEqual(
        dtype === 'float32' || dtype === 'complex64' ? Array.from(Float32Array.from(expected as number[])) : expected,
      )
    }
  })

  test('keeps shared memory, strides and requiresGrad', async () => {
    const { base, row, turned, steps, expanded, last } = await load<Record<string, Tensor>>(`shared-${format}.pth`)
    expect([turned?.strides, steps?.strides, steps?.shape]).toEqual([
      [1, 4],
      [4, 2],
      [3, 2],
    ])
    expect([expanded?.strides, expanded?.toArray()]).toEqual([
      [1, 0],
      [
        [1, 1, 1],
        [2, 2, 2],
      ],
    ])
    expect([base, row, last].map((tensor) => tensor?.requiresGrad)).toEqual([false, false, true])
    base?.at(1).fill_(-1)
    expect(row?.toArray()).toEqual([-1, -1, -1, -1])
    expect(turned?.at(1).toArray()).toEqual([1, -1, 9])
    expect(steps?.toArray()).toEqual([
      [0, 2],
      [-1, -1],
      [8, 10],
    ])
  })

  test('gives plain values', async () => {
    const values = await load<Record<string, PthValue>>(`values-${format}.pth`)
    expect(values).toEqual({
      ...{ int: 7, negative: -3, word: 70000, large: 2n ** 53n + 1n, huge: -(2n ** 70n) },
      ...{ float: 0.1, whole: 2, inf: Number.POSITIVE_INFINITY, complex: new Complex(1, -2) },
      ...{ text: 'grüße \u{1f600}', 'empty text': '', bytes: Uint8Array.of(0, 255, 128, 97, 98, 99) },
      ...{ none: null, yes: true, no: false, list: [1, [2, [3, []]]], tuple: [0.9, 0.999], one: [1], nothing: [] },
      ...{ set: new Set([3]), numbers: { 0: 'a', 5: 'b' }, counted: { a: 2, b: 1 }, first: [1, 2], second: [1, 2] },
      ...{ size: [2, 3], dtype: 'torch.float32', device: 'cuda:1' },
      // In Python 1 and True are one key, and the later value counts.
      mixed: new Map<unknown, string>([
        [1, 'f'],
        ['x', 'b'],
        [null, 'c'],
        [[1, 2], 'd'],
        [-1, 'e'],
      ]),
      // An object would put '0' first, and make both numbers.
      digits: new Map([
        ['1', 'b'],
        ['0', 'a'],
      ]),
      ordered: new Map([
        ['z', 1],
        ['a', 2],
      ]),
      ['__proto__']: { polluted: true },
    })
    expect(values.first).toBe(values.second)
    expect([values.tuple, values.list].map(Object.isFrozen)).toEqual([true, false])
    expect(({} as { polluted?: true }).polluted).toBeUndefined()
  })

  test('fits into a module of the same names', async () => {
    const file = await load<{ state_dict: ReadonlyMap<string, PthValue> }>(`network-${format}.pth`)
    const network = new Network()
    expect(network.loadStateDict(stateDictOf(file as never))).toEqual({ missing: [], unexpected: [] })
    // Printed by Python: torch.manual_seed(1), as in tools/reference/pth.py.
    expect(network.norm.runningVar?.toArray()).toEqual(
      [Math.fround(1.0056), Math.fround(1.0102)].map((v) => expect.closeTo(v, 4)),
    )
    expect(network.norm.numBatchesTracked?.item()).toBe(1)
    expect(network.head.bias?.toArray()).toEqual([0.4215, 0.3843, -0.6912].map((v) => expect.closeTo(v, 4)))
    expect(attributesOf(file.state_dict)).toMatchObject({ _metadata: expect.any(Map) })
    const { _metadata: metadata } = attributesOf(file.state_dict) as unknown as {
      _metadata: ReadonlyMap<string, unknown>
    }
    expect(metadata.get('norm')).toEqual({ version: 2 })
  })

  test.each(Object.keys(OPTIMIZERS))('lets %s go on where Python stopped', async (name) => {
    const file = await load<Record<string, { optimizer: PthValue }>>(`optimizers-${format}.pth`)
    const { saved, params, optimizer } = await resumed(name)
    const own = file[name]?.optimizer ?? null
    expect(Object.keys(optimizerStateOf(own).state)).toEqual(Object.keys(optimizerStateOf({ optimizer: own }).state))
    // As it stands in a checkpoint, beside other things.
    optimizer.loadStateDict(optimizerStateOf({ epoch: 1, optimizer: own }))
    for (const [i, p] of params.entries()) p.grad = saved.gradients[i] as Tensor
    optimizer.step()
    for (const [i, p] of params.entries()) {
      const distance = p
        .detach()
        .sub(saved.after[i] as Tensor)
        .abs()
        .max()
        .toNumber()
      expect(distance, `${name} parameter ${i}`).toBeLessThanOrEqual(1e-6)
      // The step itself is far larger, so that a state that is lost is noticed.
      expect(
        (saved.params[i] as Tensor)
          .sub(saved.after[i] as Tensor)
          .abs()
          .max()
          .toNumber(),
      ).toBeGreaterThan(1e-3)
    }
  })
})

describe('loadPth', () => {
  const PLAIN = { a: [1, -2.5, Math.fround(3e-5)], b: [7] }
  const arrays = (tensors: Tensors) => Object.fromEntries(Object.entries(tensors).map(([k, t]) => [k, t.toArray()]))

  test.each(['plain', 'deflated', 'big-endian', 'old'])('reads a %s archive', async (name) => {
    expect(arrays(await load<Tensors>(`${name}.pth`))).toEqual(PLAIN)
  })

  test('reads bytes at any address, and a URL', async () => {
    const bytes = Buffer.concat([Buffer.alloc(3), readFileSync(pthFixture('plain.pth'))]).subarray(3)
    expect(arrays((await loadPth(bytes)) as Tensors)).toEqual(PLAIN)
    const url = new URL('../fixtures/pth/plain.pth', import.meta.url)
    expect(arrays((await loadPth(url)) as Tensors)).toEqual(PLAIN)
  })

  test.each([3, 4, 5])('reads pickles of protocol %i', async (protocol) => {
    const { bytes, set, frozen, turned } = await load<Record<string, PthValue>>(`protocol-${protocol}.pth`)
    expect([bytes, set, frozen]).toEqual([Uint8Array.of(255, 0), new Set(['a']), new Set([1])])
    expect((turned as Tensor).strides).toEqual([1, 4])
  })

  test('reads numbers and arrays of NumPy', async () => {
    const { array, turned, ...numbers } = await load<Record<string, PthValue>>('numpy.pth')
    expect(numbers).toEqual({ float: 0.5, int: -3, bool: true })
    expect([(array as Tensor).dtype, (array as Tensor).toArray()]).toEqual([
      'int16',
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ])
    expect((turned as Tensor).toArray()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ])
  })

  test('puts tensors on the device that is asked for', async () => {
    const { a } = (await loadPth(pthFixture('plain.pth'), { device: 'meta' })) as Tensors
    expect([a?.device, a?.shape]).toEqual(['meta', [3]])
  })

  test('leaves the tensors to the scope of its caller, and none when it fails', async () => {
    const before = await liveTensors()
    await tidyAsync(async () => {
      const file = await loadPth(pthFixture('shared-zip.pth'))
      expect(memory.stats().tensors - before).toBe(Object.keys(file as object).length)
    })
    expect(memory.stats().tensors).toBe(before)
    const damaged = readFileSync(pthFixture('plain.pth'))
    damaged.writeFloatLE(8, damaged.indexOf(Buffer.from(Float32Array.of(7).buffer)))
    await expect(loadPth(damaged)).rejects.toMatchObject({
      kind: 'Format',
      message: expect.stringContaining('checksum'),
    })
    expect(memory.stats().tensors).toBe(before)
  })

  test.each([
    ['module', 'Format', /names "torch\.nn\.modules\.linear\.Linear", which is not on the list .* would run code/],
    ['cycle', 'Format', /a value holds itself; break the cycle/],
    ['quantized', 'DType', /quantized tensors are not read; call dequantize\(\)/],
    ['sparse', 'DType', /sparse tensors are not read; call to_dense\(\)/],
    ['float8', 'DType', /torch\.float8_e4m3fn, which is not supported/],
    ['uint16', 'DType', /torch\.uint16, which is not supported/],
  ])('refuses a %s file and says what to do', async (name, kind, message) => {
    await expect(load(`${name}.pth`)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) })
  })

  test('tells what a file is that is none of its own', async () => {
    const cases: [Uint8Array, RegExp][] = [
      [Buffer.from(''), /begins with nothing/],
      [Buffer.from('hello'), /begins with 68 65 6c 6c, neither a zip archive/],
      [
        Buffer.concat([Buffer.alloc(257), Buffer.from('ustar'), Buffer.alloc(250)]),
        /tar archive, as PyTorch wrote before/,
      ],
      [Buffer.from('\x80\x02K\x01.', 'latin1'), /lacks the magic number; write it with torch.save/],
    ]
    for (const [bytes, message] of cases) {
      await expect(loadPth(bytes)).rejects.toMatchObject({ kind: 'Format', message: expect.stringMatching(message) })
    }
    await expect(loadPth('/no/such.pth')).rejects.toMatchObject({ kind: 'Argument' })
  })
})

describe('stateDictOf', () => {
  test('finds the state dict, takes off a prefix, and lists everything that does not fit a module', async () => {
    const file = await load<PthValue>('network-zip.pth')
    const state = stateDictOf(file)
    const parallel = new Map<string, PthValue>([...state].map(([name, value]) => [`module.${name}`, value]))
    expect([...stateDictOf({ model: parallel }, { prefix: 'module.' }).keys()]).toEqual([...state.keys()])

    const wrong = new Map(state)
    wrong.delete('head.bias')
    wrong.delete('conv.weight')
    wrong.set('fc.weight', state.get('head.weight') as Tensor)
    wrong.set('head.weight', (state.get('head.weight') as Tensor).t())
    expect(() => new Network().loadStateDict(wrong)).toThrow(
      [
        'Network.loadStateDict: the state dict does not fit; nothing was changed',
        '2 missing:\n  conv.weight\n  head.bias',
        '1 unexpected:\n  fc.weight',
        '1 of another shape:\n  head.weight: [2, 3], expected [3, 2]',
      ].join('\n'),
    )
  })

  test('tells what is there instead', async () => {
    const file = await load<PthValue>('values-zip.pth')
    expect(() => stateDictOf(file)).toThrow(/'int' is 7, not a Tensor; name the state dict with \{ key \}/)
    expect(() => stateDictOf({ net: {} }, { key: 'gen' })).toThrow(/no state dict 'gen' in a dict of 'net'/)
    expect(() => stateDictOf([1])).toThrow(/no state dict in a list of 1/)
    expect(() => optimizerStateOf(file)).toThrow(/no state dict of an optimiser/)
  })
})
