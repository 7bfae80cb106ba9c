import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import {
  openVolume,
  readLabelledVolumes,
  readMirrored,
  sliceVolume,
  tensorVolume,
  tileVolume,
} from '../../../lib/datasets'
import { readNpz, readSlice, writeImage, writeNpy, writeNpz } from '../../../lib/io'
import { asBytes, MitochondriaSegmenter, system, VolumeSegmenter } from '../../../lib/models/segmentation/mitoem'
import { saveSystemWeights } from '../../../lib/pipeline'
import { Generator, manualSeed, randint, type Tensor, tensor, tidyAsync } from '../../../lib/tensor'
import { runCli } from '../../support/cli'
import { liveTensors, liveTensorsDownTo } from '../../support/live-tensors'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]
const made = (name: string) => {
  mkdirSync(folder(name), { recursive: true })
  return (...parts: string[]) => folder(name, ...parts)
}
const grey = (seed: number, shape: readonly number[]) =>
  randint(0, 256, shape, { generator: new Generator(seed), dtype: 'uint8' })
const ids = (seed: number, shape: readonly number[], most: number) =>
  randint(0, most, shape, { generator: new Generator(seed), dtype: 'int32' })

/** Numbers as colours, as MitoEM's slices hold them. */
const coloured = (labels: Tensor) => {
  const byte = (shift: number) => labels.bitwiseRightShift(shift).bitwiseAnd(255).to('uint8').unsqueeze(0)
  return [16, 8, 0].map(byte)
}
async function writeColoured(labels: Tensor, path: string): Promise<void> {
  const [height = 0, width = 0] = labels.shape
  const planes = coloured(labels).map(numbers)
  const pixels = Uint8Array.from({ length: 3 * height * width }, (_, i) => planes[i % 3]?.[Math.floor(i / 3)] ?? 0)
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path)
}

/** Slices as pages of a TIFF. */
async function writePages(volume: Tensor, path: string): Promise<void> {
  const [depth = 0, height = 0, width = 0] = volume.shape
  const slices = Array.from({ length: depth }, (_, z) => Buffer.from(numbers(volume.select(0, z))))
  const files = await Promise.all(
    slices.map((slice) =>
      sharp(slice, { raw: { width, height, channels: 1 } })
        .toColourspace('b-w')
        .png()
        .toBuffer(),
    ),
  )
  await sharp(files, { join: { animated: true } })
    .toColourspace('b-w')
    .tiff({ compression: 'none' })
    .toFile(path)
}

describe('14. volumes in tiles', () => {
  const SIDE = 12
  /** Three slices of 2 × 2 tiles, whose names count rows from 5 and columns from 7. */
  async function tiles(name: string, at: (...parts: string[]) => string, volume: Tensor, labels: boolean) {
    for (let i = 0; i < 12; i++) {
      const [z, row, column] = [Math.floor(i / 4), Math.floor(i / 2) % 2, i % 2]
      const tile = volume
        .select(0, z)
        .narrow(0, SIDE * row, SIDE)
        .narrow(1, SIDE * column, SIDE)
      const path = at(`${name}${z}_${row + 5}_${column + 7}.png`)
      await (labels ? writeColoured(tile, path) : writeImage(tile, path))
    }
    const image = [0, 1, 2].map((z) => `${name}${z}_{row}_{column}.png`)
    const sizes = { depth: 3, height: 2 * SIDE, width: 2 * SIDE, tile_size: SIDE, n_rows: 2, n_columns: 2 }
    writeFileSync(at(`${name}.json`), JSON.stringify({ image, ...sizes, tile_st: [5, 7], dtype: 'uint8', ndim: 1 }))
    return at(`${name}.json`)
  }

  test('give the crop of the whole, with numbers read from colours; a missing tile is grey, or background', async () => {
    await tidyAsync(async () => {
      const at = made('tiles')
      const [image, labels] = [grey(1, [3, 24, 24]), ids(2, [3, 24, 24], 300_000)]
      const [pictures, truth] = [
        await tileVolume(await tiles('im', at, image, false)),
        await tileVolume(await tiles('seg', at, labels, true), { labels: true }),
      ]
      expect(pictures.shape).toEqual([3, 24, 24])
      const crop = (x: Tensor) => x.narrow(0, 1, 2).narrow(1, 4, 17).narrow(2, 9, 10)
      for (const [volume, whole] of [
        [pictures, image],
        [truth, labels],
      ] as const) {
        expect(numbers(await volume.read([1, 4, 9], [2, 17, 10]))).toEqual(numbers(crop(whole)))
      }
      // Beyond the border a block mirrors.
      const beyond = await readMirrored(pictures, [-1, 0, -2], [2, 1, 4])
      const values = numbers(image)
      const voxel = (z: number, y: number, x: number) => values[(z * 24 + y) * 24 + x]
      expect(numbers(beyond)).toEqual([1, 0].flatMap((z) => [2, 1, 0, 1].map((x) => voxel(z, 0, x))))
      await expect(pictures.read([0, 0, 20], [1, 1, 5])).rejects.toThrow(/is not within 3 × 24 × 24 voxels/)
      rmSync(at('im1_5_7.png'))
      rmSync(at('seg1_5_7.png'))
      expect(numbers(await pictures.read([1, 0, 11], [1, 1, 2]))).toEqual([128, voxel(1, 0, 12)])
      expect(numbers(await truth.read([1, 0, 10], [1, 1, 2]))).toEqual([0, 0])
    })
  })

  test('whose file is none are refused by name', async () => {
    const at = made('manifests')
    writeFileSync(at('a.json'), '{"image": ["a.png"], "depth": 2}')
    writeFileSync(at('b.json'), 'no json')
    const sizes = { depth: 2, height: 4, width: 4, tile_size: 4, n_rows: 1, n_columns: 1 }
    writeFileSync(at('c.json'), JSON.stringify({ image: ['a.png'], ...sizes }))
    await expect(tileVolume(at('a.json'))).rejects.toThrow(/is no manifest of tiles: height/)
    await expect(tileVolume(at('b.json'))).rejects.toThrow(/is no JSON/)
    await expect(tileVolume(at('c.json'))).rejects.toThrow(/names 1 slices, its depth is 2/)
    await expect(tileVolume(at('none.json'))).rejects.toThrow(/cannot read .*no such file/i)
  })
})

