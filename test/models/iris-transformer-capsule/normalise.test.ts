// From a picture of an eye to a strip; number 11 of the paper's card and the rubber sheet of E.
import { describe, expect, test } from 'vitest'
import {
  background,
  Config,
  drawEye,
  enhanceStrip,
  equaliseTiles,
  findEyelids,
  heightAt,
  IrisNormaliser,
  networkInput,
  rubberSheet,
  rubberSheetPoints,
  specularMask,
  syntheticStrip,
} from '../../../lib/models/biometrics/iris-transformer-capsule'
import { arange, full, type Tensor, tidy, tidyAsync, zeros } from '../../../lib/tensor'
import { liveTensors, liveTensorsDownTo } from '../../support/live-tensors'

const config = Config.parse({})
const SIZE = { height: 64, width: 512 }
const values = (x: Tensor) => [...(x.flatten().to('float64').dataSync() as Float64Array)]
const largest = (x: Tensor) => x.abs().max().item() as number

describe('rubber sheet', () => {
  test('E. places of three pixels', () =>
    tidy(() => {
      const points = rubberSheetPoints({ x: 100, y: 100, radius: 20 }, { x: 104, y: 98, radius: 60 }, SIZE)
      const at = (m: number, k: number) => values(points.select(0, m).select(0, k))
      for (const [m, k, x, y] of [
        [0, 0, 120, 100],
        [63, 128, 104, 158],
        [31, 64, 130.028047, 127.075666],
      ] as const) {
        expect(at(m, k)[0]).toBeCloseTo(x, 6)
        expect(at(m, k)[1]).toBeCloseTo(y, 6)
      }
    }))

  test('11. grey that depends on the radius alone gives rows of one grey', () =>
    tidy(() => {
      const [pupil, iris] = [
        { x: 100, y: 96, radius: 20 },
        { x: 100, y: 96, radius: 70 },
      ]
      const y = arange(200).sub(96).unsqueeze(1)
      const x = arange(200).sub(100).unsqueeze(0)
      const radial = x.square().add(y.square()).sqrt().div(100).unsqueeze(0)
      const strip = rubberSheet(radial, rubberSheetPoints(pupil, iris, SIZE)).squeeze(0)
      expect(largest(strip.sub(strip.mean({ dim: [1], keepdim: true })))).toBeLessThan(1e-3)
      // Row m is at the radius 20 + 50 m / 63.
      const radii = arange(64)
        .mul(50 / 63)
        .add(20)
        .div(100)
      expect(largest(strip.mean({ dim: [1] }).sub(radii))).toBeLessThan(1e-3)
    }))

  test('11. a turned eye gives a strip that is shifted around', () =>
    tidy(() => {
      const texture = syntheticStrip({ identity: 3, domain: 0, instance: 0 }, SIZE, {
        ...config.synthetic,
        noise: 0,
        lids: 0,
      })
      const circles = { pupil: { x: 150, y: 148, radius: 36 }, iris: { x: 154, y: 150, radius: 120 } }
      const unrolled = (angleRad: number) => {
        const eye = drawEye(texture, { height: 300, width: 310, ...circles, angleRad, noise: 0 })
        return rubberSheet(eye, rubberSheetPoints(circles.pupil, circles.iris, SIZE))
          .select(0, 0)
          .narrow(0, 4, 56)
      }
      const columns = 40
      const [upright, turned] = [unrolled(0), unrolled((2 * Math.PI * columns) / SIZE.width)]
      const difference = (shift: number) =>
        turned
          .sub(upright.roll([shift], { dims: [1] }))
          .abs()
          .mean()
          .item() as number
      expect(difference(columns)).toBeLessThan(0.2 * difference(0))
      expect(difference(columns)).toBeLessThan(difference(columns - 1))
      expect(difference(columns)).toBeLessThan(difference(columns + 1))
    }))

  test('outside of the picture there is its border', () =>
    tidy(() => {
      const points = rubberSheetPoints({ x: 0, y: 5, radius: 1 }, { x: 0, y: 5, radius: 50 }, { height: 2, width: 4 })
      const ramp = arange(10).expand([10, 10]).unsqueeze(0)
      expect(values(rubberSheet(ramp, points).select(1, 1))[2]).toBe(0)
    }))
})

