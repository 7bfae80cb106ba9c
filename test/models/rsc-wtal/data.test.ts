// Features in files and made up, and which of them a network sees.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RandomStream, Stream } from '../../../lib/data/random'
import { readActionFeatures, readAmbiguousSpans, writeActionFeatures } from '../../../lib/datasets'
import { writeNpy } from '../../../lib/io'
import {
  actionData,
  Config,
  createLocalizer,
  evenIndices,
  PairedBatches,
  perturbedIndices,
  syntheticVideos,
} from '../../../lib/models/video/rsc-wtal'
import { labelsOf, SegmentSamples } from '../../../lib/models/video/rsc-wtal/data'
import { full, rand, type Tensor, tidyAsync } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const random = (seed = 0) => new RandomStream(seed, 0, Stream.Samples)
const row = (x: Tensor, l: number) => x.select(0, l).toArray() as number[]

/** A data set with RGB of 1 and flow of 2, and what a test changes. */
async function written(name: string, features = 4): Promise<string> {
  const root = folder(name)
  mkdirSync(root, { recursive: true })
  const video = (video: string, part: 'train' | 'test', label: string, length: number) => ({
    ...{ name: video, part },
    features: full([length, 2 * features], 1),
    actions: [{ label, segment: [0.64, 3.2] as const }],
  })
  await tidyAsync(async () => {
    const rows = [video('a', 'train', 'run', 12), video('b', 'train', 'jump', 15), video('c', 'test', 'run', 9)]
    for (const { features: x } of rows) x.narrow(1, features, features).fill_(2)
    await writeActionFeatures(
      root,
      (async function* () {
        yield* rows
      })(),
    )
  })
  return root
}

const request = (data: string, over: object = {}) => ({ data, note: () => {}, ...over })
const small = (over: object = {}) => Config.parse({ features: 4, ...over })

describe('12. RGB comes before flow', () => {
  test('in a data set, in what is drawn of it, and for the network, to which it matters', () =>
    tidyAsync(async () => {
      const root = await written('order')
      const [first] = await readActionFeatures(root, { part: 'train' })
      const x = (await first?.read()) as Tensor
      expect(row(x, 0)).toEqual([1, 1, 1, 1, 2, 2, 2, 2])
      const config = small({ host: 'cola', training: { segments: 5 } })
      const data = await actionData(request(root), config, 'train')
      expect(data.classes).toEqual(['jump', 'run'])
      const sample = await new SegmentSamples(data, config).get(0)
      expect(sample.x.shape).toEqual([5, 8])
      expect(row(sample.x, 4)).toEqual([1, 1, 1, 1, 2, 2, 2, 2])
      expect(sample.labels.toArray()).toEqual([0, 1])
      using model = createLocalizer(config).eval()
      const y = rand([1, 12, 8])
      const swapped = y.roll([4], { dims: [2] })
      expect(model.forward(y).activation.equal(model.forward(swapped).activation)).toBe(false)
      const { rgb, flow } = model.project(y)
      expect(flow.equal(y.narrow(2, 4, 4))).toBe(true)
      expect(rgb.equal(y.narrow(2, 0, 4))).toBe(false)
    }))
})

describe('sampling', () => {
  test('sharper 6. draws go forward, stay inside, and reach the last segment', () => {
    let most = 0
    for (let seed = 0; seed < 400; seed++) {
      const few = perturbedIndices(7, 4, random(seed))
      expect(few.length).toBe(4)
      expect(few[0]).toBeLessThanOrEqual(1)
      expect(few[3]).toBeGreaterThanOrEqual(5)
      expect(few.every((value, i) => i === 0 || value >= (few[i - 1] ?? 0))).toBe(true)
      const many = perturbedIndices(1000, 500, random(seed))
      expect(many.every((value, i) => value >= 0 && value < 1000 && (i === 0 || value >= (many[i - 1] ?? 0)))).toBe(
        true,
      )
      most = Math.max(most, ...many)
    }
    expect(most).toBe(999)
    expect(perturbedIndices(5, 5, random())).toEqual([0, 1, 2, 3, 4])
    expect(new Set(perturbedIndices(3, 9, random()))).toEqual(new Set([0, 1, 2]))
  })

  test('without chance: all of a short video, every so many of a long one', () => {
    expect(evenIndices(4, 750)).toEqual([0, 1, 2, 3])
    expect(evenIndices(10, 4)).toEqual([0, 2, 5, 7])
  })

  test('batches begin with three pairs that share a class', () => {
    const labels = [[0], [0, 1], [1], [2], [2], [0], [3]]
    const sampler = new PairedBatches(labels, 10, 20, 5)
    const batches = [...sampler]
    expect(batches.length).toBe(20)
    for (const batch of batches) {
      expect(batch.length).toBe(10)
      for (const i of [0, 2, 4]) {
        const [a = 0, b = 0] = batch.slice(i, i + 2)
        expect(a).not.toBe(b)
        expect(labels[a]?.some((label) => labels[b]?.includes(label))).toBe(true)
      }
    }
    sampler.setEpoch(1)
    expect([...sampler]).not.toEqual(batches)
    expect(() => new PairedBatches([[0], [1]], 10, 1, 0)).toThrow(/no class has two/)
  })
})

