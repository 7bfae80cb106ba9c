// Points and meshes.
import {
  encodePcd,
  encodePly,
  readMesh,
  readObj,
  readPcd,
  readPly,
  readPointCloud,
  readXyz,
} from '../../../lib/geometry'
import { fixtures, texts } from '../fixtures'
import { bytes, text } from '../mutators'
import { readers, type Target } from '../target'

const coordinates = (['x', 'y', 'z'] as const).map((name, i) => ({
  ...({ name, type: 'float32', count: 1, kind: 'scalar' } as const),
  values: Float32Array.of(i, i + 0.5, -i),
}))
const face = {
  ...({ kind: 'list', name: 'vertex_indices', type: 'int32', countType: 'uint8' } as const),
  ...{ starts: Uint32Array.of(0, 3), values: Int32Array.of(0, 1, 2) },
}

const plyFiles = (['ascii', 'binary_little_endian', 'binary_big_endian'] as const).map((format) =>
  Buffer.from(
    encodePly({
      format,
      elements: [
        { name: 'vertex', count: 3, properties: coordinates },
        { name: 'face', count: 1, properties: [face] },
      ],
    }),
  ),
)

export const ply: Target = {
  corpus: plyFiles,
  mutators: [
    bytes('list', 'uchar'),
    text(
      'element vertex 99999999',
      'property list uchar int x',
      'property list float float x',
      'end_header',
      'double',
      'ushort',
      'format ascii 1.0',
    ),
  ],
  read: readers(
    (input) => readPly(input),
    (input) => readPointCloud(input, { format: 'ply' }),
    (input) => readMesh(input, { format: 'ply' }),
  ),
}

export const obj: Target = {
  corpus: texts(
    '# a square\nmtllib a.mtl\no one\nv 0 0 0\nv 1 0 0 1\nv 1 1 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\ng side\nusemtl red\ns 1\nf 1/1/1 2//1 3 \\\n 4\nf -1 -2 -3\n',
  ),
  mutators: [text('f 1 2 3', 'f 99 -99 0', 'v 1 2', 'f 1/2/3/4', 'vp 1', 'l 1 2', 'cstype bezier'), bytes()],
  read: readers(
    (input) => readObj(input),
    (input) => readMesh(input, { format: 'obj' }),
  ),
}

const pcdFiles = (['ascii', 'binary', 'binary_compressed'] as const).map((format) =>
  Buffer.from(encodePcd({ format, fields: coordinates })),
)

export const pcd: Target = {
  corpus: [...pcdFiles, ...fixtures('fixtures/geometry/compressed.pcd')],
  mutators: [
    bytes(),
    text('WIDTH', 'HEIGHT', 'POINTS 99999999999', 'COUNT', 'SIZE 8', 'TYPE U', 'DATA binary', '_', 'rgb'),
  ],
  read: readers(
    (input) => readPcd(input),
    (input) => readPointCloud(input, { format: 'pcd' }),
  ),
}

export const xyz: Target = {
  corpus: texts('# x y z\n0 1 2\n3.5 -4e1 5\n', 'x,y,z,intensity\n1,2,3,4\n5,6,7,8\n'),
  mutators: [text(',', '#')],
  read: readers(
    (input) => readXyz(input),
    (input) => readPointCloud(input, { format: 'xyz' }),
  ),
}