describe('volumes', () => {
  test('are read from arrays, folders and TIFFs of several pages', async () => {
    await tidyAsync(async () => {
      const at = made('volumes')
      const volume = grey(3, [3, 8, 6])
      const check = async (input: string | Tensor, whole: Tensor = volume) => {
        const source = await openVolume(input)
        expect(source.shape).toEqual(whole.shape)
        expect(numbers(await source.read([0, 0, 0], source.shape))).toEqual(numbers(whole))
      }
      await writeNpz(at('a.npz'), { volume, other: volume.add(1) })
      await writeNpy(at('a.npy'), volume)
      mkdirSync(at('slices'))
      for (let z = 0; z < 3; z++) await writeImage(volume.select(0, z), at('slices', `im${z}.png`))
      await writePages(volume, at('a.tif'))
      for (const input of [at('a.npz'), at('a.npy'), at('slices'), at('a.tif'), volume]) await check(input)
      await check(volume.select(0, 0), volume.narrow(0, 0, 1))
      await writeNpz(at('b.npz'), { one: volume, two: volume })
      await expect(openVolume(at('b.npz'))).rejects.toThrow(/has no array 'volume'; it has one, two/)
      await writeNpy(at('b.npy'), volume.unsqueeze(0))
      await expect(openVolume(at('b.npy'))).rejects.toThrow(/has the shape \[1, 3, 8, 6\]/)
      await expect(openVolume(at('a.csv'))).rejects.toThrow(/'.csv' .* is no volume/)
      await writeImage(grey(1, [1, 9, 6]), at('slices', 'im3.png'))
      const uneven = await sliceVolume(at('slices'))
      await expect(uneven.read([3, 0, 0], [1, 1, 1])).rejects.toThrow(
        /im3.png has 9 × 6 pixels; the first slice has 8 × 6/,
      )
    })
  })

  test('of more than 8 bits are stretched to bytes, others are left as they are', async () => {
    await tidyAsync(async () => {
      const bytes = async (values: readonly number[], dtype: 'int32' | 'float32' | 'uint8') => {
        const source = await asBytes(tensorVolume(tensor([...values], { dtype, shape: [2, 1, 2] })))
        const read = await source.read([0, 0, 0], [2, 1, 2])
        expect(read.dtype).toBe('uint8')
        return numbers(read)
      }
      expect(await bytes([0, 7, 255, 3], 'uint8')).toEqual([0, 7, 255, 3])
      expect(await bytes([2, 7, 200, 3], 'int32')).toEqual([2, 7, 200, 3])
      expect(await bytes([1000, 2000, 3000, 1500], 'int32')).toEqual([0, 128, 255, 64])
      expect(await bytes([0, 0.5, 1, 0.25], 'float32')).toEqual([0, 128, 255, 64])
    })
  })

  test('of 16 bits keep them', async () => {
    await tidyAsync(async () => {
      const path = folder('deep.png')
      await sharp(Uint16Array.from([0, 300, 65535, 4]), { raw: { width: 2, height: 2, channels: 1 } })
        .toColourspace('grey16')
        .png()
        .toFile(path)
      const slice = await readSlice(path, { labels: true })
      expect([slice.dtype, ...numbers(slice)]).toEqual(['int32', 0, 300, 65535, 4])
    })
  })
})

