// Clouds as tensors, whatever the file.
import { extname } from 'node:path'
import { pathOf, type Source } from '../../io/source'
import { ArgumentError, FormatError, ShapeError } from '../../native/errors'
import { type Tensor, tidy } from '../../tensor'
import { ELEMENTS, type ElementArray, type ElementType, elementsOf, tensorOf, typeOfElements } from './elements'
import { type PcdField, type PcdFormat, readPcd, writePcd } from './pcd'
import type { PlyFormat } from './ply-header'
import { readPly } from './ply-read'
import { writePly } from './ply-write'
import { readXyz, writeXyz } from './xyz'

/** Points and what belongs to them. */
export interface PointCloud {
  /** `[N, 3]`, float32 or, where the file has it, float64. */
  readonly points: Tensor
  /** `[N, 3]`. */
  readonly normals?: Tensor | undefined
  /** Red, green, blue and, where the file has it, alpha, `[N, 3 or 4]`, of the file's type: uint8 as a rule. */
  readonly colours?: Tensor | undefined
  /** All else by name, `[N]`, or `[N, K]` for fields of K numbers. */
  readonly attributes?: ReadonlyMap<string, Tensor> | undefined
}

interface Column {
  readonly name: string
  readonly type: ElementType
  readonly count: number
  readonly values: ElementArray
}

/**
 * Reads points from `.ply` (its element `vertex`), `.pcd`, or lines of numbers (`.xyz`, `.txt`, `.csv`, `.pts`).
 *
 * @param source a path or `file:` URL; or bytes, with `format`
 * @throws ArgumentError for other endings; FormatError when x, y or z are missing
 */
export async function readPointCloud(
  source: Source,
  { format }: { readonly format?: 'ply' | 'pcd' | 'xyz' | undefined } = {},
): Promise<PointCloud> {
  const kind = format ?? formatOf('readPointCloud', source)
  if (kind === 'ply') return cloudOf(source, plyColumns(await readPly(source)))
  if (kind === 'pcd') return cloudOf(source, (await readPcd(source)).fields.flatMap(unpackedColour))
  const { names, columns } = await readXyz(source)
  return cloudOf(
    source,
    columns.map((values, i) => ({ name: names[i] ?? '', type: 'float64', count: 1, values })),
  )
}

export interface WritePointCloudOptions {
  /** Of `.ply` and `.pcd`; binary unless stated. */
  readonly format?: PlyFormat | PcdFormat | undefined
}

/**
 * Writes points to `.ply`, `.pcd`, or lines of numbers, as the path ends; whole or not at all.
 *
 * @throws ArgumentError for other endings; ShapeError when tensors do not belong to the points
 */
export async function writePointCloud(
  path: string,
  cloud: PointCloud,
  { format }: WritePointCloudOptions = {},
): Promise<void> {
  const kind = formatOf('writePointCloud', path)
  const columns = tidy(() => columnsOf(cloud))
  const count = cloud.points.size(0)
  if (kind === 'ply') {
    const properties = columns
      .flatMap(split)
      .map(({ name, type, values }) => ({ kind: 'scalar' as const, name, type, values }))
    await writePly(path, { format: plyFormat(format), elements: [{ name: 'vertex', count, properties }] })
  } else if (kind === 'pcd') {
    await writePcd(path, {
      format: pcdFormat(format),
      fields: columns.flatMap((column) => packedColour(column, columns)),
    })
  } else {
    const flat = columns.flatMap(split)
    await writeXyz(
      path,
      { names: flat.map(({ name }) => name), columns: flat.map(({ values }) => Float64Array.from(values)) },
      { separator: extname(path).toLowerCase() === '.csv' ? ',' : ' ', header: flat.length > 3 },
    )
  }
}

