// Black frames, shots, and holding the camera still.
import { describe, expect, test } from 'vitest'
import { RandomStream, Stream } from '../../../lib/data/random'
import {
  cameraMotion,
  commonRectangle,
  findBlackFrame,
  goodSteps,
  motionsToCentre,
  prepareFrames,
  removeBlackFrame,
  shotStarts,
  smoothMatrices,
} from '../../../lib/models/video/arrow-of-time'
import { Texture } from '../../../lib/models/video/arrow-of-time/discs'
import { IDENTITY, type Matrix, matrixTensor, multiply } from '../../../lib/models/video/arrow-of-time/stabilise'
import { cat, full, stack, type Tensor, tensor, tidy, tidyAsync } from '../../../lib/tensor'
import { projectPoints, warpPerspective } from '../../../lib/vision'
import { smallConfig } from './trial'

const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const pan = (x: number, y: number): Matrix => [1, 0, x, 0, 1, y, 0, 0, 1]

function scene(height: number, width: number, seed = 1): Tensor {
  const texture = new Texture(new RandomStream(seed, 0, Stream.Samples), 20, 230)
  return tensor(
    Float32Array.from({ length: height * width }, (_, at) => texture.at(at % width, Math.floor(at / width))),
    { shape: [1, height, width] },
  )
}

describe('black frames', () => {
  const frames = () => {
    const all = full([9, 3, 20, 30], 200).to('uint8')
    all.narrow(2, 0, 3).fill_(5)
    all.narrow(3, 28, 2).fill_(11)
    return all
  }

  scoped('are found, and cropped or set to zero', () => {
    const found = findBlackFrame(frames())
    expect(found).toEqual({ top: 3, bottom: 0, left: 0, right: 2 })
    expect(removeBlackFrame(frames(), found, 'crop').shape).toEqual([9, 3, 17, 28])
    const zeroed = removeBlackFrame(frames(), found, 'zero')
    expect(zeroed.narrow(2, 0, 3).max().item()).toBe(0)
    expect(
      zeroed
        .narrow(2, 3, 17)
        .narrow(3, 0, 28)
        .equal(frames().narrow(2, 3, 17).narrow(3, 0, 28)),
    ).toBe(true)
  })

  scoped('a row that is bright in one of five frames is none; a clip that is black has none', () => {
    const flash = frames()
    flash.select(0, 4).narrow(1, 0, 3).fill_(90)
    expect(findBlackFrame(flash).top).toBe(0)
    expect(findBlackFrame(full([5, 3, 8, 8], 3).to('uint8'))).toEqual({ top: 0, bottom: 0, left: 0, right: 0 })
  })
})

describe('shots', () => {
  scoped('have no still step, no cut, and do not overlap', () => {
    // Changes of 2 a frame; frames 5 and 6 are the same, and there is a cut before frame 9.
    const values = [0, 2, 4, 6, 8, 10, 10, 12, 14, 90, 92, 94, 96, 98]
    const clip = stack(values.map((value) => full([3, 4, 4], value).to('uint8')))
    const steps = goodSteps(clip)
    expect(steps).toEqual([true, true, true, true, true, false, true, true, false, true, true, true, true])
    expect(shotStarts(steps, 3)).toEqual([0, 3, 6, 9])
    expect(shotStarts(steps, 5)).toEqual([0, 9])
    expect(shotStarts(steps, 7)).toEqual([])
  })

  scoped('a change of one colour by less than 1 in all is still', () => {
    const frame = full([3, 10, 10], 50).to('uint8')
    const next = frame.clone()
    next.select(0, 0).narrow(0, 0, 4).fill_(52)
    expect(goodSteps(stack([frame, next]))).toEqual([false])
    next.select(0, 0).narrow(0, 0, 5).fill_(52)
    expect(goodSteps(stack([frame, next]))).toEqual([true])
  })
})

