// Where there is an arrow of time it is found, and where there is none it is not: over three seeds.
import { describe, expect, test } from 'vitest'
import type { ArrowPredictor } from '../../../lib/models/video/arrow-of-time'
import {
  type Config,
  type DirectedClip,
  directedFlow,
  discFlow,
  drawDiscs,
  heatOfFrame,
  MemoryClip,
  prepareFrames,
  reverseDiscs,
  rollDiscs,
} from '../../../lib/models/video/arrow-of-time'
import { discClips } from '../../../lib/models/video/arrow-of-time/clips'
import { cat, type Tensor, tensor, tidy, tidyAsync } from '../../../lib/tensor'
import { flowToBytes, warpPerspective } from '../../../lib/vision'
import { accuracyAfter, smallConfig, table } from './trial'

const SEEDS = [0, 1, 2]
const TEST = 500_000

type Pair = readonly [DirectedClip, DirectedClip]

type Make = (seed: number) => Promise<Pair | undefined>

/** As many as asked for, of videos that can be used; too many that cannot are an error. */
async function pairs(count: number, first: number, make: Make): Promise<DirectedClip[]> {
  const clips: DirectedClip[] = []
  for (let i = 0; clips.length < 2 * count; i++) {
    if (i >= 1.2 * count) throw new Error(`${clips.length / 2} of ${i} videos were stable`)
    clips.push(...((await make(first + i)) ?? []))
  }
  return clips
}

const discs = (config: Config, friction: number, flow: 'exact' | 'tvl1') => (seed: number) =>
  discClips({
    ...{ frames: config.network.maps + 3, side: config.input.shortSide, discs: 3, friction, seed, flow, speed: SPEED },
    ...{ modality: 'flow', bound: 20 },
  })

/** Fast discs bounce often, which is where a backward flow that is only negated betrays itself. */
const SPEED = 0.12

/** The wrong way: the forward flow, negated and in reverse order. */
const negated =
  (config: Config) =>
  async (seed: number): Promise<Pair> =>
    tidyAsync(async () => {
      const clip = rollDiscs({
        frames: config.network.maps + 3,
        side: config.input.shortSide,
        discs: 3,
        friction: 0,
        seed,
        speed: SPEED,
      })
      const flow = discFlow(clip)
      const memory = (values: Tensor, forward: boolean) =>
        new MemoryClip(`${seed}`, forward, flowToBytes(values), 'flow')
      return [memory(flow, true), memory(flow.flip([0]).neg(), false)]
    })

describe('9. discs on a table', () => {
  const config = smallConfig({ network: { maps: 10 }, training: { flip: 0 } })

  test('the arrow is found with friction, not without, and a wrong backward flow leaks it', async () => {
    const rows = []
    for (const seed of SEEDS) {
      const from = 10_000 * seed
      const run = async (make: Make) =>
        accuracyAfter(300, config, seed, await pairs(500, from, make), await pairs(500, TEST + from, make))
      const row = {
        seed,
        friction: await run(discs(config, 0.15, 'exact')),
        'no friction': await run(discs(config, 0, 'exact')),
        'no friction, negated': await run(negated(config)),
      }
      rows.push(row)
    }
    table('accuracy on 1,000 directed clips, exact flow, 300 steps', rows)
    for (const row of rows) {
      expect(row.friction).toBeGreaterThan(0.9)
      expect(Math.abs(row['no friction'] - 0.5)).toBeLessThan(0.05)
      expect(row['no friction, negated']).toBeGreaterThan(0.6)
    }
  }, 1_800_000)

  test('the same with TV-L1 flow of drawn frames', async () => {
    const rows = []
    for (const seed of SEEDS) {
      const from = 10_000 * seed
      const run = async (friction: number, tests: number) => {
        const make = discs(config, friction, 'tvl1')
        return accuracyAfter(150, config, seed, await pairs(250, from, make), await pairs(tests, TEST + from, make))
      }
      rows.push({ seed, friction: await run(0.15, 200), 'no friction': await run(0, 500) })
    }
    table('accuracy on 400 and 1,000 directed clips, TV-L1 flow, 150 steps', rows)
    for (const row of rows) {
      expect(row.friction).toBeGreaterThan(0.9)
      expect(Math.abs(row['no friction'] - 0.5)).toBeLessThan(0.05)
    }
  }, 1_800_000)
})

/** Both directions of a video, prepared or not; none of one that preparation leaves out, as the pipeline does. */
async function prepared(frames: Tensor, config: Config): Promise<Pair | undefined> {
  return tidyAsync(async () => {
    const { grey, unstable } = await prepareFrames(frames, config)
    if (unstable !== undefined) return undefined
    const { forward, backward } = await directedFlow(grey, 20, { both: true })
    return [new MemoryClip('video', true, forward, 'flow'), new MemoryClip('video', false, backward as Tensor, 'flow')]
  })
}

