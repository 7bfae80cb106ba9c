// Annotations of data sets, and lists of their files.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type CocoAnnotation,
  type CocoCategory,
  type CocoDetection,
  type CocoRle,
  decodeMask,
  encodeMask,
  formatVoc,
  maskArea,
  maskBox,
  maskOfPolygon,
  mergeMasks,
  parseDota,
  parseVoc,
  parseYolo,
  readActionSegments,
  readAmbiguousSpans,
  readClipList,
  readClipRanges,
  readCoco,
  readCocoCaptions,
  readCocoResults,
  readHmdb51,
  readIrisImages,
  readTt100k,
  readUcf101,
  readYoloNames,
  tileVolume,
} from '../../../lib/datasets'
import { evaluateCoco } from '../../../lib/metrics'
import { fixtures, texts, values } from '../fixtures'
import { json, text } from '../mutators'
import { readers, type Target, uses } from '../target'

const picture = { id: 3, file_name: 'a.jpg', width: 6, height: 4 }
const category: CocoCategory = {
  id: 1,
  name: 'person',
  supercategory: 'animal',
  keypoints: ['nose', 'tail'],
  skeleton: [[1, 2]],
}
const annotation: CocoAnnotation = {
  ...{ id: 9, image_id: 3, category_id: 1, bbox: [1, 2, 3, 1], area: 3, iscrowd: 0 },
  ...{ segmentation: [[1, 2, 4, 2, 4, 3]], keypoints: [1, 2, 2, 0, 0, 0], num_keypoints: 1 },
}
const crowd = { ...annotation, id: 10, iscrowd: 1, segmentation: { size: [4, 6], counts: [6, 1, 17] } }
const packed: CocoRle = { size: [4, 6], counts: '61a0' }
const detection: CocoDetection = { image_id: 3, category_id: 1, score: 0.5, bbox: [1, 2, 3, 1], segmentation: packed }

export const coco: Target = {
  corpus: values({ images: [picture], categories: [category], annotations: [annotation, crowd] }),
  mutators: [json('counts', 'size', 'iscrowd'), text()],
  read: async (_, path) => {
    const truth = await readCoco(path)
    await uses(
      () => evaluateCoco(truth, [detection]),
      () => evaluateCoco(truth, [detection], 'masks'),
      () => evaluateCoco(truth, [], 'keypoints'),
    )
  },
}

export const cocoCaptions: Target = {
  corpus: values({ images: [picture], annotations: [{ id: 1, image_id: 3, caption: 'A dog.' }] }),
  mutators: [json(), text()],
  read: (_, path) => readCocoCaptions(path),
}

export const cocoResults: Target = {
  corpus: values([detection, { ...detection, segmentation: crowd.segmentation, keypoints: [1, 2, 2, 0, 0, 0] }]),
  mutators: [json(), text()],
  read: async (_, path) => {
    const found = await readCocoResults(path)
    const truth = { images: [picture], categories: [category], annotations: [annotation] }
    await uses(() => evaluateCoco(truth, found))
  },
}

/** Masks as they come out of JSON, which nobody has checked. */
export const masks: Target = {
  corpus: values({ size: [4, 6], counts: [6, 1, 17] }, packed, { size: [4, 6], polygon: [1, 2, 4, 2, 4, 3] }),
  mutators: [json('counts', 'size', 'polygon')],
  read: (input) => {
    const mask = JSON.parse(input.toString())
    if (typeof mask !== 'object' || mask === null) return
    if (Array.isArray(mask.polygon)) return decodeMask(maskOfPolygon(mask.polygon, 4, 6))
    if (!Array.isArray(mask.size)) return
    return readers(
      () => void encodeMask(decodeMask(mask)),
      () => void maskArea(mask),
      () => void maskBox(mask),
      () => void mergeMasks([mask, mask]),
    )(input, '')
  },
}

export const voc: Target = {
  corpus: texts(`<?xml version="1.0"?>
<!-- made by hand -->
<annotation>
  <folder>VOC2007</folder><filename>a &amp; b&#233;.jpg</filename>
  <size><width>500</width><height>375</height><depth>3</depth></size><segmented>0</segmented>
  <object>
    <name><![CDATA[person]]></name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>
    <bndbox><xmin>8</xmin><ymin>12.5</ymin><xmax>352</xmax><ymax>498</ymax></bndbox>
    <part><name>head</name><bndbox><xmin>9</xmin><ymin>13</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></part>
  </object>
</annotation>
`),
  mutators: [
    text(
      '<object>',
      '</object>',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '<!DOCTYPE x [<!ENTITY a "b">]>',
      '&#x110000;',
      '&a;',
      '<a/>',
    ),
  ],
  read: (input) => formatVoc(parseVoc(input.toString())),
}

export const yolo: Target = {
  corpus: texts(
    '0 0.5 0.5 0.25 0.25\n2 0.1 0.2 0.1 0.1\n',
    '0 0.1 0.1 0.5 0.1 0.5 0.5\n',
    `1 0.5 0.5 1 1 ${'0.5 0.5 2 '.repeat(2)}\n`,
  ),
  mutators: [text()],
  read: readers(
    ...(['detect', 'segment', 'pose'] as const).map(
      (task): Target['read'] =>
        (input) =>
          void parseYolo(input.toString(), { task, keypoints: [2, 3], names: ['a', 'b', 'c'] }),
    ),
  ),
}

