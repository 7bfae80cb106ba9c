// Data sets in their layouts, what is wrong with them, and what augmentation makes of them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readTt100k, readYoloNames, TT100K_CLASSES } from '../../../lib/datasets'
import { writeImage } from '../../../lib/io'
import { Config, detectionData, syntheticPictures } from '../../../lib/models/detection/cau-csa-yolov5'
import { collateDetection, randomCrop, TrainingSamples } from '../../../lib/models/detection/cau-csa-yolov5/samples'
import { parseConfig } from '../../../lib/pipeline'
import { Generator, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const config = (over: object = {}) => parseConfig(Config, { network: { base: 'n' }, ...over }, 'test')

async function picture(path: string, height: number, width: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  await tidyAsync(() => writeImage(zeros([3, height, width]), path))
}

function text(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

describe('YOLO', () => {
  test('pictures and labels of a part, boxes in pixels; a picture without labels is one without objects', async () => {
    const root = folder('yolo')
    await picture(`${root}/images/train/a.png`, 20, 40)
    await picture(`${root}/images/train/b.png`, 20, 40)
    text(`${root}/labels/train/a.txt`, '1 0.5 0.5 0.25 0.5\n')
    text(`${root}/data.yaml`, 'train: images/train\nnames: [\'stop\', "yield"]\n')
    const notes: string[] = []
    const data = await detectionData('train', { data: root, note: (line) => notes.push(line) }, config())
    expect(data.classes).toEqual(['stop', 'yield'])
    expect(data.pictures.map(({ objects }) => objects)).toEqual([
      [{ category: 1, box: [15, 5, 25, 15], area: 100, crowd: false }],
      [],
    ])
    expect(notes).toEqual([expect.stringMatching(/1 of 2 pictures .* have no labels/)])
    await expect(detectionData('val', { data: root, note: () => {} }, config())).rejects.toThrow(/neither images\/val/)
  })

  test('names all files that cannot be used, and leaves them out when asked', async () => {
    const root = folder('broken')
    for (const name of ['a', 'b', 'c']) await picture(`${root}/train/images/${name}.png`, 16, 16)
    text(`${root}/train/images/d.png`, 'no picture')
    text(`${root}/train/labels/a.txt`, '0 0.5 0.5 0.25 0.5\n')
    text(`${root}/train/labels/b.txt`, '7 0.5 0.5 0.25 0.5\n')
    text(`${root}/train/labels/c.txt`, '0 1.5 0.5 0.25 0.5\n')
    text(`${root}/classes.txt`, 'stop\n')
    const request = { data: root, note: () => {} }
    await expect(detectionData('train', request, config())).rejects.toThrow(
      /3 of 4 files cannot be used:[\s\S]*b\.txt:1[\s\S]*there is no category 7[\s\S]*c\.txt:1[\s\S]*1\.5 is not from 0 to 1[\s\S]*d\.png/,
    )
    const data = await detectionData('train', { ...request, skipBroken: true }, config())
    expect(data.pictures).toHaveLength(1)
    await expect(detectionData('train', { ...request, skipBroken: true }, config({ classes: ['go'] }))).rejects.toThrow(
      /the network has the classes go; .* has 1: stop/,
    )
  })

  test.each([
    ['flow list', 'nc: 2\nnames: [a, b]\n'],
    ['list over lines', 'names:\n  - a # first\n  - "b"\nnc: 2\n'],
    ['numbers', "names:\n  0: a\n  1: 'b'\n"],
  ])('reads names written as %s', async (name, content) => {
    text(folder(name, 'data.yaml'), content)
    expect(await readYoloNames(folder(name))).toEqual(['a', 'b'])
  })

  test('says what is wrong with names', async () => {
    text(folder('gap', 'data.yaml'), 'names:\n  0: a\n  2: b\n')
    await expect(readYoloNames(folder('gap'))).rejects.toThrow(/2 comes where 1 should be/)
    mkdirSync(folder('empty'), { recursive: true })
    await expect(readYoloNames(folder('empty'))).rejects.toThrow(/does not say what its classes are called/)
    await expect(detectionData('train', { data: folder('empty'), note: () => {} }, config())).rejects.toThrow(
      /no layout/,
    )
  })
})

test('COCO: classes by their places, crowds marked, a picture of another size named', async () => {
  const root = folder('coco')
  await picture(`${root}/val2017/1.png`, 20, 30)
  await picture(`${root}/val2017/2.png`, 20, 30)
  const image = (id: number, width: number) => ({ id, file_name: `${id}.png`, height: 20, width })
  const object = { image_id: 1, bbox: [1, 2, 3, 4], area: 7 }
  const file = {
    images: [image(1, 30), image(2, 31), image(3, 30)],
    categories: [
      { id: 9, name: 'cat' },
      { id: 4, name: 'dog' },
    ],
    annotations: [
      { id: 1, category_id: 9, ...object },
      { id: 2, category_id: 4, iscrowd: 1, ...object },
    ],
  }
  text(`${root}/annotations/instances_val2017.json`, JSON.stringify(file))
  const request = { data: root, note: () => {} }
  await expect(detectionData('val', request, config())).rejects.toThrow(
    /2 of 3[\s\S]*31 × 20 by its annotation[\s\S]*3\.png/,
  )
  const { classes, pictures } = await detectionData('val', { ...request, skipBroken: true }, config())
  expect(classes).toEqual(['dog', 'cat'])
  expect(pictures[0]?.objects).toEqual([
    { category: 1, box: [1, 2, 4, 6], area: 7, crowd: false },
    { category: 0, box: [1, 2, 4, 6], area: 7, crowd: true },
  ])
})

test('10. TT-100K: the 45 classes, the parts, pictures left empty dropped, sizes as counted by hand', async () => {
  expect(new Set(TT100K_CLASSES).size).toBe(45)
  expect([...TT100K_CLASSES].sort()).toEqual(TT100K_CLASSES)
  const sign = (category: string, side: number) => ({
    category,
    bbox: { xmin: 10, ymin: 10, xmax: 10 + side, ymax: 10 + side },
  })
  const imgs = {
    1: { id: 1, path: 'train/1.jpg', objects: [sign('pl30', 20), sign('w99', 20), sign('wo', 32)] },
    2: { id: 2, path: 'train/2.jpg', objects: [sign('w99', 50)] },
    3: { id: 3, path: 'test/3.jpg', objects: [sign('i2', 96), sign('pn', 100)] },
    4: { id: 4, path: 'other/4.jpg', objects: [sign('i2', 40)] },
  }
  const path = folder('annotations.json')
  text(path, JSON.stringify({ types: ['pl30'], imgs }))
  const train = await readTt100k(path, { part: 'train' })
  expect(train.map(({ id, objects }) => [id, objects.map(({ category }) => category)])).toEqual([['1', ['pl30', 'wo']]])
  expect(await readTt100k(path, { part: 'train', keepEmpty: true })).toHaveLength(2)
  const areas = (await readTt100k(path)).flatMap(({ objects }) => objects.map(({ box: [x1, , x2] }) => (x2 - x1) ** 2))
  const bins = [
    areas.filter((a) => a <= 1024),
    areas.filter((a) => a >= 1024 && a <= 9216),
    areas.filter((a) => a >= 9216),
  ]
  // 32² is small and medium, 96² medium and large.
  expect(bins.map(({ length }) => length)).toEqual([2, 3, 2])
  text(path, JSON.stringify({ imgs: { 1: { id: 1, path: 'train/1.jpg', objects: [sign('wo', 0)] } } }))
  await expect(readTt100k(path)).rejects.toThrow(/imgs\.1\.objects\[0\]\.bbox: is 0 wide and 0 high/)
})

describe('augmentation', () => {
  test('random squares of large pictures mostly hold an object', () => {
    tidy(() => {
      using generator = new Generator(0)
      const picture = { image: zeros([1, 400, 400]), boxes: tensor([[350, 20, 360, 30]]), labels: zeros([1]) }
      const squares = Array.from({ length: 200 }, () => randomCrop(picture, 100, generator))
      expect(squares.every((square) => square.image.shape.join() === '1,100,100')).toBe(true)
      // Nine of ten, and a few of the others by chance.
      const share = squares.filter(({ boxes }) => boxes.size(0) === 1).length / 200
      expect(share).toBeGreaterThan(0.82)
      expect(share).toBeLessThan(0.99)
    })
  })

  test('samples depend on their seed alone, and batches say which picture an object is in', async () => {
    await tidyAsync(async () => {
      const { pictures } = syntheticPictures(6, { side: 64, objects: 3, sizes: [8, 16], kind: 'shapes' })
      const samples = new TrainingSamples(pictures, config({ size: 64 }))
      const context = { seed: 5, epoch: 0 } as never
      const [a, b, c] = [
        await samples.get(1, context),
        await samples.get(1, context),
        await samples.get(1, { seed: 6 } as never),
      ]
      expect(a.image.equal(b.image)).toBe(true)
      expect(a.image.equal(c.image)).toBe(false)
      expect(a.image.shape).toEqual([3, 64, 64])
      const { image, targets } = collateDetection([a, c])
      expect(image.shape).toEqual([2, 3, 64, 64])
      expect(targets.shape).toEqual([a.targets.size(0) + c.targets.size(0), 6])
      const rows = targets.toArray() as number[][]
      expect(rows.map(([number]) => number)).toEqual([
        ...Array(a.targets.size(0)).fill(0),
        ...Array(c.targets.size(0)).fill(1),
      ])
      for (const [, , x = 0, y = 0, w = 0, h = 0] of rows) {
        expect(Math.min(x - w / 2, y - h / 2)).toBeGreaterThan(-1e-6)
        expect(Math.max(x + w / 2, y + h / 2)).toBeLessThan(1 + 1e-6)
      }
    })
  })

  test('without augmentation a sample is the picture and its boxes', async () => {
    await tidyAsync(async () => {
      const plain = { mosaic: 0, hue: 0, saturation: 0, value: 0, translate: 0, scale: 0, flip: 0 }
      const { pictures } = syntheticPictures(1, { side: 64, objects: 2, sizes: [8, 16], kind: 'plain' })
      const { image, targets } = await new TrainingSamples(pictures, config({ size: 64, training: plain })).get(0)
      expect(image.equal((await pictures[0]?.read()) as Tensor)).toBe(true)
      const [first] = pictures[0]?.objects ?? []
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = first?.box ?? []
      expect((targets.at(0).toArray() as number[]).map((each) => each * 64)).toEqual([
        64 * (first?.category ?? 0),
        ...[(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1],
      ])
    })
  })
})