function formatOf(caller: string, source: Source): 'ply' | 'pcd' | 'xyz' {
  if (source instanceof Uint8Array) {
    throw new ArgumentError(`${caller}: bytes do not say what they are; pass { format: 'ply' }, 'pcd' or 'xyz'`)
  }
  const path = pathOf(source, caller)
  const ending = extname(path).toLowerCase()
  if (ending === '.ply') return 'ply'
  if (ending === '.pcd') return 'pcd'
  if (['.xyz', '.txt', '.csv', '.pts'].includes(ending)) return 'xyz'
  throw new ArgumentError(`${caller}: ${path} ends in '${ending}'; known are .ply, .pcd, .xyz, .txt, .csv and .pts`)
}

function plyFormat(format: PlyFormat | PcdFormat | undefined): PlyFormat {
  if (format === 'binary_compressed')
    throw new ArgumentError('writePointCloud: a .ply file is not compressed; use .pcd')
  return format === undefined || format === 'binary' ? 'binary_little_endian' : format
}

function pcdFormat(format: PlyFormat | PcdFormat | undefined): PcdFormat {
  if (format === 'binary_big_endian') throw new ArgumentError('writePointCloud: a .pcd file is little-endian; use .ply')
  return format === undefined || format === 'binary_little_endian' ? 'binary' : format
}

// ---- From files -----------------------------------------------------------------------------------------------------

/** The numbers of the vertices; lists of them are passed over. */
export function plyColumns(ply: { readonly elements: Awaited<ReturnType<typeof readPly>>['elements'] }): Column[] {
  const vertices = ply.elements.find(({ name }) => name === 'vertex')
  return (vertices?.properties ?? []).flatMap((property) =>
    property.kind === 'scalar' ? [{ name: property.name, type: property.type, count: 1, values: property.values }] : [],
  )
}

/** PCL keeps three bytes of colour in the bits of a float or of an integer, blue lowest. */
function unpackedColour(field: PcdField): Column[] {
  const { name, type, count, values } = field
  if ((name !== 'rgb' && name !== 'rgba') || count !== 1 || !['float32', 'uint32', 'int32'].includes(type))
    return [field]
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const channels = name === 'rgb' ? CHANNELS.slice(0, 3) : CHANNELS
  return channels.map(({ name, shift }) => ({
    name,
    type: 'uint8',
    count: 1,
    values: Uint8Array.from(words, (word) => (word >>> shift) & 255),
  }))
}

const CHANNELS = [
  { name: 'red', shift: 16 },
  { name: 'green', shift: 8 },
  { name: 'blue', shift: 0 },
  { name: 'alpha', shift: 24 },
] as const

const NORMALS = [
  ['nx', 'ny', 'nz'],
  ['normal_x', 'normal_y', 'normal_z'],
] as const
const COLOURS = [
  ['red', 'green', 'blue', 'alpha'],
  ['red', 'green', 'blue'],
  ['r', 'g', 'b'],
] as const

export function cloudOf(source: Source, columns: readonly Column[]): PointCloud {
  const rest = new Map(columns.map((column) => [column.name, column]))
  const take = (names: readonly string[]): Tensor | undefined => {
    const found = names.map((name) => rest.get(name))
    const whole = found.filter((column) => column !== undefined && column.count === 1) as readonly Column[]
    const [first] = whole
    if (first === undefined || whole.length < names.length) return undefined
    for (const name of names) rest.delete(name)
    return interleaved(whole, first)
  }
  const points = take(['x', 'y', 'z'])
  if (points === undefined) {
    const names = columns.map(({ name }) => name).join(', ') || 'nothing'
    const file = source instanceof Uint8Array ? 'the buffer' : String(source)
    throw new FormatError(`readPointCloud: ${file} has no points: x, y and z are needed, it has ${names}`)
  }
  const first = (groups: readonly (readonly string[])[]) =>
    groups.reduce<Tensor | undefined>((found, names) => found ?? take(names), undefined)
  const [normals, colours] = [first(NORMALS), first(COLOURS)]
  const attributes = new Map(
    [...rest.values()].map(({ name, count, values }) => {
      const length = values.length / Math.max(1, count)
      return [name, tensorOf(values, count === 1 ? [length] : [length, count])]
    }),
  )
  return { points, normals, colours, attributes }
}

