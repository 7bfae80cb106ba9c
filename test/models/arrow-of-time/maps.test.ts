// Bytes, windows, votes and lists, by hand calculation.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FlowFolder, readClipList, readClipRanges, writeFlowFolder } from '../../../lib/datasets'
import {
  chunked,
  directedFlow,
  flipMaps,
  groupStarts,
  MemoryClip,
  mapsOf,
  reversedStart,
  vote,
} from '../../../lib/models/video/arrow-of-time'
import { listedClips } from '../../../lib/models/video/arrow-of-time/data'
import { withShortSide } from '../../../lib/models/video/arrow-of-time/maps'
import { segmentsOf } from '../../../lib/models/video/arrow-of-time/segments'
import { FormatError } from '../../../lib/native/errors'
import { arange, full, rand, type Tensor, tensor, tidy, tidyAsync, zeros } from '../../../lib/tensor'
import { centreFlow, fiveCropPositions, flipFlow, flowToBytes } from '../../../lib/vision'
import { temporaryFolder } from '../../support/temporary-folder'
import { smallConfig } from './trial'

const folder = temporaryFolder()
const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const bytes = (t: Tensor) => [...(t.contiguous().dataSync() as Uint8Array)]

describe('4. bytes of flow', () => {
  scoped('0 is 128 and then 0; ±b are 255 and 0; +1 px is 134, −1 px 121, 25 px 255', () => {
    expect(bytes(flowToBytes(tensor([0, 20, -20, 1, -1, 25]).to('float32')))).toEqual([128, 255, 0, 134, 121, 255])
    expect(centreFlow(flowToBytes(zeros([3]))).toArray()).toEqual([0, 0, 0])
  })

  scoped('halves are rounded to even, as cvRound does', () => {
    // 255 · (−8 + 20) ∕ 40 = 76.5 and 255 · (8 + 20) ∕ 40 = 178.5.
    expect(bytes(flowToBytes(tensor([-8, 8]).to('float32')))).toEqual([76, 178])
  })

  scoped('a flip mirrors both channels and negates x; twice it is nothing', () => {
    const x = centreFlow(tensor(Uint8Array.from([134, 108, 255, 0]), { shape: [1, 1, 4] }))
    const map = tensor([6, -20, 127, -128, 1, 2, 3, 4], { shape: [2, 1, 4] }).to('float32')
    expect(x.toArray()).toEqual([[[6, -20, 127, -128]]])
    const flipped = flipFlow(map)
    expect(flipped.toArray()).toEqual([[[128, -127, 20, -6]], [[4, 3, 2, 1]]])
    expect(flipFlow(flipped).equal(map)).toBe(true)
    const pan = cat2(full([1, 3, 4], 2.5), zeros([1, 3, 4]))
    expect(flipFlow(pan).equal(cat2(full([1, 3, 4], -2.5), zeros([1, 3, 4])))).toBe(true)
    expect(() => flipFlow(pan.to('uint8'))).toThrow(/make it float32 with centreFlow/)
  })

  scoped('five crops of 256 × 341', () => {
    expect(fiveCropPositions(256, 341, 224)).toEqual([
      [0, 0],
      [0, 117],
      [32, 0],
      [32, 117],
      [16, 59],
    ])
    expect(() => fiveCropPositions(100, 341, 224)).toThrow(/does not fit/)
  })
})

const cat2 = (x: Tensor, y: Tensor) =>
  tensor([...(x.dataSync() as Float32Array), ...(y.dataSync() as Float32Array)], { shape: [2, 3, 4] }).to('float32')

