// Files of points and surfaces; tools/reference/point_files.py made those that are not written out here.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  encodeObj,
  encodePcd,
  encodePly,
  type PcdFormat,
  type PlyElement,
  type PlyFormat,
  readMesh,
  readObj,
  readPcd,
  readPly,
  readPointCloud,
  readXyz,
  writeMesh,
  writePcd,
  writePly,
  writePointCloud,
  writeXyz,
} from '../../lib/geometry'
import { lzfCompress, lzfDecompress } from '../../lib/geometry/io/lzf'
import { type Tensor, tensor, tidyAsync } from '../../lib/tensor'
import { hashNumbers } from '../support/hash-weights'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/geometry/${name}`, import.meta.url))
const bytesOf = (text: string) => Buffer.from(text, 'latin1')
const values = (t: Tensor | undefined) => Array.from(t?.to('float64').reshape([-1]).dataSync() ?? [], Number)
const sum = (list: ArrayLike<number>) => Array.from(list).reduce((total, value) => total + value, 0)
const scoped = (name: string, fn: () => Promise<void>) => test(name, () => tidyAsync(fn))

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'geometry-'))
})
afterAll(() => rm(folder, { recursive: true }))

const SQUARE = [
  'ply',
  'format ascii 1.0',
  'comment made by hand',
  'obj_info none',
  'element vertex 4',
  'property double x',
  'property float32 y',
  'property float z',
  'property uchar red',
  'element face 2',
  'property list uchar int vertex_indices',
  'property short flag',
  'element empty 0',
  'property int nothing',
  'end_header',
  '0 0 0 255',
  '1.5 0 nan 0',
  '1 1e-3 -inf 7',
  '',
  '0 1 0 1',
  '3 0 1 2 -5',
  '4 0 1 2 3 32767',
  '',
].join('\n')

describe('PLY', () => {
  test('of a lidar, binary, has the numbers that numpy reads', async () => {
    const ply = await readPly(fixture('autzen.ply'))
    const { count, sums } = JSON.parse(await readFile(fixture('autzen.json'), 'utf8'))
    expect(ply.format).toBe('binary_little_endian')
    const [vertex] = ply.elements as [PlyElement]
    expect(vertex.count).toBe(count)
    const types = vertex.properties.map(({ name, type }) => [name, type])
    expect(types).toContainEqual(['intensity', 'uint16'])
    expect(vertex.properties.map(({ name, values }) => [name, sum(values)])).toEqual(Object.entries(sums))
  })

  test('in text has elements, lists, comments and all types', async () => {
    const ply = await readPly(bytesOf(SQUARE))
    expect(ply.comments).toEqual(['made by hand'])
    expect(ply.objInfo).toEqual(['none'])
    expect(ply.elements.map(({ name, count }) => [name, count])).toEqual([
      ['vertex', 4],
      ['face', 2],
      ['empty', 0],
    ])
    const [vertex, face] = ply.elements as [PlyElement, PlyElement]
    expect(vertex.properties[0]?.values).toEqual(Float64Array.of(0, 1.5, 1, 0))
    expect(vertex.properties[2]?.values).toEqual(Float32Array.of(0, Number.NaN, Number.NEGATIVE_INFINITY, 0))
    expect(face.properties[0]).toMatchObject({
      starts: Uint32Array.of(0, 3, 7),
      values: Int32Array.of(0, 1, 2, 0, 1, 2, 3),
    })
    expect(face.properties[1]?.values).toEqual(Int16Array.of(-5, 32767))
  })

  test.each(['ascii', 'binary_little_endian', 'binary_big_endian'] as const)(
    '%s comes back as it was',
    async (format) => {
      const ply = await readPly(bytesOf(SQUARE))
      const again = await readPly(encodePly({ ...ply, format }))
      expect(again).toEqual({ ...ply, format })
      const path = join(folder, `${format}.ply`)
      await writePly(path, { ...ply, format })
      expect(await readPly(path)).toEqual(again)
      expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
    },
  )

  test('in big-endian has the bytes that it should', () => {
    const values = Int16Array.of(258)
    const property = { kind: 'scalar', name: 'a', type: 'int16', values } as const
    const bytes = encodePly({
      format: 'binary_big_endian',
      elements: [{ name: 'e', count: 1, properties: [property] }],
    })
    expect([...bytes.subarray(-2)]).toEqual([1, 2])
  })

  const header = (format: PlyFormat, ...lines: string[]) =>
    `ply\nformat ${format} 1.0\n${lines.join('\n')}\nend_header\n`
  const vertex = (count: number | string) => [`element vertex ${count}`, 'property float x', 'property uchar y']
  const list = ['element face 1', 'property list uint float entries']
  const binary = 'binary_little_endian'
  test.each([
    [/no PLY file/, 'solid cube'],
    [/no line 'end_header'/, 'ply\nformat ascii 1.0\nelement vertex 3\n'],
    [/no line 'format'/, 'ply\nelement vertex 0\nend_header\n'],
    [/line 2: the format is 'ascii 2.0'/, 'ply\nformat ascii 2.0\nend_header\n'],
    [/line 3: element 'vertex' has the count '-1'/, header('ascii', ...vertex(-1))],
    [/line 4: 'property half x' is no property/, header('ascii', 'element a 1', 'property half x')],
    [/line 3: a property stands before any element/, header('ascii', 'property float x')],
    [
      /line 5: element 'a' has the property 'x' twice/,
      header('ascii', 'element a 1', 'property int x', 'property int x'),
    ],
    [/line 4: lists of 'a' are counted in float/, header('ascii', 'element a 1', 'property list float int a')],
    [/states 1000000000000 of element 'vertex', which take 5000000000000 bytes/, header(binary, ...vertex(1e12))],
    [/states 1000000000000 of element 'vertex'/, `${header('ascii', ...vertex(1e12))}1 2\n`],
    [/element 'a', which take 9000000000000000/, header('ascii', 'element a 9000000000000000')],
    [/goes beyond the end/, `${header(binary, ...list)}\xff\xff\xff\xff`],
    [/byte 99: property 'entries' of item 0/, `${header(binary, ...list)}\x02\0\0\0\0\0\0\0`],
    [/line 7: property 'y' of element 'vertex' is 256; a uint8 is/, `${header('ascii', ...vertex(1))}1 256\n`],
    [/line 7: property 'x' of element 'vertex' is 'one'/, `${header('ascii', ...vertex(1))}one 2\n`],
    [/line 7: property 'y' .* is missing/, `${header('ascii', ...vertex(1))}1.25\n`],
    [/line 7: an item of element 'vertex' has 3 numbers/, `${header('ascii', ...vertex(1))}1 2 3\n`],
    [/line 6: property 'entries' .* states 9 entries; 1 follow/, `${header('ascii', ...list)}9 1\n`],
    [/ends after 1 of 2 of element 'vertex'/, `${header('ascii', ...vertex(2))}1.0000 2\n`],
  ])('says %s', async (message, text) => {
    await expect(readPly(bytesOf(text))).rejects.toThrow(message)
    await expect(readPly(bytesOf(text))).rejects.toMatchObject({ code: 'ERR_VISION_NATIVE_FORMAT' })
  })

  test('refuses to write what contradicts itself', () => {
    const scalar = { kind: 'scalar', name: 'x', type: 'float32', values: Float32Array.of(1) } as const
    const content = (count: number, property: object) => ({
      elements: [{ name: 'vertex', count, properties: [{ ...scalar, ...property }] }],
    })
    expect(() => encodePly(content(2, {}))).toThrow(/'x' has 1 values for 2 items/)
    expect(() => encodePly(content(1, { type: 'int8' }))).toThrow(/is int8, its values are float32/)
    expect(() => encodePly(content(1, { name: 'a b' }))).toThrow(/'a b' is no name/)
    const long = { kind: 'list', countType: 'int8', starts: Uint32Array.of(0, 200), values: new Float32Array(200) }
    expect(() => encodePly(content(1, long))).toThrow(/item 0 .* has 200 entries, over 127/)
    expect(() => encodePly(content(1, { ...long, starts: Uint32Array.of(0, 3) }))).toThrow(/starts of/)
  })
})

const CUBE = `# a comment
mtllib a.mtl b.mtl
o thing
v 0 0 0 1 0.5 0
v 1 0 0 0 0 1
v 1 1 0 1 1 1
v 0 1 0 0 0 0
vt 0.25
vt 1 0.5
vn 0 0 1
usemtl red paint
g side left
f 1/1/1 2/2/1 \\
  3//1