describe('enhancement', () => {
  test('the background of a field of one grey is that grey, and a slope along the radius is followed', () =>
    tidy(() => {
      expect(largest(background(full([64, 512], 0.4)).sub(0.4))).toBeLessThan(1e-6)
      // A bump at the seam must be seen from both sides.
      const seam = zeros([64, 128])
      seam.narrow(1, 0, 16).fill_(1)
      const row = values(background(seam).select(0, 32))
      expect(row[127]).toBeGreaterThan(0.3)
      expect(row[64]).toBeCloseTo(0, 5)
    }))

  test('tiles are equalised alone: the order of grey levels is kept, and each has the full range', () =>
    tidy(() => {
      const ramp = arange(32 * 64)
        .reshape([32, 64])
        .div(5000)
      const equal = equaliseTiles(ramp)
      for (const start of [0, 32]) {
        const tile = equal.narrow(1, start, 32).to('float32')
        expect([tile.min().item(), tile.max().item()]).toEqual([0, 255])
        // Uniform in, uniform out.
        expect(tile.mean().item()).toBeCloseTo(127.5, -1)
      }
      expect(values(equaliseTiles(full([32, 32], 0.3))).every((level) => level === 0)).toBe(true)
    }))

  test('brighter or flatter light changes nothing', () =>
    tidy(() => {
      const strip = syntheticStrip({ identity: 1, domain: 0, instance: 0 }, SIZE, config.synthetic)
      const same = enhanceStrip(strip.mul(0.5).add(0.2)).to('float32').sub(enhanceStrip(strip).to('float32'))
      expect(same.abs().mean().item()).toBeLessThan(1)
    }))

  test('the input of the network: the mean of two columns and of no rows, standardised', () =>
    tidy(() => {
      const strips = arange(64 * 512)
        .remainder(251)
        .reshape([1, 64, 512])
        .to('uint8')
      const input = networkInput(strips, 256)
      expect(input.shape).toEqual([1, 3, 256, 256])
      // Row 0 lies above the middle of the first row; column x between columns 2x and 2x + 1.
      const grey = (0 + 1) / 2 / 255
      expect(values(input.select(0, 0).select(1, 0).select(1, 0))).toEqual([
        expect.closeTo((grey - 0.485) / 0.229, 5),
        expect.closeTo((grey - 0.456) / 0.224, 5),
        expect.closeTo((grey - 0.406) / 0.225, 5),
      ])
    }))
})

