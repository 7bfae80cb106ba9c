import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatDota,
  formatVoc,
  formatYolo,
  maskOfBox,
  parseDota,
  parseVoc,
  parseYolo,
  readCoco,
  readCocoCaptions,
  readCocoResults,
  readDota,
  readImageFolder,
  readVoc,
  readYolo,
  writeCoco,
  writeDota,
  writeVoc,
  writeYolo,
  type YoloObject,
} from '../../lib/datasets'
import { writeImage } from '../../lib/io'
import { evaluateCoco } from '../../lib/metrics'
import { full } from '../../lib/tensor'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()

function fileOf(name: string, content: unknown): string {
  writeFileSync(folder(name), typeof content === 'string' ? content : JSON.stringify(content))
  return folder(name)
}

describe('COCO', () => {
  const image = { id: 3, file_name: 'a.jpg', width: 6, height: 4, coco_url: 'kept' }
  const person = { id: 1, name: 'person', supercategory: 'animal', keypoints: ['nose', 'tail'], skeleton: [[1, 2]] }
  const annotation = {
    ...{ id: 9, image_id: 3, category_id: 1, bbox: [1, 2, 3, 1], area: 3, iscrowd: 0 },
    ...{ segmentation: [[1, 2, 4, 2, 4, 3]], keypoints: [1, 2, 2, 0, 0, 0], num_keypoints: 1 },
  }
  const data = { info: { year: 2017 }, images: [image], categories: [person], annotations: [annotation] }

  test('is read whole, and written as it was', async () => {
    const read = await readCoco(fileOf('instances.json', data))
    expect(read).toEqual(data)
    await writeCoco(folder('again.json'), read)
    expect(JSON.parse(readFileSync(folder('again.json'), 'utf8'))).toEqual(data)
    const crowd = { ...annotation, iscrowd: 1, segmentation: { size: [4, 6], counts: [6, 1, 17] } }
    const crowded = await readCoco(fileOf('crowd.json', { ...data, annotations: [crowd] }))
    expect(crowded.annotations[0]?.segmentation).toEqual(crowd.segmentation)
  })

  test('is what the evaluation takes, results too', async () => {
    const { counts } = maskOfBox([1, 2, 3, 1], 4, 6)
    const results = [
      { image_id: 3, category_id: 1, score: 0.5, bbox: [1, 2, 3, 1], segmentation: { size: [4, 6], counts } },
    ]
    const found = await readCocoResults(fileOf('results.json', results))
    expect(found).toEqual(results)
    const truth = await readCoco(fileOf('instances.json', data))
    expect(evaluateCoco(truth, found).ap).toBeCloseTo(1, 12)
  })

  test('captions are read', async () => {
    const captions = { images: [image], annotations: [{ id: 1, image_id: 3, caption: 'A dog.' }] }
    expect(await readCocoCaptions(fileOf('captions.json', captions))).toEqual(captions)
    const lost = { ...captions, annotations: [{ id: 1, image_id: 4, caption: 'A dog.' }] }
    await expect(readCocoCaptions(fileOf('lost.json', lost))).rejects.toThrow(
      /annotations\[0\]\.image_id: there is no image 4/,
    )
  })

  const changed = (change: object) => ({ ...data, annotations: [{ ...annotation, ...change }] })
  test.each<[string, unknown, RegExp]>([
    ['cut.json', '{"images": [\n  {"id": 1,\n', /cut\.json: is no JSON at line \d+, column \d+/],
    ['list.json', [], /list\.json: \[\] is not an object/],
    ['none.json', { ...data, images: undefined }, /images: what is missing is not a list/],
    ['size.json', { ...data, images: [{ ...image, width: '6' }] }, /images\[0\]\.width: "6" is not a whole number/],
    ['twice.json', { ...data, images: [image, image] }, /images\[1\]\.id: 3 is the id of another one too/],
    ['box.json', changed({ bbox: [1, 2, 3] }), /annotations\[0\]\.bbox: has 3 numbers, not 4/],
    ['wide.json', changed({ bbox: [1, 2, -3, 1] }), /annotations\[0\]\.bbox: is -3 wide/],
    ['nan.json', changed({ bbox: [1, 2, null, 1] }), /annotations\[0\]\.bbox\[2\]: null is not a finite number/],
    ['category.json', changed({ category_id: 5 }), /annotations\[0\]\.category_id: there is no category 5/],
    [
      'points.json',
      changed({ keypoints: [1, 2, 2] }),
      /annotations\[0\]\.keypoints: has 3 numbers; person has 2 points/,
    ],
    ['corner.json', changed({ segmentation: [[1, 2, 3, 4]] }), /segmentation\[0\]: has 4 numbers; a polygon/],
    [
      'runs.json',
      changed({ segmentation: { size: [4, 6], counts: [3] } }),
      /segmentation\.counts: the runs cover 3 pixels/,
    ],
    [
      'packed.json',
      changed({ segmentation: { size: [4, 6], counts: '~~' } }),
      /segmentation\.counts: RLE: '~~' is no string/,
    ],
  ])('malformed is refused with file and field: %s', async (name, content, message) => {
    await expect(readCoco(fileOf(name, content))).rejects.toMatchObject({
      kind: 'Format',
      message: expect.stringMatching(message),
    })
    await expect(readCoco(folder('absent.json'))).rejects.toThrow(/cannot read .*absent\.json/)
  })
})