describe('what the network sees', () => {
  scoped('chunks take maps one after the other, x before y', () => {
    const maps = arange(6 * 2, { dtype: 'float32' }).reshape([6, 2, 1, 1])
    const x = chunked(maps, { chunks: 2, length: 4, stride: 2, span: 6 })
    expect(x.shape).toEqual([2, 8, 1, 1])
    expect(x.flatten().toArray()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  scoped('frames are blue, green, red without their means; differences are frame t − frame t + 1', () => {
    const frames = tensor(Uint8Array.from([10, 20, 30, 15, 15, 15]), { shape: [2, 3, 1, 1] })
    const rgb = mapsOf(frames, 'rgb').flatten().toArray() as number[]
    const expected = [30 - 103.939, 20 - 116.779, 10 - 123.68, 15 - 103.939, 15 - 116.779, 15 - 123.68]
    for (const [i, value] of rgb.entries()) expect(value).toBeCloseTo(expected[i] as number, 4)
    expect(mapsOf(frames, 'd-rgb').flatten().toArray()).toEqual([15, 5, -5])
    expect(
      mapsOf(frames.flip([0]), 'd-rgb')
        .flatten()
        .toArray(),
    ).toEqual([-15, -5, 5])
    expect(flipMaps(tensor([[[[1, 2]]]]), 'd-rgb').toArray()).toEqual([[[[2, 1]]]])
  })

  scoped('the other side of 480 × 640 is 341', () => {
    expect(withShortSide(zeros([1, 1, 480, 640]), 256).shape).toEqual([1, 1, 256, 341])
    expect(withShortSide(zeros([1, 1, 640, 480]), 256).shape).toEqual([1, 1, 341, 256])
  })
})

test('5. the reversed clip has its own flow, in its own order', () =>
  tidyAsync(async () => {
    // A textured square slows down: 6, 4, 3, 2 px a frame.
    const [size, height, width] = [24, 64, 96]
    const places = [10, 16, 20, 23, 25]
    const texture = (x: number, y: number) => 0.5 + 0.25 * Math.sin(1.1 * x) + 0.2 * Math.cos(0.9 * y + 0.3 * x)
    const frames = places.map((left) =>
      Array.from({ length: height * width }, (_, at) => {
        const [x, y] = [at % width, Math.floor(at / width)]
        const inside = x >= left && x < left + size && y >= 20 && y < 20 + size
        return inside ? texture(x - left, y) : 0.2 + 0.1 * Math.sin(0.7 * x) * Math.cos(0.5 * y)
      }),
    )
    const grey = tensor(frames.flat(), { shape: [5, height, width] }).to('float32')
    const { forward, backward } = await directedFlow(grey, 20, { both: true })
    expect(forward.shape).toEqual([4, 2, height, width])
    expect(backward?.shape).toEqual([4, 2, height, width])
    const toPixels = (b: Tensor) =>
      b
        .to('float32')
        .mul(40 / 255)
        .sub(20)
    const [ahead, back] = [toPixels(forward), toPixels(backward as Tensor)]
    const middle = (flow: Tensor, map: number, left: number) =>
      flow
        .select(0, map)
        .select(0, 0)
        .narrow(0, 26, 12)
        .narrow(1, left + 8, 8)
        .mean()
        .item() as number
    // Map 0 of the reversed clip undoes the last step, map 3 the first.
    expect(middle(ahead, 0, 10)).toBeCloseTo(6, 0)
    expect(middle(back, 0, 25)).toBeCloseTo(-2, 0)
    expect(middle(back, 3, 16)).toBeCloseTo(-6, 0)
    // On the grid of the first frame, backward is not forward negated: around the square they differ, inside not.
    const sum = ahead.select(0, 0).add(back.select(0, 3)).abs()
    const band = sum.narrow(1, 20, size).narrow(2, 8, 8).mean().item()
    const inside = sum.select(0, 0).narrow(0, 26, 12).narrow(1, 20, 8).mean().item()
    expect(band).toBeGreaterThan(0.1)
    expect(inside).toBeLessThan(0.1)
  }))

describe('6. votes', () => {
  test.each([
    [[0.55, 0.52, 0.9], 'forward', 0.9],
    [[0.55, 0.45], 'backward', 0.5],
    [[0.55, 0.48], 'forward', 0.515],
    [[0.2, 0.9, 0.9], 'forward', 2 / 3],
    [[0.5, 0.5, 0.5], 'backward', 0.5],
    [[0.95, 0.3, 0.3], 'backward', 31 / 60],
    [[0.6, 0.3], 'backward', 0.3],
    [[0.2, 0.9], 'forward', 0.55],
    [[0.1, 0.9], 'backward', 0.5],
    [[0.05, 0.62, 0.62], 'forward', 0.43],
  ] as const)('%o is %s', (scores, direction, forward) => {
    const result = vote(scores)
    expect(result.direction).toBe(direction)
    expect(result.forward).toBeCloseTo(forward, 9)
  })

  test('exactly 0.6 and 0.4 do not vote', () => {
    expect(vote([0.6, 0.4, 0.61, 0.39]).confident).toEqual([false, false, true, true])
  })
})

describe('groups', () => {
  test('sharper 2. begin evenly, each once; the reversed clip has the same frames', () => {
    const from1 = (maps: number) => groupStarts(maps, 20, 10).map((start) => start + 1)
    expect(from1(40)).toEqual([1, 4, 6, 8, 10, 13, 15, 17, 19, 21])
    expect(from1(25)).toEqual([1, 2, 3, 4, 5, 6])
    expect(from1(20)).toEqual([1])
    expect(groupStarts(40, 20, 10).map((start) => reversedStart(40, 20, start) + 1)).toEqual([
      21, 18, 16, 14, 12, 9, 7, 5, 3, 1,
    ])
  })

  test('a clip that is too short is refused, with the way out', () => {
    expect(() => groupStarts(19, 20, 10)).toThrow(/19 maps, fewer than the 20.*network\.maps=10/)
  })

  test('are held still in parts of a shot, and none is lost', () => {
    expect(segmentsOf([0, 3, 5, 20], 21, 41)).toEqual([{ start: 0, length: 41, groups: [0, 1, 2, 3] }])
    expect(segmentsOf([0, 8, 16, 24, 32], 21, 41)).toEqual([
      { start: 0, length: 37, groups: [0, 1, 2] },
      { start: 24, length: 29, groups: [3, 4] },
    ])
    expect(segmentsOf([0, 100], 50, 41).map(({ length }) => length)).toEqual([50, 50])
  })
})

describe('13. lists and folders of flow', () => {
  test('a list of the size of UCF101 split 1 is read, half of it each way', async () => {
    const rows = Array.from({ length: 9537 }, (_, i) => [`flow/v_${i}/f 40 0`, `flow/v_${i}/b 40 1`]).flat()
    writeFileSync(folder('train.txt'), `${rows.join('\n')}\n`)
    writeFileSync(folder('test.txt'), rows.slice(0, 7566).join('\r\n'))
    const train = await readClipList(folder('train.txt'), { root: '/data' })
    expect(train.length).toBe(19_074)
    expect((await readClipList(folder('test.txt'))).length).toBe(7566)
    expect(train.filter(({ label }) => label === 0).length).toBe(9537)
    expect(train[1]).toEqual({ folder: '/data/flow/v_0/b', length: 40, label: 1, line: 2 })
  })

  test('flow is written and read back, exactly as png and nearly as jpg', () =>
    tidyAsync(async () => {
      const maps = flowToBytes(rand([3, 2, 20, 24]).mul(4).sub(2))
      await writeFlowFolder(folder('png'), maps)
      const read = await FlowFolder.open(folder('png'))
      expect(read.length).toBe(3)
      expect((await read.read(0, 3)).equal(maps)).toBe(true)
      expect((await read.read(1, 2)).equal(maps.narrow(0, 1, 2))).toBe(true)
      await expect(read.read(2, 2)).rejects.toThrow(/maps 2 to 3 .* it has 3/)
      await writeFlowFolder(folder('jpg'), maps, { files: 'jpg' })
      const lossy = await (await FlowFolder.open(folder('jpg'))).read(0, 3)
      expect(lossy.to('float32').sub(maps.to('float32')).abs().mean().item()).toBeLessThan(3)
      rmSync(folder('png', 'flow_y_0002.png'))
      await expect(FlowFolder.open(folder('png'))).rejects.toThrow(/lacks flow_y_0002.png/)
    }))

  test('labels are directions of either polarity; broken rows are named, and left out only if asked', () =>
    tidyAsync(async () => {
      await writeFlowFolder(folder('clip', 'f'), flowToBytes(zeros([12, 2, 16, 16])))
      await writeFlowFolder(folder('clip', 'b'), flowToBytes(zeros([12, 2, 16, 16])))
      mkdirSync(folder('clip', 'empty'))
      writeFileSync(folder('clip', 'good.txt'), 'f 12 0\nb 12 1\n')
      const notes: string[] = []
      const request = { config: smallConfig(), note: (text: string) => notes.push(text) }
      const clips = await listedClips(folder('clip', 'good.txt'), request)
      expect(clips.map(({ forward }) => forward)).toEqual([true, false])
      const other = smallConfig({ data: { forwardLabel: 1 } })
      expect(
        (await listedClips(folder('clip', 'good.txt'), { ...request, config: other })).map(({ forward }) => forward),
      ).toEqual([false, true])
      writeFileSync(folder('clip', 'bad.txt'), 'f 12 0\nempty 12 1\nnowhere 12 0\nb 13 1\nb 12 2\n')
      await expect(listedClips(folder('clip', 'bad.txt'), request)).rejects.toThrow(
        /4 of 5 files.*bad\.txt:2.*bad\.txt:3.*bad\.txt:4.*bad\.txt:5/s,
      )
      expect((await listedClips(folder('clip', 'bad.txt'), { ...request, skipBroken: true })).length).toBe(1)
      expect(notes.join()).toMatch(/left out/)
    }))

  test('lines that are no rows are named', async () => {
    writeFileSync(folder('rows.txt'), 'a/b 40 0\n\na/b forty 1\n')
    await expect(readClipList(folder('rows.txt'))).rejects.toThrow(/rows\.txt:3: 'forty' is not a finite number/)
    writeFileSync(folder('ranges.txt'), 'v_1.mov,0,40\nv 2.mov, 41 ,81\n')
    expect(await readClipRanges(folder('ranges.txt'))).toEqual([
      { video: 'v_1.mov', start: 0, end: 40 },
      { video: 'v 2.mov', start: 41, end: 81 },
    ])
    writeFileSync(folder('ranges.txt'), 'v_1.mov,40,0\n')
    await expect(readClipRanges(folder('ranges.txt'))).rejects.toThrow(FormatError)
  })

  test('clips in memory give any part of themselves', () =>
    tidyAsync(async () => {
      const raw = tensor(
        Uint8Array.from({ length: 5 * 2 * 6 }, (_, i) => i),
        { shape: [5, 2, 2, 3] },
      )
      const clip = new MemoryClip('clip', true, raw, 'flow')
      expect(clip.length).toBe(5)
      expect((await clip.read(1, 3)).equal(raw.narrow(0, 1, 3))).toBe(true)
    }))
})