/** A small generator of whole numbers, for textures. */
function noise(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 12_345) >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const FRAMES = 13
const symmetric = (side: number, seed: number, discs = 3) =>
  drawDiscs(rollDiscs({ frames: FRAMES, side, discs, friction: 0, seed }))

/** A black frame of 6 px in which a texture of grey levels 0 to 3 drifts down by a pixel a frame. */
function withBlackFrame(scene: Tensor, seed: number): Tensor {
  const [count, side] = [scene.size(0), scene.size(2)]
  const whole = side + 12
  const random = noise(seed)
  const texture = Uint8Array.from({ length: whole * whole }, () => Math.floor(4 * random()))
  const pixels = new Uint8Array(count * 3 * whole * whole)
  for (let t = 0; t < count; t++) {
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < whole; y++) {
        const row = (((y - t) % whole) + whole) % whole
        pixels.set(texture.subarray(row * whole, (row + 1) * whole), ((t * 3 + c) * whole + y) * whole)
      }
    }
  }
  const frames = tensor(pixels, { shape: [count, 3, whole, whole] })
  frames.narrow(2, 6, side).narrow(3, 6, side).copy_(scene)
  return frames
}

/** Each frame enlarged by 1.01 to the power of its number, about the middle. */
function withZoom(scene: Tensor): Tensor {
  const middle = (scene.size(2) - 1) / 2
  const frames = Array.from({ length: scene.size(0) }, (_, t) => {
    const scale = 1.01 ** t
    const shift = middle * (1 - scale)
    const matrix = tensor([scale, 0, shift, 0, scale, shift, 0, 0, 1], { dtype: 'float64' }).reshape([3, 3])
    const frame = scene.select(0, t).to('float32')
    return warpPerspective(frame, matrix, { padding: 'border' }).round().to('uint8').unsqueeze(0)
  })
  return cat(frames)
}

describe('10. artificial cues in videos without an arrow', () => {
  test('a black frame with codec noise gives the direction away, until it is cropped', async () => {
    const rows = []
    for (const seed of SEEDS) {
      const run = async (blackFrame: 'keep' | 'crop') => {
        const config = smallConfig({
          network: { maps: 10 },
          input: { shortSide: 40, crop: 32 },
          preparation: { blackFrame, stabilise: false },
        })
        const make = (number: number) =>
          tidyAsync(async () =>
            prepared(
              tidy(() => withBlackFrame(symmetric(28, number), number)),
              config,
            ),
          )
        const from = 10_000 * seed
        return accuracyAfter(120, config, seed, await pairs(150, from, make), await pairs(500, TEST + from, make))
      }
      rows.push({ seed, 'with black frame': await run('keep'), cropped: await run('crop') })
    }
    table('accuracy on 1,000 directed clips, TV-L1 flow', rows)
    for (const row of rows) {
      expect(row['with black frame']).toBeGreaterThan(0.75)
      expect(Math.abs(row.cropped - 0.5)).toBeLessThan(0.05)
    }
  }, 3_600_000)

  test('a slow zoom gives it away, until the camera is held still', async () => {
    const rows = []
    for (const seed of SEEDS) {
      const run = async (stabilise: boolean) => {
        const config = smallConfig({
          network: { maps: 10 },
          input: { shortSide: 40, crop: 32 },
          // A frame this small has fewer corners than a video's.
          preparation: { blackFrame: 'keep', stabilise, leastInliers: 12 },
        })
        const make = (number: number) =>
          tidyAsync(async () =>
            prepared(
              tidy(() => withZoom(symmetric(128, number, 1))),
              config,
            ),
          )
        const from = 10_000 * seed
        return accuracyAfter(120, config, seed, await pairs(150, from, make), await pairs(200, TEST + from, make))
      }
      rows.push({ seed, zoom: await run(false), stabilised: await run(true) })
    }
    table('accuracy on 400 directed clips, TV-L1 flow', rows)
    for (const row of rows) {
      expect(row.zoom).toBeGreaterThan(0.9)
      expect(Math.abs(row.stabilised - 0.5)).toBeLessThan(0.08)
    }
  }, 3_600_000)
})