describe('Pascal VOC', () => {
  const text = `<?xml version="1.0"?>
<!-- made by hand -->
<annotation verified="yes">
  <folder>VOC2007</folder><filename>a &amp; b.jpg</filename>
  <source><database>unknown</database></source>
  <size><width>500</width><height>375</height><depth>3</depth></size>
  <segmented>0</segmented>
  <object>
    <name>person</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>
    <bndbox><xmin>8</xmin><ymin>12.5</ymin><xmax>352</xmax><ymax>498</ymax></bndbox>
    <part><name>head</name><bndbox><xmin>9</xmin><ymin>13</ymin><xmax>20</xmax><ymax>30</ymax></bndbox></part>
  </object>
</annotation>`
  const annotation = {
    ...{ folder: 'VOC2007', filename: 'a & b.jpg', size: { width: 500, height: 375, depth: 3 }, segmented: false },
    objects: [
      {
        ...{ name: 'person', pose: 'Left', truncated: true, difficult: false, box: [8, 12.5, 352, 498] },
        parts: [{ name: 'head', box: [9, 13, 20, 30] }],
      },
    ],
  }

  test('is read, and read again from what is written', async () => {
    expect(await readVoc(fileOf('a.xml', text))).toEqual(annotation)
    await writeVoc(folder('b.xml'), parseVoc(text))
    expect(await readVoc(folder('b.xml'))).toEqual(annotation)
    expect(formatVoc(parseVoc(text))).toContain('<filename>a &amp; b.jpg</filename>')
  })

  test.each([
    [text.replace('</size>', ''), /the text:13: <\/annotation> closes an element while <size> of line 6 is open/],
    [text.replace('<width>500</width>', ''), /the text:6: <size> has no <width>/],
    [text.replace('12.5', 'twelve'), /the text:10: <ymin> holds 'twelve', which is not a finite number/],
    [text.replace('352', '3'), /the text:10: <bndbox> ends at 3, 498, before it begins/],
    [text.replace('<difficult>0', '<difficult>maybe'), /the text:9: <difficult> holds 'maybe'/],
    [text.slice(0, 200), /the text:6: a tag does not end/],
    [text.slice(0, text.indexOf('<part>')), /the file ends, but <object> of line 8 is open/],
    [text.replaceAll('annotation', 'picture'), /<picture> is no <annotation>/],
    [`${text}<more/>`, /<more> is a second outermost element/],
    [text.replace('&amp;', '&nothing;'), /the text:4: '&nothing;' is no character/],
    ['', /there is no element/],
    ['plain', /'plain' stands outside/],
  ])('malformed is refused with line and element (%#)', (xml, message) => {
    expect(() => parseVoc(xml)).toThrow(message)
  })
})

describe('DOTA', () => {
  const text = 'imagesource:GoogleEarth\ngsd:0.115\n1 2 3.5 4 5 6 7 8 small-vehicle 1\n\n9 9 8 8 7 7 6 6 ship 0\n'
  const annotation = {
    ...{ imageSource: 'GoogleEarth', gsd: 0.115 },
    objects: [
      { corners: [1, 2, 3.5, 4, 5, 6, 7, 8], name: 'small-vehicle', difficult: 1 },
      { corners: [9, 9, 8, 8, 7, 7, 6, 6], name: 'ship', difficult: 0 },
    ],
  }

  test('is read, and read again from what is written', async () => {
    expect(await readDota(fileOf('P1.txt', text))).toEqual(annotation)
    await writeDota(folder('P2.txt'), parseDota(text))
    expect(await readDota(folder('P2.txt'))).toEqual(annotation)
    expect(parseDota('gsd:null\r\n1 2 3 4 5 6 7 8 plane')).toEqual({
      objects: [{ corners: [1, 2, 3, 4, 5, 6, 7, 8], name: 'plane', difficult: 0 }],
    })
  })

  test.each([
    ['1 2 3 4 5 6 7 plane', /the text:1: has 8 fields/],
    ['gsd:1\n1 2 x 4 5 6 7 8 plane 0', /the text:2: x2: 'x' is not a finite number/],
    ['1 2 3 4 5 6 7 8 plane 3', /the text:1: difficult: 3 is neither/],
    ['1 2 3 4 5 6 7 8 plane 0\ngsd:1', /the text:2: 'gsd' comes before/],
    ['gsd:far', /gsd: 'far' is not/],
  ])('malformed is refused with line and field: %j', (malformed, message) => {
    expect(() => parseDota(malformed)).toThrow(message)
  })

  test('a name with spaces is not written', () => {
    const [object] = parseDota('1 2 3 4 5 6 7 8 plane').objects
    expect(() => formatDota({ objects: [{ ...object, name: 'large plane' } as never] })).toThrow(/has spaces/)
  })
})

