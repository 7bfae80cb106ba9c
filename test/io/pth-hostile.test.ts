import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadPth, readNpz, type Source } from '../../lib/io'
import { memory, type Tensor } from '../../lib/tensor'
import { bytesOf, hostileZip, pthOf, tensorPickle, uint32 } from '../support/hostile-zip'
import { pthFixture } from '../support/pth-written'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()

/** The error by which a source is refused; its memory is checked too. */
async function refusal(source: Source, read: (source: Source) => Promise<unknown> = loadPth): Promise<Error> {
  const [tensors, rss] = [memory.stats().tensors, process.memoryUsage.rss()]
  const failure = await read(source).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(failure).toMatchObject({ kind: expect.stringMatching(/^(?:Format|DType)$/) })
  // The garbage collector may free what earlier tests left.
  expect(memory.stats().tensors).toBeLessThanOrEqual(tensors)
  expect(process.memoryUsage.rss() - rss).toBeLessThan(400e6)
  return failure as Error
}

const proto = (...parts: readonly (number | string | Uint8Array)[]) => bytesOf(0x80, 2, ...parts)

describe('a hostile pickle is refused by its rule', () => {
  test('the good file that the others differ from is read', async () => {
    const made = (await loadPth(pthOf(tensorPickle()))) as Tensor
    expect(made.toArray()).toEqual([1, 2, 3, 4])
  })

  const mark = inFolder
  test.each([
    ['posix', 'system'],
    ['os', 'system'],
    ['nt', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'exec'],
    ['builtins', 'getattr'],
    ['subprocess', 'Popen'],
    ['torch', 'load'],
    ['torch.hub', 'load'],
    ['torch.serialization', 'load'],
    ['functools', 'partial'],
    ['operator', 'attrgetter'],
    ['torch._utils', '__import__'],
    ['numpy', 'load'],
    ['toString', 'constructor'],
    ['__proto__', '__proto__'],
    ['argparse', 'Namespace'],
  ])('%s.%s is named, and not run', async (module, name) => {
    const target = mark('pwned')
    const call = proto(`c${module}\n${name}\n(`, 'X', uint32(target.length + 6), `touch ${target}`, 'tR.')
    const stack = bytesOf(0x80, 4, 0x8c, module.length, module, 0x8c, name.length, name, 0x93, '.')
    for (const pickle of [call, stack]) {
      expect((await refusal(pthOf(pickle))).message).toMatch(
        new RegExp(`names "${module}\\.${name}", which is not on the list .* the file would run code of that name`),
      )
    }
    expect(existsSync(target)).toBe(false)
  })

  const LIES: [string, Buffer, RegExp][] = [
    ['a tensor past its storage', tensorPickle({ size: [5] }), /needs 20 bytes of storage "0"; it has 16/],
    ['an offset past its storage', tensorPickle({ offset: 1 }), /needs 20 bytes/],
    ['a stride past its storage', tensorPickle({ size: [2], stride: [4] }), /needs 20 bytes/],
    ['a negative offset', tensorPickle({ offset: -1 }), /with -1 in its storage_offset/],
    ['a negative size', tensorPickle({ size: [-1] }), /with -1 in its size/],
    ['a negative stride', tensorPickle({ stride: [-1] }), /with -1 in its stride/],
    ['a size that wraps', tensorPickle({ size: [2n ** 64n + 4n] }), /18446744073709551620 in its size/],
    ['a product that wraps', tensorPickle({ size: [2 ** 32, 2 ** 32], stride: [0, 0] }), /no memory holds/],
    ['an offset that wraps', tensorPickle({ offset: 2n ** 62n }), /in its storage_offset/],
    ['sizes and strides of two lengths', tensorPickle({ size: [2, 2], stride: [1] }), /they must be as many/],
    ['65 dimensions', tensorPickle({ size: Array(65).fill(1), stride: Array(65).fill(1) }), /65 dimensions/],
    ['a storage that is not there', tensorPickle({ key: '1' }), /storage "1" is not in the file/],
    [
      'a storage outside the folder',
      tensorPickle({ key: '../data.pkl' }),
      /storage "\.\.\/data\.pkl" is not in the file/,
    ],
    ['a storage larger than the file', tensorPickle({ numel: 2 ** 40 }), /has 16 bytes, the pickle says 1099511627776/],
    ['a negative storage', tensorPickle({ numel: -4 }), /outside of it/],
    ['a storage of another type', tensorPickle({ type: 'DoubleStorage' }), /has 16 bytes, the pickle says 4 elements/],
    ['an unknown storage', tensorPickle({ type: 'EvilStorage' }), /names "torch\.EvilStorage"/],
    ['a tensor of no storage', proto('ctorch._utils\n_rebuild_tensor_v2\n(NI0\n))tR.'), /makes a tensor of None/],
    ['a call of a string', proto('X', uint32(1), 'a', ')R.'), /calls "a", which is nothing that can be made/],
    ['a call without a tuple', proto('ccollections\nOrderedDict\n]R.'), /with a list of 0 in place of a tuple/],
    ['attributes of a list', proto(']}b.'), /sets attributes of a list/],
    ['attributes of a dict', proto('}}b.'), /sets attributes of a dict/],
    ['a stack that is empty', proto('.'), /empty stack/],
    ['a pop past the mark', proto('(a.'), /empty stack/],
    ['a mark that is not there', proto('Nt.'), /mark that is not there/],
    ['values left over', proto('NN.'), /1 values left over/],
    ['a memo that is empty', proto('h', 0, '.'), /recalls value 0/],
    ['an append to a tuple', proto(')Na.'), /appends to a tuple/],
    ['items of a list', proto(']NNs.'), /sets items of a list/],
    ['a key without a value', proto('}(Nu.'), /a key without a value/],
    ['no end', proto('N'), /truncated/],
    ['protocol 6', bytesOf(0x80, 6, 'N.'), /protocol 6/],
    ['extension codes', proto(0x82, 1, '.'), /opcode 0x82, which no checkpoint needs/],
    ['out-of-band buffers', proto(0x97, '.'), /opcode 0x97/],
    ['INST', proto('(ios\nsystem\n.'), /opcode 0x69/],
    ['OBJ', proto('(cos\nsystem\no.'), /names "os\.system"/],
    ['an integer of 2 GiB', proto(0x8b, uint32(0x7fffffff)), /2147483647 bytes; 256 are the most/],
    ['an integer of a negative length', proto(0x8b, uint32(0xffffffff)), /length of -1 bytes/],
    ['a string of 4 GiB', proto('X', uint32(0xffffffff)), /states 4294967295 bytes where 0 are left/],
    ['a string of 2^63 bytes', proto(0x8d, Buffer.alloc(8, 0x7f)), /truncated: it states 9187201950435738000 bytes/],
    ['a frame past the end', bytesOf(0x80, 4, 0x95, Buffer.alloc(8, 0x7f)), /truncated/],
    ['bytes of 2^63 bytes', proto(0x8e, Buffer.alloc(8, 0x7f)), /truncated/],
    ['a string that is not UTF-8', proto('X', uint32(1), 0xff, '.'), /not UTF-8/],
    ['a line of 100 KB', proto('c', 'a'.repeat(100_000), '\n\n.'), /a line of 100000 bytes/],
    ['a number with words', proto('Iimport os\n.'), /"import os" for an integer/],
    ['nesting 100,000 deep', proto(']'.repeat(100_000), 'a'.repeat(99_999), '.'), /nested deeper than 500/],
    ['a list in itself', proto(']q', 0, 'h', 0, 'a.'), /a value holds itself/],
    ['a dict as a key', proto('}}Ns.'), /a dict for a key/],
    [
      'a function for a value',
      proto('ccollections\nOrderedDict\n.'),
      /holds collections\.OrderedDict, which is no data/,
    ],
    ['10 million values', proto('N'.repeat(10_000_000), '.'), /more than 8000000 values; it is a bomb/],
    ['2 million objects', proto('}'.repeat(2_000_000), '.'), /more than 1000000 objects; it is a bomb/],
    [
      'a long list copied again and again',
      proto(
        '](',
        'N'.repeat(1000),
        'eq',
        0,
        '0ctorch\nSize\nq',
        1,
        '0',
        ...Array(1000).fill(bytesOf('h', 1, 'h', 0, 0x85, 'R')),
        '.',
      ),
      /copies \d+ items out of a pickle of \d+ bytes; it is a bomb/,
    ],
    [
      'a long string encoded again and again',
      proto(
        'X',
        uint32(1000),
        'x'.repeat(1000),
        'q',
        0,
        '0X',
        uint32(6),
        'latin1q',
        1,
        '0c_codecs\nencode\nq',
        2,
        '0',
        ...Array(1000).fill(bytesOf('h', 2, 'h', 0, 'h', 1, 0x86, 'R')),
        '.',
      ),
      /it is a bomb/,
    ],
    ['another encoding', proto('c_codecs\nencode\nX', uint32(1), 'x', 'X', uint32(3), 'hex', 0x86, 'R.'), /as "hex"/],
    ['NumPy objects', proto('cnumpy\ndtype\nX', uint32(2), 'O8', 'I00\nI01\n', 0x87, 'R.'), /which is no data/],
  ]
  test.each(LIES)('%s', async (_, pickle, message) => {
    const bytes = pthOf(pickle)
    expect((await refusal(bytes)).message).toMatch(message)
    writeFileSync(inFolder('hostile.pth'), bytes)
    const failure = await refusal(inFolder('hostile.pth'))
    expect(failure.message).toMatch(message)
    expect(failure.message).toContain(inFolder('hostile.pth'))
  })

  test('a billion laughs take no more memory than their lists', async () => {
    // Each list holds the one before it ten times: 10^9 leaves in ten lists.
    const parts = ['](', 'N'.repeat(10), 'eq', 0] as (number | string)[]
    for (let i = 0; i < 9; i++) parts.push('](', ...Array.from({ length: 10 }, () => ['h', i]).flat(), 'eq', i + 1)
    const bomb = (await loadPth(pthOf(proto(...parts, '0'.repeat(10), 'h', 9, '.')))) as unknown[]
    expect(bomb).toHaveLength(10)
    expect(bomb[0]).toBe(bomb[9])
  })

  test('a pickle larger than the limit, and a limit that is raised', async () => {
    const pickle = proto('X', uint32(2000), 'x'.repeat(2000), '.')
    const small = { limits: { pickleBytes: 1000 } }
    await expect(loadPth(pthOf(pickle), small)).rejects.toMatchObject({
      kind: 'Format',
      message: expect.stringMatching(/pickle has 2008 bytes; the limit is 1000: raise/),
    })
    expect(await loadPth(pthOf(pickle), { limits: { pickleBytes: 3000 } })).toHaveLength(2000)
  })
})

