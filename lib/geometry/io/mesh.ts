// Surfaces as tensors, from PLY and OBJ.
import { extname } from 'node:path'
import { pathOf, readSource, type Source } from '../../io/source'
import { ArgumentError, FormatError, ShapeError } from '../../native/errors'
import { type Tensor, tensor, tidy } from '../../tensor'
import { elementsOf } from './elements'
import { decodeObj, type Obj, writeObj } from './obj'
import type { PlyFormat } from './ply-header'
import { decodePly } from './ply-read'
import { writePly } from './ply-write'
import { cloudOf, columnsOf, type PointCloud, plyColumns } from './point-cloud'

/** A surface of triangles. */
export interface Mesh {
  /** `[V, 3]`. */
  readonly vertices: Tensor
  /** Numbers of vertices, int64 `[F, 3]`. */
  readonly faces: Tensor<'int64'>
  /** Of the vertices, `[V, 3]`, where the file has them for vertices. */
  readonly normals?: Tensor | undefined
  /** Of the vertices, `[V, 3 or 4]`. */
  readonly colours?: Tensor | undefined
}

/**
 * Reads a surface from `.ply` or `.obj`. Polygons become fans of triangles about their first corner. What else the files
 * hold (texture places, groups, other properties), `readPly` and `readObj` give.
 *
 * @throws ArgumentError for other endings
 * @throws FormatError when there are no faces, or one names a vertex that is not there
 */
export async function readMesh(source: Source, options: { readonly format?: 'ply' | 'obj' } = {}): Promise<Mesh> {
  const format = options.format ?? formatOf('readMesh', source)
  const { name, bytes } = await readSource(source, 'readMesh')
  return format === 'ply' ? meshOfPly(name, bytes, source) : meshOfObj(name, decodeObj(name, bytes))
}

/** Writes a surface to `.ply` (binary unless stated) or `.obj`, whole or not at all. @throws ShapeError, ArgumentError */
export async function writeMesh(
  path: string,
  mesh: Mesh,
  { format }: { readonly format?: PlyFormat } = {},
): Promise<void> {
  const { vertices, faces, normals, colours } = mesh
  if (faces.ndim !== 2 || faces.size(1) !== 3) {
    throw new ShapeError(`writeMesh: faces are [${faces.shape}]; they must be triangles [F, 3]`)
  }
  const cloud: PointCloud = { points: vertices, normals, colours }
  const corners = tidy(() => Int32Array.from(elementsOf(faces)))
  const count = faces.size(0)
  const broken = corners.findIndex((index) => index < 0 || index >= vertices.size(0))
  if (broken >= 0) {
    throw new ArgumentError(
      `writeMesh: face ${Math.floor(broken / 3)} names vertex ${corners[broken]} of ${vertices.size(0)}`,
    )
  }
  const starts = Uint32Array.from({ length: count + 1 }, (_, i) => 3 * i)
  if (formatOf('writeMesh', path) === 'ply') {
    const properties = tidy(() => columnsOf(cloud)).map(({ name, type, values }) => {
      return { kind: 'scalar' as const, name, type, values }
    })
    const list = { kind: 'list' as const, name: 'vertex_indices', countType: 'uint8' as const, type: 'int32' as const }
    const elements = [
      { name: 'vertex', count: vertices.size(0), properties },
      { name: 'face', count, properties: [{ ...list, starts, values: corners }] },
    ]
    await writePly(path, { format, elements })
    return
  }
  const numbers = (values: Tensor) => tidy(() => elementsOf(values.to('float64')) as Float64Array)
  // Bytes of colour are parts of 1 in OBJ.
  const scaled =
    colours &&
    tidy(() =>
      numbers(
        colours
          .narrow(1, 0, 3)
          .to('float64')
          .div(colours.dtype === 'uint8' ? 255 : 1),
      ),
    )
  await writeObj(path, {
    vertices: numbers(vertices),
    colours: scaled,
    normals: normals && numbers(normals),
    faces: { starts, vertices: corners, normals: normals && corners },
  })
}

function formatOf(caller: string, source: Source): 'ply' | 'obj' {
  if (source instanceof Uint8Array) {
    throw new ArgumentError(`${caller}: bytes do not say what they are; pass { format: 'ply' } or 'obj'`)
  }
  const path = pathOf(source, caller)
  const ending = extname(path).toLowerCase()
  if (ending === '.ply') return 'ply'
  if (ending === '.obj') return 'obj'
  throw new ArgumentError(`${caller}: ${path} ends in '${ending}'; known are .ply and .obj`)
}

function meshOfPly(name: string, bytes: Uint8Array, source: Source): Mesh {
  const ply = decodePly(name, bytes)
  const lists = ply.elements.find((element) => element.name === 'face')?.properties ?? []
  const polygons = lists.find((property) => property.kind === 'list' && /^vertex_ind(?:ices|ex)$/.test(property.name))
  if (polygons === undefined || polygons.kind !== 'list') {
    throw new FormatError(
      `${name} has no faces: element 'face' with the list 'vertex_indices'; readPointCloud reads it`,
    )
  }
  const { points, normals, colours } = cloudOf(source, plyColumns(ply))
  return {
    vertices: points,
    faces: triangles(name, polygons.starts, polygons.values, points.size(0)),
    normals,
    colours,
  }
}

function meshOfObj(name: string, { vertices, colours, normals, faces }: Obj): Mesh {
  const count = vertices.length / 3
  if (faces.vertices.length === 0) throw new FormatError(`${name} has no faces`)
  const matrix = (values: Float64Array) => tensor(Float32Array.from(values), { shape: [values.length / 3, 3] })
  // Normals belong to corners; only where they are numbered as vertices are they the vertices' own.
  const own = normals.length === vertices.length && faces.normals.every((index, i) => index === faces.vertices[i])
  return {
    vertices: matrix(vertices),
    faces: triangles(name, faces.starts, faces.vertices, count),
    normals: own ? matrix(normals) : undefined,
    colours: colours && matrix(colours),
  }
}

function triangles(name: string, starts: Uint32Array, corners: ArrayLike<number>, vertices: number): Tensor<'int64'> {
  const result: bigint[] = []
  for (let face = 0; face + 1 < starts.length; face++) {
    const [from, to] = [starts[face] ?? 0, starts[face + 1] ?? 0]
    for (let corner = from; corner < to; corner++) {
      const index = corners[corner] ?? 0
      if (Number.isInteger(index) && index >= 0 && index < vertices) continue
      throw new FormatError(`${name}: face ${face} names vertex ${index}; there are ${vertices}, from 0`)
    }
    for (let corner = from + 1; corner + 1 < to; corner++) {
      result.push(...[from, corner, corner + 1].map((place) => BigInt(corners[place] ?? 0)))
    }
  }
  return tensor(BigInt64Array.from(result), { shape: [result.length / 3, 3] }) as Tensor<'int64'>
}