s off
g top
usemtl blue
f -4 -3 -2 -1
l 1 2
`

describe('OBJ', () => {
  test('has polygons, numbers from the end, groups and materials', async () => {
    const obj = await readObj(bytesOf(CUBE))
    expect(obj.vertices).toEqual(Float64Array.of(0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0))
    expect(obj.colours?.subarray(0, 6)).toEqual(Float64Array.of(1, 0.5, 0, 0, 0, 1))
    expect(obj.texcoords).toEqual(Float64Array.of(0.25, 0, 1, 0.5))
    expect(obj.faces).toEqual({
      starts: Uint32Array.of(0, 3, 7),
      vertices: Int32Array.of(0, 1, 2, 0, 1, 2, 3),
      texcoords: Int32Array.of(0, 1, -1, -1, -1, -1, -1),
      normals: Int32Array.of(0, 0, 0, -1, -1, -1, -1),
      group: Int32Array.of(0, 1),
      object: Int32Array.of(0, 0),
      material: Int32Array.of(0, 1),
    })
    expect([obj.groups, obj.objects, obj.materials]).toEqual([['side left', 'top'], ['thing'], ['red paint', 'blue']])
    expect(obj.materialLibraries).toEqual(['a.mtl b.mtl'])
    expect(await readObj(encodeObj(obj))).toEqual(obj)
  })

  test.each([
    [/line 2: corner '2' names number 2 of 1/, 'v 0 0 0\nf 2 1 1'],
    [/line 2: corner '0' names number 0/, 'v 0 0 0\nf 0 1 1'],
    [/line 2: corner '-2' names number -2 of 1/, 'v 0 0 0\nf -2 1 1'],
    [/line 2: a polygon has 2 corners/, 'v 0 0 0\nf 1 1'],
    [/line 2: corner '1\/a' is not v, v\/vt/, 'v 0 0 0\nf 1/a 1 1'],
    [/line 1: z of 'v' is missing/, 'v 0 0'],
    [/line 1: y of 'vn' is 'up'/, 'vn 0 up 0'],
  ])('says %s', async (message, text) => {
    await expect(readObj(bytesOf(text))).rejects.toThrow(message)
  })
})

describe('PCD', () => {
  const fields = [
    { name: 'x', type: 'float32', count: 1, values: Float32Array.from(hashNumbers('x', 300)) },
    { name: 'n', type: 'uint16', count: 1, values: Uint16Array.from({ length: 300 }, (_, i) => i % 7) },
    { name: 'h', type: 'float64', count: 3, values: Float64Array.from({ length: 900 }, (_, i) => (i >> 5) / 3) },
  ] as const

  test.each(['ascii', 'binary', 'binary_compressed'] as const)('%s comes back as it was', async (format: PcdFormat) => {
    const content = { format, width: 100, height: 3, viewpoint: [1, 2, 3, 0, 1, 0, 0], fields }
    expect(await readPcd(encodePcd(content))).toEqual(content)
    const path = join(folder, `${format}.pcd`)
    await writePcd(path, content)
    expect(await readPcd(path)).toEqual(content)
  })

  test('compressed by another hand is read', async () => {
    const pcd = await readPcd(fixture('compressed.pcd'))
    const ply = await readPly(fixture('autzen.ply'))
    expect(pcd.fields.map(({ name }) => name)).toEqual(['x', 'y', 'z', 'i'])
    for (const [i, { values }] of pcd.fields.slice(0, 3).entries()) {
      expect(values).toEqual(ply.elements[0]?.properties[i]?.values.slice(0, 40))
    }
    expect(pcd.fields[3]?.values).toEqual(new Float32Array(40))
  })

  test('compresses repetition and survives noise', () => {
    const noise = Uint8Array.from(hashNumbers('noise', 5000), (value) => (value + 1) * 127)
    const rows = Uint8Array.from({ length: 20000 }, (_, i) => (i % 12) * 3)
    expect(lzfCompress(rows).byteLength).toBeLessThan(500)
    for (const data of [noise, rows, new Uint8Array(0), Uint8Array.of(1), new Uint8Array(70000)]) {
      expect(Buffer.compare(lzfDecompress(lzfCompress(data), data.length, 'x'), data)).toBe(0)
    }
    expect(() => lzfDecompress(Uint8Array.of(0x20, 0), 3, 'x')).toThrow(/broken at its byte 2/)
    expect(() => lzfDecompress(Uint8Array.of(5, 1), 3, 'x')).toThrow(/broken/)
    expect(() => lzfDecompress(Uint8Array.of(0, 1), 2, 'x')).toThrow(/gives 1 bytes; 2 are stated/)
  })

  const pcd = (data: string, changes: Record<string, string> = {}) => {
    const lines = {
      FIELDS: 'x y',
      SIZE: '4 4',
      TYPE: 'F I',
      COUNT: '1 1',
      WIDTH: '2',
      HEIGHT: '1',
      POINTS: '2',
      ...changes,
    }
    const header = Object.entries(lines).map(([key, value]) => `${key} ${value}`)
    return `# x\nVERSION 0.7\n${header.join('\n')}\nDATA ${data}`
  }
  test.each([
    [/no line 'DATA'/, 'VERSION 0.7\nFIELDS x\n'],
    [/line 1: 'ply' is no word/, 'ply\n'],
    [/DATA is 'zip'/, pcd('zip\n')],
    [/SIZE has 1 entries for 2 fields/, pcd('ascii\n', { SIZE: '4' })],
    [/field 'y' is of type I and size 8/, pcd('ascii\n', { SIZE: '4 8' })],
    [/POINTS is 3, WIDTH · HEIGHT is 2 · 1/, pcd('ascii\n', { POINTS: '3' })],
    [/WIDTH is '-2'/, pcd('ascii\n', { WIDTH: '-2' })],
    [/states 1000000000000 points/, pcd('binary\nxxxx', { POINTS: '1000000000000', WIDTH: '1000000000000' })],
    [/states 1000000000000 points/, pcd('ascii\n1 2\n', { POINTS: '1000000000000', WIDTH: '1000000000000' })],
    [/states 2 points, which take 16 bytes; 4 are there/, pcd('binary\nxxxx')],
    [/line 11: field 'y' is '1.5x'/, pcd('ascii\n1.5 1.5x\n2.5 2.5\n')],
    [/line 11 has 1 numbers; the fields of a point are 2/, pcd('ascii\n1.5000\n2.5000\n')],
    [/ends after 1 of 2 points/, pcd('ascii\n1.5000 25\n')],
    [/take 16 bytes; the compressed data states 9/, pcd('binary_compressed\n\x01\0\0\0\x09\0\0\0x')],
    [/cannot hold the 16/, pcd('binary_compressed\n\0\0\0\0\x10\0\0\0')],
  ])('says %s', async (message, text) => {
    await expect(readPcd(bytesOf(text))).rejects.toThrow(message)
  })
})