describe('YOLO', () => {
  test('boxes, outlines and poses are read, and read again from what is written', async () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    const object = (length: number) => fc.tuple(fc.nat(79), fc.array(share, { minLength: length, maxLength: length }))
    const box = (values: number[]) => values.slice(0, 4) as unknown as readonly [number, number, number, number]
    fc.assert(
      fc.property(fc.array(object(10)), (objects) => {
        const made = (make: (category: number, values: number[]) => YoloObject) => objects.map(([c, v]) => make(c, v))
        const boxes = made((category, v) => ({ kind: 'box', category, box: box(v), score: v[4] as number }))
        expect(parseYolo(formatYolo(boxes))).toEqual(boxes)
        const outlines = made((category, polygon) => ({ kind: 'polygon', category, polygon }))
        expect(parseYolo(formatYolo(outlines), { task: 'segment' })).toEqual(outlines)
        const poses = made((category, v) => ({ kind: 'pose', category, box: box(v), keypoints: v.slice(4) }))
        expect(parseYolo(formatYolo(poses), { task: 'pose', keypoints: [2, 3] })).toEqual(poses)
      }),
      { numRuns: 50 },
    )
    await writeYolo(folder('y.txt'), [{ kind: 'box', category: 1, box: [0.5, 0.5, 0.25, 1] }])
    expect(readFileSync(folder('y.txt'), 'utf8')).toBe('1 0.5 0.5 0.25 1\n')
    expect(await readYolo(folder('y.txt'))).toHaveLength(1)
    expect(parseYolo('')).toEqual([])
  })

  test.each([
    ['0 0.5 0.5 0.5', {}, /the text:1: has 4 fields/],
    ['\n0 0.5 1.5 0.5 0.5', {}, /the text:2: y: 1\.5 is not from 0 to 1/],
    ['1.5 0 0 0 0', {}, /the text:1: category: 1\.5 is no whole number/],
    ['3 0 0 0 0', { names: ['a', 'b'] }, /category: there is no category 3; there are 2/],
    ['0 0 0 0 0 high', {}, /score: 'high' is not/],
    ['0 0 0 1 1', { task: 'segment' }, /has 4 numbers after the category/],
    ['0 0 0 1 1 1', { task: 'pose', keypoints: [1, 2] }, /has 6 fields; .* then 1 points of 2/],
    ['0 0 0 1 1 0 2', { task: 'pose', keypoints: [1, 2] }, /y1: 2 is not from 0 to 1/],
  ] as const)('malformed is refused with line and field: %j', (malformed, options, message) => {
    expect(() => parseYolo(malformed, options as never)).toThrow(message)
  })

  test('lengths beyond the picture are not written', () => {
    expect(() => formatYolo([{ kind: 'box', category: 0, box: [0, 0, 2, 1] }])).toThrow(/category 0 with 2/)
  })
})

test('a folder of pictures for each class', async () => {
  for (const name of ['b/2.png', 'b/1.png', 'a/deep/3.png']) {
    mkdirSync(folder('root', name, '..'), { recursive: true })
    await writeImage(full([3, 2, 2], Number(/\d/.exec(name)?.[0])).to('uint8'), folder('root', name))
  }
  writeFileSync(folder('root', 'b', 'notes.txt'), '')
  const data = await readImageFolder(folder('root'), { transform: (image) => image.mul(2) })
  expect(data.classes).toEqual(['a', 'b'])
  expect(data.length).toBe(3)
  const samples = await Promise.all([0, 1, 2].map((i) => data.get(i)))
  expect(samples.map(({ label }) => label)).toEqual([0, 1, 1])
  expect(samples.map(({ image }) => image.at(0, 0, 0).item())).toEqual([6, 2, 4])
  await expect(data.get(3)).rejects.toThrow(/no sample 3; there are 3/)
  mkdirSync(folder('root', 'empty'))
  await expect(readImageFolder(folder('root'))).rejects.toThrow(/empty has no pictures/)
  await expect(readImageFolder(folder('nowhere'))).rejects.toThrow(/cannot list/)
})