describe('finding irises', () => {
  const eyes = [
    {
      pupil: { x: 160, y: 120, radius: 24 },
      iris: { x: 162, y: 121, radius: 66 },
      light: { x: 170, y: 112, radius: 5 },
    },
    {
      pupil: { x: 141, y: 128, radius: 34 },
      iris: { x: 139, y: 126, radius: 78 },
      light: { x: 130, y: 120, radius: 6 },
    },
  ]
  test(
    'circles of made-up eyes with lids and highlights are found within a twentieth',
    () =>
      tidyAsync(async () => {
        const before = await liveTensors()
        {
          using normaliser = new IrisNormaliser(config)
          for (const [identity, { pupil, iris, light }] of eyes.entries()) {
            await tidyAsync(async () => {
              const domain = identity % 2 === 0 ? 0 : 1
              const texture = syntheticStrip({ identity, domain, instance: 0 }, SIZE, config.synthetic)
              const upper = { x0: iris.x, a: 0.4 / iris.radius, b: 0, c: iris.y - 0.75 * iris.radius }
              const image = drawEye(texture, {
                height: 240,
                width: 320,
                pupil,
                iris,
                eyelids: { upper },
                highlight: light,
              })
              const { segmentation, strip, mask } = await normaliser.run(image)
              for (const [found, truth] of [
                [segmentation?.pupil, pupil],
                [segmentation?.iris, iris],
              ] as const) {
                expect(Math.hypot((found?.x ?? 0) - truth.x, (found?.y ?? 0) - truth.y)).toBeLessThan(
                  0.06 * iris.radius,
                )
                expect(Math.abs((found?.radius ?? 0) - truth.radius)).toBeLessThan(0.05 * iris.radius)
              }
              const lid = segmentation?.eyelids.upper
              if (lid === undefined) throw new Error('the upper lid was not found')
              expect(Math.abs(heightAt(lid, iris.x) - upper.c)).toBeLessThan(0.05 * iris.radius)
              expect([strip.shape, strip.dtype]).toEqual([[64, 512], 'uint8'])
              // Above the eye (three quarters of a turn from +x towards +y) the outer rows are lid, to the sides they are not.
              expect(mask.select(0, 60).select(0, 384).item()).toBe(false)
              expect(mask.select(0, 60).select(0, 0).item()).toBe(true)
            })
          }
        }
        expect(await liveTensorsDownTo(before)).toBe(before)
      }),
    120_000,
  )

  test(
    'the strip of a found iris is that of its texture',
    () =>
      tidyAsync(async () => {
        const plain = { ...config.synthetic, noise: 0, rotation: 0, lids: 0 }
        const { pupil, iris } = eyes[0] as (typeof eyes)[0]
        using normaliser = new IrisNormaliser(Config.parse({ normalisation: { enhance: false } }))
        const strips: Tensor[] = []
        for (const identity of [1, 2]) {
          const texture = syntheticStrip({ identity, domain: 0, instance: 0 }, SIZE, plain)
          strips.push(
            (await normaliser.run(drawEye(texture, { height: 240, width: 320, pupil, iris }))).strip.to('float32'),
          )
          strips.push(texture)
        }
        const alike = (a: Tensor, b: Tensor) => {
          const [x, y] = [a, b].map((strip) => {
            const inner = strip.narrow(0, 12, 40)
            return inner.sub(inner.mean()).flatten()
          }) as [Tensor, Tensor]
          return x.mul(y).sum().div(x.norm().mul(y.norm())).item() as number
        }
        const [one, first, two, second] = strips as [Tensor, Tensor, Tensor, Tensor]
        expect(Math.min(alike(one, first), alike(two, second))).toBeGreaterThan(0.5)
        expect(Math.max(Math.abs(alike(one, second)), Math.abs(alike(two, first)))).toBeLessThan(0.2)
      }),
    120_000,
  )

  test(
    'a field without an eye, and a picture that is too small, are refused',
    () =>
      tidyAsync(async () => {
        using normaliser = new IrisNormaliser(config)
        await expect(normaliser.run(full([3, 100, 120], 0.5))).rejects.toThrow(/no circle of an iris/)
        await expect(normaliser.run(full([3, 40, 60], 0.5))).rejects.toThrow(/60 × 40 pixels.*at least 48/)
        const strip = await normaliser.run(full([3, 30, 200], 0.5))
        expect(strip.segmentation).toBeUndefined()
        expect(strip.strip.shape).toEqual([64, 512])
      }),
    60_000,
  )

  test('highlights are small and bright; the white of the eye and noise are none', () =>
    tidy(() => {
      const field = full([80, 100], 0.4)
      field.narrow(1, 60, 40).fill_(0.85)
      field.narrow(0, 30, 4).narrow(1, 20, 4).fill_(1)
      const mask = specularMask(field)
      expect(mask.select(0, 31).select(0, 21).item()).toBe(true)
      expect(mask.narrow(1, 70, 30).any().item()).toBe(false)
      expect(
        specularMask(full([60, 60], 0.8))
          .any()
          .item(),
      ).toBe(false)
    }))

  test('a parabola through edges of the upper half', () => {
    const [width, height] = [100, 100]
    const [pupil, iris] = [
      { x: 50, y: 50, radius: 8 },
      { x: 50, y: 50, radius: 40 },
    ]
    const down = new Float32Array(width * height)
    const lid = { x0: 50, a: 0.01, b: 0.1, c: 25 }
    for (let x = 0; x < width; x++) down[Math.round(heightAt(lid, x)) * width + x] = -0.1
    const { upper, lower } = findEyelids(down, width, pupil, iris)
    expect(lower).toBeUndefined()
    for (const x of [30, 50, 65]) expect(Math.abs(heightAt(upper ?? lid, x) - heightAt(lid, x))).toBeLessThan(0.6)
    expect(upper).toBeDefined()
  })
})

test('made-up irises: the same in all runs, of one texture in both domains', () =>
  tidy(() => {
    const strip = (identity: number, domain: 0 | 1, instance = 0) =>
      syntheticStrip(
        { identity, domain, instance },
        { height: 32, width: 128 },
        { ...config.synthetic, rotation: 0, lids: 0 },
      )
    expect(strip(4, 1, 2).equal(strip(4, 1, 2))).toBe(true)
    const correlation = (a: Tensor, b: Tensor) => {
      const [x, y] = [a.sub(a.mean()), b.sub(b.mean())]
      return x.mul(y).sum().div(x.norm().mul(y.norm())).item() as number
    }
    expect(correlation(strip(4, 0), strip(4, 1))).toBeGreaterThan(0.4)
    expect(Math.abs(correlation(strip(4, 0), strip(5, 1)))).toBeLessThan(0.2)
    // A lid covers the outer rows above the eye, and nothing else.
    const covered = syntheticStrip(
      { identity: 4, domain: 0, instance: 0 },
      { height: 32, width: 128 },
      { ...config.synthetic, rotation: 0, lids: 0.5 },
    )
    const same = covered.eq(strip(4, 0))
    expect(same.select(0, 31).select(0, 96).item()).toBe(false)
    expect(same.select(0, 14).all().item()).toBe(true)
    expect(same.narrow(1, 0, 60).all().item()).toBe(true)
  }))