describe('lines of numbers', () => {
  test('with blanks, commas, names and comments', async () => {
    expect(await readXyz(bytesOf('# c\n1 2 3 4\n\n5\t6 7  8\n'))).toEqual({
      names: ['x', 'y', 'z', 'column3'],
      columns: [Float64Array.of(1, 5), Float64Array.of(2, 6), Float64Array.of(3, 7), Float64Array.of(4, 8)],
    })
    const table = await readXyz(bytesOf('x, y, z\r\n1, 2e3, -.5\r\n'))
    expect(table).toEqual({
      names: ['x', 'y', 'z'],
      columns: [Float64Array.of(1), Float64Array.of(2000), Float64Array.of(-0.5)],
    })
    const path = join(folder, 'a.csv')
    await writeXyz(path, table, { separator: ',', header: true })
    expect(await readFile(path, 'utf8')).toBe('x,y,z\n1,2000,-0.5\n')
    expect(await readXyz(path)).toEqual(table)
  })

  test.each([
    [/line 2 has 2 numbers; the lines before have 3/, '1 2 3\n4 5\n'],
    [/line 2: column 'y' is 'five'/, '1 2 3\n4 five 6\n'],
    [/line 1 has 2 columns/, '1 2\n'],
    [/has no points/, '# nothing\n'],
  ])('say %s', async (message, text) => {
    await expect(readXyz(bytesOf(text))).rejects.toThrow(message)
  })
})