describe('data sets with faults', () => {
  test('missing, torn and mismatched features are counted and named, and skipped only if asked', async () => {
    const root = await written('faults')
    await tidyAsync(async () => {
      rmSync(join(root, 'features/train/flow/a.npy'))
      await writeNpy(join(root, 'features/train/flow/b.npy'), rand([14, 4]))
      writeFileSync(join(root, 'split_train.txt'), 'a\nb\nd\n')
      await writeNpy(join(root, 'features/train/rgb/d.npy'), rand([8, 4]))
      await writeNpy(join(root, 'features/train/flow/d.npy'), rand([8, 4]))
    })
    const read = (options: object = {}) => readActionFeatures(root, { part: 'train', ...options })
    await expect(read()).rejects.toThrow(/3 of 3 files cannot be used/)
    await expect(read()).rejects.toThrow(/\[15,4\].*\[14,4\].*both must be \[segments, values\]/)
    await expect(read()).rejects.toThrow(/d: gt\.json says nothing of it/)
    await expect(read({ skipBroken: true })).rejects.toThrow(/None is left/)
  })

  test('a broken one is left out with a note', async () => {
    const root = await written('skipped')
    writeFileSync(join(root, 'features/train/rgb/b.npy'), 'no array')
    const notes: string[] = []
    const { videos, classes } = await actionData(
      request(root, { skipBroken: true, note: (text: string) => notes.push(text) }),
      small(),
      'train',
    )
    expect(videos.map(({ name }) => name)).toEqual(['a'])
    expect(classes).toEqual(['run'])
    expect(notes.join()).toMatch(/1 of 2 files cannot be used/)
  })

  test('segments that end before they begin, rows that are none, folders that are no data set', async () => {
    const root = await written('times')
    const truth = JSON.parse(readFileSync(join(root, 'gt.json'), 'utf8'))
    truth.database.a.annotations[0].segment = [3, 2]
    writeFileSync(join(root, 'gt.json'), JSON.stringify(truth))
    await expect(readActionFeatures(root, { part: 'train' })).rejects.toThrow(
      /database\.a\.annotations\[0\]\.segment: \[3, 2\] ends before it begins/,
    )
    writeFileSync(join(root, 'ambiguous.txt'), 'c 1 2\nc 3\n')
    await expect(readAmbiguousSpans(join(root, 'ambiguous.txt'))).rejects.toThrow(/ambiguous\.txt:2: is missing/)
    await expect(actionData(request(folder('nothing')), small(), 'test')).rejects.toThrow(/no split_train\.txt/)
  })

  test('features and classes that are not those of the config', async () => {
    const root = await written('other')
    await expect(actionData(request(root), Config.parse({}), 'train')).rejects.toThrow(/set features=4/)
    await expect(actionData(request(root), small({ classes: 5 }), 'train')).rejects.toThrow(/5 classes.*has 2/)
    await expect(actionData(request(root), small({ classes: ['run', 'walk'] }), 'train')).rejects.toThrow(
      /b has the action 'jump', which is none of run, walk/,
    )
  })

  test('videos of ten segments or fewer, for CO2-Net on ActivityNet', async () => {
    const root = await written('short')
    const notes: string[] = []
    const config = small({ variant: 'activitynet1.2', classes: ['jump', 'run'] })
    const noted = request(root, { note: (text: string) => notes.push(text) })
    await expect(actionData(noted, config, 'test')).rejects.toThrow(/no video of .* is left for test/)
    expect((await actionData(noted, config, 'train')).videos.length).toBe(2)
    expect(notes.join()).toMatch(/1 of 1 videos have 10 segments or fewer/)
  })
})

describe('made-up videos', () => {
  test('are the same every time, differ between parts, and show actions where they say', () =>
    tidyAsync(async () => {
      const config = Config.parse({
        features: 16,
        synthetic: { noise: 0, clutter: 0, classes: 3, videos: 6, testVideos: 2 },
      })
      const [videos, again] = [syntheticVideos(config, 'train'), syntheticVideos(config, 'train')]
      const names = ['action 0', 'action 1', 'action 2']
      expect(new Set(videos.flatMap((video) => labelsOf(video, names)))).toEqual(new Set([0, 1, 2]))
      for (const [i, video] of videos.entries()) {
        const x = await video.read()
        expect(x.shape).toEqual([video.length, 32])
        expect(x.equal(((await again[i]?.read()) ?? x) as Tensor)).toBe(true)
        const energy = x
          .narrow(1, 0, 16)
          .sum({ dim: [1] })
          .toArray() as number[]
        const shown = energy.map((_, l) =>
          video.actions.some(({ segment: [start, end] }) => (l + 0.5) * 0.64 > start && (l + 0.5) * 0.64 < end),
        )
        expect(energy.map((value) => value > 0)).toEqual(shown)
      }
      expect(syntheticVideos(config, 'test')[0]?.length).toBeTypeOf('number')
      expect((await syntheticVideos(config, 'test')[0]?.read())?.shape).not.toEqual((await videos[0]?.read())?.shape)
    }))
})