describe('sharper 4. rectangle and camera', () => {
  const about = (scale: number): Matrix =>
    multiply(pan(159.5, 119.5), multiply([scale, 0, 0, 0, scale, 0, 0, 0, 1], pan(-159.5, -119.5)))

  test('a pan of 2 px a frame', () => {
    const matrices = Array.from({ length: 41 }, (_, t) => pan(-2 * (t - 20), 0))
    expect(commonRectangle(matrices, 320, 240)).toEqual({ left: 40, right: 279, top: 0, bottom: 239 })
    const { pan: motion, zoom } = cameraMotion(matrices, 320, 240)
    expect([motion[0], motion[1], zoom].map((value) => Number(value.toFixed(9)))).toEqual([2, 0, 1])
  })

  test('a zoom of 1.01 a frame', () => {
    const matrices = Array.from({ length: 41 }, (_, t) => about(1.01 ** -(t - 20)))
    expect(commonRectangle(matrices, 320, 240)).toEqual({ left: 29, right: 290, top: 22, bottom: 217 })
    const { pan: motion, zoom } = cameraMotion(matrices, 320, 240)
    expect(zoom).toBeCloseTo(1.01, 9)
    expect(Math.hypot(...motion)).toBeLessThan(1e-6)
  })

  test('frames that were not found take the median of their neighbours', () => {
    const good = (x: number) => ({ matrix: pan(x, 0), residual: 0.1, inliers: 50 })
    const bad = { matrix: new Array<number>(9).fill(0), residual: 0, inliers: 0 }
    const limits = { leastInliers: 30, largestResidual: 0.25 }
    const smooth = smoothMatrices([good(0), good(2), bad, good(6), good(9)], limits)
    expect(smooth.map((matrix) => matrix[2])).toEqual([0, 2, 4, 6, 9])
    expect(smoothMatrices([bad], limits)).toEqual([IDENTITY])
  })
})

describe('11. homographies', () => {
  test('are found though 30 % of the picture moves otherwise', () =>
    tidyAsync(async () => {
      const [height, width] = [160, 200]
      const truth: Matrix = [1.01, 0.02, 3, -0.015, 0.995, -2, 2e-5, -3e-5, 1]
      const still = scene(height, width)
      const moved = tidy(() => {
        const warped = warpPerspective(still, matrixTensor(truth), { padding: 'border' }).clone()
        // Three patches of the same texture that go elsewhere: 30 % of the area.
        for (const [top, left] of [
          [10, 10],
          [90, 30],
          [40, 120],
        ] as const) {
          const patch = still.narrow(1, top, 56).narrow(2, left, 57)
          warped
            .narrow(1, top + 5, 56)
            .narrow(2, left + 9, 57)
            .copy_(patch)
        }
        return warped
      })
      // The frame is first, the picture it is brought onto is the middle one of two.
      const [motion] = await motionsToCentre(cat([still, moved]).clamp({ min: 0, max: 255 }))
      const corners = tensor([
        [0, 0],
        [width - 1, 0],
        [0, height - 1],
        [width - 1, height - 1],
      ]).to('float64')
      const error = projectPoints(corners, matrixTensor(motion?.matrix ?? IDENTITY)).sub(
        projectPoints(corners, matrixTensor(truth)),
      )
      expect(
        error
          .square()
          .sum({ dim: [1] })
          .sqrt()
          .max()
          .item(),
      ).toBeLessThan(0.5)
      expect(motion?.inliers).toBeGreaterThan(30)
      expect(motion?.residual).toBeLessThan(0.25)
    }))

  test('a shaking camera is held still; a scene without texture is not', () =>
    tidyAsync(async () => {
      const large = scene(120, 150, 3)
      const shifts = [
        [0, 0],
        [3, -2],
        [1, 2],
        [0, 0],
        [-3, 1],
      ] as const
      const frames = tidy(() =>
        stack(
          shifts.map(([x, y]) =>
            large
              .narrow(1, 10 + y, 100)
              .narrow(2, 10 + x, 130)
              .expand([3, 100, 130])
              .round()
              .to('uint8'),
          ),
        ),
      )
      const config = smallConfig({
        input: { shortSide: 80, crop: 64 },
        preparation: { leastInliers: 20, blackFrame: 'keep' },
      })
      const { grey, unstable, camera } = await prepareFrames(frames, config)
      expect(unstable).toBeUndefined()
      expect(camera?.zoom).toBeCloseTo(1, 3)
      expect(grey.shape[1]).toBe(80)
      const change = grey
        .narrow(0, 1, 4)
        .sub(grey.narrow(0, 0, 4))
        .abs()
        .mean()
        .item() as number
      const before = frames.to('float32').div(255)
      const shake = before
        .narrow(0, 1, 4)
        .sub(before.narrow(0, 0, 4))
        .abs()
        .mean()
        .item() as number
      expect(change).toBeLessThan(0.05 * shake)
      const single = await prepareFrames(
        frames,
        smallConfig({ ...config, preparation: { ...config.preparation, singleResampling: true } }),
      )
      expect(single.grey.shape).toEqual(grey.shape)
      expect(single.grey.sub(grey).abs().mean().item()).toBeLessThan(0.03)
      const flat = await prepareFrames(full([5, 3, 60, 80], 90).to('uint8'), config)
      expect(flat.unstable).toMatch(/1 of 5 frames/)
      expect(flat.notes.join()).toMatch(/not held still/)
    }))
})