/** Columns side by side, in a type that holds them all. */
function interleaved(columns: readonly Column[], first: Column): Tensor {
  const same = columns.every(({ type }) => type === first.type)
  const type = same ? first.type : 'float64'
  const [length, width] = [first.values.length, columns.length]
  const values = ELEMENTS[type].make(length * width)
  for (const [offset, column] of columns.entries()) {
    for (let i = 0; i < length; i++) values[i * width + offset] = column.values[i] ?? 0
  }
  return tensorOf(values, [length, width])
}

// ---- To files -------------------------------------------------------------------------------------------------------

export function columnsOf({ points, normals, colours, attributes = new Map() }: PointCloud): Column[] {
  if (points.ndim !== 2 || points.size(1) !== 3) {
    throw new ShapeError(`writePointCloud: points are [${points.shape}]; they must be [N, 3]`)
  }
  const count = points.size(0)
  const named = (what: string, values: Tensor | undefined, names: readonly string[]): Column[] => {
    if (values === undefined) return []
    if (values.ndim !== 2 || values.size(0) !== count || values.size(1) > names.length || values.size(1) < 3) {
      throw new ShapeError(
        `writePointCloud: ${what} are [${values.shape}] for ${count} points; they go with the points`,
      )
    }
    return names.slice(0, values.size(1)).map((name, i) => columnOf(name, values.select(1, i)))
  }
  return [
    ...named('points', points, ['x', 'y', 'z']),
    ...named('normals', normals, ['nx', 'ny', 'nz']),
    ...named('colours', colours, ['red', 'green', 'blue', 'alpha']),
    ...[...attributes].map(([name, values]) => {
      if (values.ndim >= 1 && values.ndim <= 2 && values.size(0) === count) return columnOf(name, values)
      throw new ShapeError(
        `writePointCloud: attribute '${name}' is [${values.shape}]; for ${count} points it is [N] or [N, K]`,
      )
    }),
  ]
}

function columnOf(name: string, values: Tensor): Column {
  const elements = elementsOf(values)
  return { name, type: typeOfElements(elements), count: values.ndim === 2 ? values.size(1) : 1, values: elements }
}

/** A field of K numbers as K columns `name_0` … */
function split({ name, type, count, values }: Column): Column[] {
  if (count === 1) return [{ name, type, count, values }]
  return Array.from({ length: count }, (_, k) => {
    const part = ELEMENTS[type].make(values.length / count)
    for (let i = 0; i < part.length; i++) part[i] = values[i * count + k] ?? 0
    return { name: `${name}_${k}`, type, count: 1, values: part }
  })
}

/** Bytes of red, green and blue as PCL packs them, in the place of red. */
function packedColour(column: Column, columns: readonly Column[]): Column[] {
  const channels = CHANNELS.map(({ name }) => columns.find((other) => other.name === name))
  const bytes = channels.slice(0, 3).every((channel) => channel?.type === 'uint8')
  if (!bytes || !CHANNELS.some(({ name }) => name === column.name)) {
    return [NORMAL_FIELDS.has(column.name) ? { ...column, name: NORMAL_FIELDS.get(column.name) ?? '' } : column]
  }
  if (column.name !== 'red') return []
  const alpha = channels[3] !== undefined
  const words = new Uint32Array(column.values.length)
  for (const [i, { shift }] of CHANNELS.entries()) {
    const channel = channels[i]?.values
    if (channel !== undefined)
      words.forEach((word, k) => {
        words[k] = (word | ((channel[k] ?? 0) << shift)) >>> 0
      })
  }
  return [{ name: alpha ? 'rgba' : 'rgb', type: 'uint32', count: 1, values: words }]
}

const NORMAL_FIELDS: ReadonlyMap<string, string> = new Map([
  ['nx', 'normal_x'],
  ['ny', 'normal_y'],
  ['nz', 'normal_z'],
])