export const yoloNames: Target = {
  corpus: texts(
    'path: ../coco\nnames: [\'a b\', c, "d"]\n',
    'train: images\nnames:\n  - first # one\n  - "second"\nnc: 2\n',
    'names:\n  0: a\n  1: b\n',
  ),
  mutators: [text('names:', '- ', '0:', '[', ']', '#', '&x', '*x', '!!js/function')],
  read: (input, path) => inFolder(path, [['data.yaml', input]], readYoloNames),
}

export const dota: Target = {
  corpus: texts('imagesource:GoogleEarth\ngsd:0.146\n1 2 3.5 2 3 4 1 4 small-vehicle 0\n1 2 3 2 3 4 1 4 plane 1\n'),
  mutators: [text('gsd:', 'imagesource:')],
  read: (input) => parseDota(input.toString()),
}

export const tt100k: Target = {
  corpus: values({
    imgs: {
      7: {
        path: 'train/7.jpg',
        id: 7,
        objects: [{ category: 'pl40', bbox: { xmin: 1, ymin: 2, xmax: 5, ymax: 9.5 } }],
      },
    },
    types: ['pl40'],
  }),
  mutators: [json('imgs', 'objects', 'bbox'), text()],
  read: (_, path) => readTt100k(path, { keepEmpty: true }),
}

export const actions: Target = {
  corpus: values({ database: { v1: { subset: 'test', annotations: [{ label: 'Billiards', segment: ['1.5', 3] }] } } }),
  mutators: [json('database', 'annotations', 'segment'), text()],
  read: (_, path) => readActionSegments(path),
}

/** Lists of clips, ranges and spans: a row a line. */
export const lists: Target = {
  corpus: texts('a folder/one 12 0\n/b/two 3 4\n', 'video one,0,12\nvideo two,3,4\n', 'video_test_0000270 67.5 75.9\n'),
  mutators: [text()],
  read: readers(
    (_, path) => readClipList(path, { root: '/data' }),
    (_, path) => readClipRanges(path),
    (_, path) => readAmbiguousSpans(path),
  ),
}

/** Lists of UCF101 and HMDB51; the videos are not there, which is a refusal of its own. */
export const videoLists: Target = {
  corpus: texts('1 ApplyEyeMakeup\n2 Archery\n', 'Archery/v_Archery_g01_c01.avi 2\n', 'one_v.avi 1\ntwo.avi 2 \n'),
  mutators: [text()],
  read: readers(
    (input, path) =>
      inFolder(
        path,
        [
          ['classInd.txt', input],
          ['trainlist01.txt', Buffer.from('Archery/a.avi 2\n')],
        ],
        (root) => readUcf101(root, { part: 'train', skipBroken: true }),
      ),
    (input, path) =>
      inFolder(
        path,
        [
          ['classInd.txt', Buffer.from('1 Archery\n')],
          ['trainlist01.txt', input],
        ],
        (root) => readUcf101(root, { part: 'train', skipBroken: true }),
      ),
    (input, path) =>
      inFolder(path, [['splits/wave_test_split1.txt', input]], (root) =>
        readHmdb51(root, { part: 'train', skipBroken: true }),
      ),
  ),
}

const [dot = Buffer.alloc(0)] = fixtures('io/fixtures/bilevel.png')

export const irisList: Target = {
  corpus: texts('path,subject,eye,domain,instance\na.png,s1,L,VIS,1\nb.png,s1,right,NIR,2\n'),
  mutators: [text('path', 'subject', 'eye', ',')],
  read: (input, path) =>
    inFolder(
      path,
      [
        ['iris.csv', input],
        ['a.png', dot],
        ['b.png', dot],
      ],
      (root) => readIrisImages(root, { skipBroken: true }),
    ),
}

export const tiles: Target = {
  corpus: values({
    ...{ image: ['{row}_{column}.png', 'b.png'], depth: 2, height: 8, width: 8, dtype: 'uint8', ndim: 3 },
    ...{ tile_size: 4, tile_ratio: 1, tile_st: [0, 0], n_rows: 2, n_columns: 2 },
  }),
  mutators: [json('image', 'depth', 'tile_size', 'tile_ratio'), text()],
  read: async (_, path) => {
    const volume = await tileVolume(path)
    const [depth, height, width] = volume.shape
    await volume.read([0, 0, 0], [Math.min(depth, 3), Math.min(height, 64), Math.min(width, 64)])
  },
}

/** For readers of folders: one beside the input that has these files. */
function inFolder<T>(
  path: string,
  files: readonly (readonly [name: string, content: Buffer])[],
  read: (root: string) => T,
): T {
  const root = `${path}-${files.map(([name]) => name.replace('/', '-')).join('-')}.folder`
  for (const [name, content] of files) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  return read(root)
}