describe('a hostile archive is refused by its rule', () => {
  const pickle = { name: 'x/data.pkl', content: bytesOf(0x80, 2, 'N.') }
  const bomb = Buffer.alloc(5_000_000)
  const CASES: [string, Buffer, RegExp][] = [
    ['a name that leaves it', hostileZip([pickle, { name: 'x/../../y' }]), /invalid relative path: x\/\.\.\/\.\.\/y/],
    ['an absolute name', hostileZip([pickle, { name: '/etc/passwd' }]), /absolute path: \/etc\/passwd/],
    ["a name of Windows'", hostileZip([pickle, { name: 'C:/x' }]), /absolute path/],
    ['a name twice', hostileZip([pickle, pickle]), /two entries of the name "x\/data\.pkl"/],
    ['two pickles', hostileZip([pickle, { ...pickle, name: 'y/data.pkl' }]), /the pickles "x\/data\.pkl" and "y/],
    ['no pickle', hostileZip([{ name: 'readme.txt' }]), /without NAME\/data\.pkl.*"readme\.txt"/],
    ['no entries', hostileZip([{ ...pickle, name: 'x/' }]), /without NAME\/data\.pkl/],
    ['TorchScript', hostileZip([pickle, { name: 'x/constants.pkl' }]), /TorchScript archive, whose code is not run/],
    ['an encrypted entry', hostileZip([{ ...pickle, flags: 1, size: 4, storedSize: 16 }]), /encrypted/],
    ['another compression', hostileZip([{ ...pickle, method: 14 }]), /compressed by method 14/],
    ['a wrong checksum', hostileZip([{ ...pickle, crc: 1 }]), /checksum is [0-9a-f]{8}, the archive says 00000001/],
    ['two entries in one place', hostileZip([pickle, { name: 'x/b', content: Buffer.alloc(5), offset: 0 }]), /overlap/],
    ['an entry outside', hostileZip([{ ...pickle, offset: 9999 }]), /truncated: it refers to bytes 9999/],
    ['an entry larger than the file', hostileZip([{ ...pickle, size: 1e9, storedSize: 1e9 }]), /overflows file bounds/],
    ['sizes that differ', hostileZip([{ ...pickle, size: 5 }]), /size mismatch/],
    ['more entries than there are', hostileZip([pickle], { count: 9 }), /no readable zip archive|truncated/],
    ['a directory outside', hostileZip([pickle], { directoryOffset: 99_999 }), /truncated/],
    ['a directory elsewhere', hostileZip([pickle], { directoryOffset: 1 }), /invalid central directory/],
    [
      'an entry that says it expands a million times',
      hostileZip([{ ...pickle, method: 8, size: 4e9, storedSize: 4 }]),
      /4 bytes expand to 4000000000, more than deflate can/,
    ],
    [
      'an entry that expands to more than it says',
      hostileZip([{ name: 'x/data.pkl', content: bomb, deflate: true, size: 1000 }]),
      /cannot be expanded to 1000 bytes/,
    ],
    [
      'an entry that expands to less than it says',
      hostileZip([{ ...pickle, deflate: true, size: 5, crc: 0 }]),
      /expands to 4 bytes, the archive says 5/,
    ],
    ['data that are no deflate', hostileZip([{ ...pickle, method: 8, size: 100 }]), /cannot be expanded/],
    ['an odd byte order', pthOf(tensorPickle(), [{ name: 'x/byteorder', content: Buffer.from('middle') }]), /"middle"/],
  ]
  test.each(CASES)('%s', async (_, bytes, message) => {
    expect((await refusal(bytes)).message).toMatch(message)
    writeFileSync(inFolder('hostile.zip'), bytes)
    expect((await refusal(inFolder('hostile.zip'))).message).toMatch(message)
  })

  test('bombs of many entries', async () => {
    const entry = (i: number) => ({ name: `${i}.npy`, content: bomb, deflate: true })
    const bytes = hostileZip(Array.from({ length: 300 }, (_, i) => entry(i)))
    expect(bytes.byteLength).toBeLessThan(2e6)
    const failure = await refusal(bytes, readNpz)
    expect(failure.message).toMatch(/expand to 1500000000 bytes; the limit is 1073741824: raise/)
  })
})

describe('a file cut off anywhere is refused', () => {
  test.each(['types-zip', 'types-legacy', 'deflated', 'values-legacy'])('%s', async (name) => {
    const whole = readFileSync(pthFixture(`${name}.pth`))
    for (let length = 0; length < whole.byteLength; length += 11) {
      const failure = await loadPth(whole.subarray(0, length)).then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(failure, `${length} bytes`).toMatchObject({ kind: 'Format' })
    }
  })
})