describe('broken files', () => {
  test('are read or refused with a FormatError, whatever is broken', async () => {
    const ply = await readPly(bytesOf(SQUARE))
    const pcd = await readPcd(fixture('compressed.pcd'))
    const samples: readonly (readonly [Uint8Array, (bytes: Uint8Array) => Promise<unknown>])[] = [
      [bytesOf(SQUARE), readPly],
      [encodePly({ ...ply, format: 'binary_big_endian' }), readPly],
      [await readFile(fixture('compressed.pcd')), readPcd],
      [encodePcd({ ...pcd, format: 'ascii' }), readPcd],
      [bytesOf(CUBE), readObj],
      [bytesOf('1 2 3\n4 5 6\n'), readXyz],
    ]
    const refused = samples.map(() => 0)
    for (const [s, [bytes, read]] of samples.entries()) {
      const draws = hashNumbers(`broken ${s}`, 1200)
      for (let i = 0; i < 1200; i += 4) {
        const [a = 0, b = 0, c = 0, d = 0] = Array.from(draws.subarray(i, i + 4), (draw) => (draw + 1) / 2)
        const broken = Uint8Array.from(bytes.subarray(0, d < 0.2 ? Math.ceil(c * bytes.length) : bytes.length))
        broken[Math.floor(a * broken.length)] = d < 0.6 ? Math.floor(b * 256) : 48 + Math.floor(b * 10)
        const error: unknown = await read(broken).then(
          () => undefined,
          (reason: unknown) => reason,
        )
        if (error === undefined) continue
        expect(error, `sample ${s}, draw ${i}`).toMatchObject({ code: 'ERR_VISION_NATIVE_FORMAT' })
        refused[s] = (refused[s] ?? 0) + 1
      }
    }
    expect(Math.min(...refused)).toBeGreaterThan(20)
  })
})