describe('14. an arrow that shows over more than ten frames only', () => {
  /** Something shakes on the left, and 12 to 14 maps later on the right; each shake is the same in both directions. */
  async function shakes(seed: number): Promise<Pair> {
    return tidyAsync(async () => {
      const [maps, side] = [22, 32]
      const random = noise(seed)
      const flow = new Float32Array(maps * 2 * side * side)
      const first = Math.floor(7 * random())
      for (const [place, time] of [
        [6, first],
        [side - 7, first + 12 + Math.floor(3 * random())],
      ] as const) {
        const angle = 2 * Math.PI * random()
        const height = 6 + Math.floor(random() * (side - 12))
        for (const [step, sign] of [
          [0, 1],
          [1, -1],
        ] as const) {
          for (let y = height - 4; y <= height + 4; y++) {
            for (let x = place - 4; x <= place + 4; x++) {
              const at = 2 * Math.min(time + step, maps - 1) * side * side + y * side + x
              flow[at] = sign * 3 * Math.cos(angle)
              flow[at + side * side] = sign * 3 * Math.sin(angle)
            }
          }
        }
      }
      const ahead = tensor(flow, { shape: [maps, 2, side, side] })
      // Flow of blobs that stay in place: backward is forward negated here, and as likely.
      const memory = (values: Tensor, forward: boolean) =>
        new MemoryClip(`${seed}`, forward, flowToBytes(values), 'flow')
      return [memory(ahead, true), memory(ahead.flip([0]).neg(), false)]
    })
  }

  test('two chunks of ten see it, one chunk of ten does not', async () => {
    const rows = []
    for (const seed of SEEDS) {
      const from = 10_000 * seed
      const [training, tests] = [await pairs(500, from, shakes), await pairs(250, TEST + from, shakes)]
      const run = (network: object) =>
        accuracyAfter(200, smallConfig({ network: { ...network }, training: { flip: 0 } }), seed, training, tests)
      rows.push({
        seed,
        'T = 2, 20 maps': await run({ maps: 20, chunks: 2 }),
        'T = 1, 10 maps': await run({ maps: 10, chunks: 1 }),
      })
    }
    table('accuracy on 500 directed clips', rows)
    for (const row of rows) expect(row['T = 2, 20 maps']).toBeGreaterThan(row['T = 1, 10 maps'] + 0.1)
  }, 1_800_000)
})

describe('12. the map of evidence', () => {
  /**
   * A blob falls faster and faster at the left; the right half stands still. Each value of the map sees 228 px: of a
   * smaller picture all of them would see the blob.
   */
  async function falling(seed: number): Promise<Pair> {
    return tidyAsync(async () => {
      const random = noise(seed)
      const [side, maps] = [224, 12]
      const [x, top, gravity] = [16 + 24 * random(), 14 + 28 * random(), 1.4 + random()]
      const heights = Array.from({ length: maps + 1 }, (_, t) => top + 0.5 * gravity * t * t)
      const clip = (places: readonly number[]) => ({
        side,
        radius: 12,
        seed,
        places: places.map((y) => [[x, y] as const]),
      })
      const memory = (places: readonly number[], forward: boolean) =>
        new MemoryClip(
          `${seed}`,
          forward,
          tidy(() => flowToBytes(discFlow(clip(places)))),
          'flow',
        )
      return [memory(heights, true), memory([...heights].reverse(), false)]
    })
  }

  test('is on the half that moves', async () => {
    const config = smallConfig({
      network: { maps: 10, classifierConvs: 1 },
      input: { shortSide: 224, crop: 224 },
      // At a larger rate the bias wanders off in the first steps and stays there, as the loss is nil soon: the half that
      // stands still is then evidence for one class.
      training: { flip: 0, firstLearningRate: 0.002, learningRate: 0.002 },
    })
    const rows = []
    for (const seed of SEEDS) {
      const shares: number[] = []
      const look = async (predictor: ArrowPredictor, tests: readonly DirectedClip[]) => {
        let [important, moving] = [0, 0]
        for (const clip of tests) {
          await tidyAsync(async () => {
            const place = await predictor.locate(await clip.read(1, 10))
            if (place === undefined) return
            const marked = heatOfFrame(place).sub(0.5).abs().gt(0.2).to('float32')
            important += marked.sum().item() as number
            moving += marked.narrow(1, 0, 112).sum().item() as number
          })
        }
        shares.push(moving / important)
      }
      const [training, tests] = [await pairs(100, 1000 * seed, falling), await pairs(20, TEST + 1000 * seed, falling)]
      const accuracy = await accuracyAfter(60, config, seed, training, tests, look)
      rows.push({ seed, accuracy, 'important pixels on the moving half': shares[0] ?? 0 })
    }
    table('evidence of a falling blob, 40 directed clips', rows)
    for (const row of rows) {
      expect(row.accuracy).toBeGreaterThan(0.9)
      expect(row['important pixels on the moving half']).toBeGreaterThan(0.8)
    }
  }, 1_800_000)
})

// Discs that roll backward are discs that roll: nothing of the simulation is lost.
test('reversing discs twice gives the clip', () => {
  const clip = rollDiscs({ frames: 12, side: 32, discs: 3, friction: 0.1, seed: 4 })
  expect(reverseDiscs(reverseDiscs(clip)).places).toEqual(clip.places)
})