describe('data sets', () => {
  test('in MitoEM’s layout go by the numbers of their slices', async () => {
    await tidyAsync(async () => {
      const at = made('mitoem')
      for (const name of ['im', 'mito_train', 'mito_val']) mkdirSync(at(name))
      const [image, labels] = [grey(4, [5, 8, 8]), ids(5, [5, 8, 8], 70_000)]
      for (let z = 0; z < 5; z++) {
        await writeImage(image.select(0, z), at('im', `im000${z}.png`))
        await writeColoured(labels.select(0, z), at(z < 3 ? 'mito_train' : 'mito_val', `seg000${z}.png`))
      }
      for (const [part, from, count] of [
        ['train', 0, 3],
        ['val', 3, 2],
      ] as const) {
        const [volume] = await readLabelledVolumes(folder('mitoem'), part)
        expect(volume?.image.shape).toEqual([count, 8, 8])
        const read = async (source = volume?.image) => numbers((await source?.read([0, 0, 0], [count, 8, 8])) as Tensor)
        expect(await read()).toEqual(numbers(image.narrow(0, from, count)))
        expect(await read(volume?.labels)).toEqual(numbers(labels.narrow(0, from, count)))
      }
      rmSync(at('im', 'im0004.png'))
      await expect(readLabelledVolumes(folder('mitoem'), 'val')).rejects.toThrow(
        /1 of 2 files.*\n.*seg0004.png: there is no slice of its number/,
      )
      const notes: string[] = []
      const [rest] = await readLabelledVolumes(folder('mitoem'), 'val', {
        skipBroken: true,
        note: (text) => notes.push(text),
      })
      expect(rest?.image.shape).toEqual([1, 8, 8])
      expect(notes).toHaveLength(1)
    })
  })

  test('in EPFL’s layout have the components of their masks', async () => {
    await tidyAsync(async () => {
      const at = made('lucchi')
      const pages = (values: readonly number[]) => tensor(Uint8Array.from(values), { shape: [2, 2, 3] })
      await writePages(pages([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), at('training.tif'))
      const masks = [255, 0, 255, 0, 0, 255, 255, 0, 0, 255, 0, 255]
      await writePages(pages(masks), at('training_groundtruth.tif'))
      const [volume] = await readLabelledVolumes(folder('lucchi'), 'train')
      expect(numbers((await volume?.image.read([1, 0, 0], [1, 2, 3])) as Tensor)).toEqual([7, 8, 9, 10, 11, 12])
      expect(numbers((await volume?.labels.read([0, 0, 0], [2, 2, 3])) as Tensor)).toEqual([
        1, 0, 2, 0, 0, 2, 1, 0, 0, 1, 0, 2,
      ])
    })
  })

  test('of one’s own are arrays, or files beside their labels; what is wrong is named', async () => {
    await tidyAsync(async () => {
      const at = made('own')
      mkdirSync(at('train'))
      const [image, labels] = [grey(6, [2, 8, 8]), ids(7, [2, 8, 8], 5)]
      await writeNpz(at('train', 'a.npz'), { volume: image, labels })
      await writeNpy(at('train', 'b.npy'), image)
      await writeNpy(at('train', 'b.labels.npy'), labels)
      expect((await readLabelledVolumes(folder('own'), 'train')).map(({ name }) => name)).toEqual([
        at('train', 'a.npz'),
        at('train', 'b.npy'),
      ])
      await writeNpz(at('train', 'c.npz'), { volume: image, labels: labels.narrow(0, 0, 1) })
      await writeNpy(at('train', 'd.npy'), image)
      writeFileSync(at('train', 'e.npz'), 'broken')
      const failed = await readLabelledVolumes(folder('own'), 'train').catch((error: Error) => error.message)
      expect(failed).toMatch(/3 of 5 files cannot be used/)
      expect(failed).toMatch(/c.npz has 2 × 8 × 8 voxels, its labels have 1 × 8 × 8/)
      expect(failed).toMatch(/d.npy: has no labels d.labels.npy/)
      expect(await readLabelledVolumes(folder('own'), 'train', { skipBroken: true })).toHaveLength(2)
      await expect(readLabelledVolumes(folder('own'), 'val')).rejects.toThrow(/is in no layout that is read: MitoEM/)
    })
  })
})

test('a pipeline writes labels, objects and a picture, and leaves no tensors', async () => {
  const before = await liveTensors()
  await tidyAsync(async () => {
    manualSeed(1)
    const config = system.config.parse({
      ...system.tiny,
      decoding: { decoder: 'cc', seed: 0.3, contour: 1, smallest: 1 },
    })
    const weights = folder('weights.safetensors')
    using model = system.create(config)
    await saveSystemWeights(weights, 'mitoem', config, model)
    using segmenter = await MitochondriaSegmenter.load({ weights, device: 'cpu' })
    const stages = new Set<string>()
    using found = await segmenter.run(grey(8, [5, 40, 36]), { onProgress: ({ stage }) => stages.add(stage) })
    expect([...stages]).toEqual(['windows', 'objects'])
    expect(found.labels.shape).toEqual([5, 40, 36])
    expect(found.objects).toHaveLength(Number(found.labels.amax().item()))
    expect(found.objects.reduce((sum, { voxels }) => sum + voxels, 0)).toBe(Number(found.labels.gt(0).sum().item()))
    await found.toFile(folder('labels.npz'))
    expect((await readNpz(folder('labels.npz'))).get('labels')?.equal(found.labels)).toBe(true)
    await found.toFile(folder('labels.png'))
    const { width, height } = await sharp(folder('labels.png')).metadata()
    expect([width, height]).toEqual([3 * 36 + 4, 2 * 40 + 2])
    await expect(found.toFile(folder('labels.txt'))).rejects.toThrow(/'.txt' of .* is not written/)
    await expect(MitochondriaSegmenter.load({})).rejects.toThrow(/there are no weights/)
  })
  expect(await liveTensorsDownTo(before)).toBe(before)
})

test('maps are the same whatever the blocks, and blocks that are kept are not computed again', async () => {
  await tidyAsync(async () => {
    manualSeed(2)
    const config = (block: readonly number[]) =>
      system.config.parse({ ...system.tiny, inference: { ...system.tiny.inference, stride: [2, 16, 16], block } })
    using model = system.create(config([8, 64, 64])).eval()
    const volume = tensorVolume(grey(9, [6, 40, 36]))
    using whole = new VolumeSegmenter(model, config([8, 64, 64]), 'cpu')
    using parts = new VolumeSegmenter(model, config([3, 20, 36]), 'cpu')
    const expected = await whole.maps(volume)
    const kept = made('blocks')()
    expect((await parts.maps(volume, { folder: kept })).equal(expected)).toBe(true)
    expect(readdirSync(kept).sort()).toEqual(['0-0-0.npy', '0-20-0.npy', '3-0-0.npy', '3-20-0.npy'])
    rmSync(folder('blocks', '3-0-0.npy'))
    let windows = 0
    const again = await parts.maps(volume, { folder: kept, onProgress: () => windows++ })
    expect(again.equal(expected)).toBe(true)
    const all = { count: 0 }
    await parts.maps(volume, { onProgress: () => all.count++ })
    expect(windows).toBeGreaterThan(0)
    expect(windows).toBeLessThan(all.count / 2)
  })
})

test('the command numbers the objects of a file, and names an option that there is not', async () => {
  const at = made('command')
  await tidyAsync(async () => {
    manualSeed(3)
    const config = system.config.parse({
      ...system.tiny,
      decoding: { decoder: 'cc', seed: 0.3, contour: 1, smallest: 1 },
    })
    using model = system.create(config)
    await saveSystemWeights(at('weights.safetensors'), 'mitoem', config, model)
    await writeNpz(at('volume.npz'), { volume: grey(10, [4, 32, 32]) })
  })
  const args = ['segment3d', at('volume.npz'), '--weights', at('weights.safetensors'), '--json']
  const { code, stdout } = await runCli([...args, '-o', at('labels.npz')])
  expect(code).toBe(0)
  const [{ result, output }] = JSON.parse(stdout).results
  expect(output).toBe(at('labels.npz'))
  expect(result.shape).toEqual([4, 32, 32])
  await tidyAsync(async () => {
    const labels = (await readNpz(at('labels.npz'))).get('labels')
    expect(result.objects).toHaveLength(Number(labels?.amax().item()))
  })
  const wrong = await runCli([...args, '-o', at('other.npz'), '--set', 'decoding.sed=0.9'])
  expect(wrong.code).toBe(1)
  expect(wrong.stderr).toMatch(/decoding.sed is no key; the nearest is decoding.seed/)
})

test('a pipeline refuses weights of another variant, and windows that the network cannot halve', async () => {
  const before = await liveTensors()
  await tidyAsync(async () => {
    const config = system.config.parse(system.tiny)
    const weights = folder('other.safetensors')
    using model = system.create(config)
    await saveSystemWeights(weights, 'mitoem', config, model)
    const other = MitochondriaSegmenter.load({ weights, config: { network: { representation: 'A' } } })
    await expect(other).rejects.toThrow(/net\.head\.conv\.weight/)
    const narrow = MitochondriaSegmenter.load({ weights, config: { inference: { window: [4, 20, 32] } } })
    await expect(narrow).rejects.toThrow(/inference.window is 4, 20, 32; rows and columns are multiples of 16/)
  })
  expect(await liveTensorsDownTo(before)).toBe(before)
})