describe('clouds and surfaces as tensors', () => {
  scoped('of a lidar', async () => {
    const cloud = await readPointCloud(fixture('autzen.ply'))
    expect([cloud.points.shape, cloud.points.dtype]).toEqual([[400, 3], 'float32'])
    expect([cloud.colours?.shape, cloud.colours?.dtype]).toEqual([[400, 3], 'uint8'])
    expect(cloud.normals).toBeUndefined()
    const { sums } = JSON.parse(await readFile(fixture('autzen.json'), 'utf8'))
    expect([...(cloud.attributes?.keys() ?? [])]).toEqual(['intensity', 'classification'])
    expect(sum(values(cloud.attributes?.get('intensity')))).toBe(sums.intensity)
    expect(sum(values(cloud.points.select(1, 2)))).toBe(sums.z)
  })

  scoped('come back from each kind of file', async () => {
    const { points, colours, attributes } = await readPointCloud(fixture('autzen.ply'))
    const cloud = { points, colours, attributes, normals: points.div(points.norm()) }
    for (const name of ['b.ply', 'b.pcd', 'b.csv', 'b.xyz']) {
      const path = join(folder, name)
      await writePointCloud(path, cloud)
      const again = await readPointCloud(path)
      expect(values(again.points), name).toEqual(values(points))
      expect(values(again.colours), name).toEqual(values(colours))
      expect(values(again.normals), name).toEqual(values(cloud.normals))
      expect(values(again.attributes?.get('classification')), name).toEqual(values(attributes?.get('classification')))
    }
    await writePointCloud(join(folder, 'c.pcd'), cloud, { format: 'binary_compressed' })
    expect(values((await readPointCloud(join(folder, 'c.pcd'))).points)).toEqual(values(points))
  })

  scoped('have colours that PCL packs in a float', async () => {
    const words = new Float32Array(Uint32Array.of(0x00ff8001).buffer)
    const field = (name: string, values: Float32Array) => ({ name, type: 'float32' as const, count: 1, values })
    const bytes = encodePcd({
      fields: [...['x', 'y', 'z'].map((name) => field(name, Float32Array.of(1))), field('rgb', words)],
    })
    const { colours } = await readPointCloud(bytes, { format: 'pcd' })
    expect(values(colours)).toEqual([255, 128, 1])
  })

  scoped('of polygons are fans of triangles', async () => {
    const fromObj = await readMesh(bytesOf(CUBE), { format: 'obj' })
    const triangles = [0, 1, 2, 0, 1, 2, 0, 2, 3]
    expect(values(fromObj.faces)).toEqual(triangles)
    expect([fromObj.faces.dtype, fromObj.faces.shape]).toEqual(['int64', [3, 3]])
    const fromPly = await readMesh(bytesOf(SQUARE), { format: 'ply' })
    expect(values(fromPly.faces)).toEqual(triangles)
    expect(fromPly.vertices.dtype).toBe('float64')
    for (const name of ['m.ply', 'm.obj']) {
      const colours = tensor([255, 0, 0, 0, 255, 0, 0, 0, 255, 51, 51, 51], { dtype: 'uint8', shape: [4, 3] })
      const normals = tensor([0, 0, 1], { shape: [1, 3] }).repeat([4, 1])
      await writeMesh(join(folder, name), { ...fromObj, colours, normals })
      const again = await readMesh(join(folder, name))
      expect(values(again.vertices)).toEqual(values(fromObj.vertices))
      expect(values(again.faces)).toEqual(triangles)
      expect(values(again.normals)).toEqual(values(normals))
      const scale = name === 'm.ply' ? 1 : 255
      expect(values(again.colours).map((value) => Math.round(value * scale))).toEqual(values(colours))
    }
  })

  test.each([
    [/'.stl'; known are .ply and .obj/, () => readMesh('a.stl')],
    [/'.las'; known are .ply, .pcd/, () => readPointCloud('a.las')],
    [/bytes do not say/, () => readPointCloud(bytesOf('1 2 3'))],
    [/x, y and z are needed, it has a, b, c/, () => readPointCloud(bytesOf('a b c\n1 2 3\n'), { format: 'xyz' })],
    [
      /face 1 names vertex 3; there are 3/,
      () => readMesh(bytesOf(SQUARE.replace('vertex 4', 'vertex 3').replace('0 1 0 1\n', '')), { format: 'ply' }),
    ],
    [/has no faces/, () => readMesh(fixture('autzen.ply'))],
  ])('say %s', async (message, fn) => {
    await expect(fn()).rejects.toThrow(message)
  })
})
