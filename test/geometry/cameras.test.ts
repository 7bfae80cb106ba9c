// Against OpenCV and loops in numpy; tools/reference/geometry.py wrote the numbers.
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  alphaWeights,
  axisAngleToMatrix,
  cameraRays,
  crossBox,
  densityWeights,
  distortPoints,
  flipCameraAxes,
  importanceSamples,
  intrinsicsMatrix,
  invertRigid,
  lookAt,
  pointsOnRays,
  positionalEncoding,
  projectToImage,
  renderRays,
  rigidTransform,
  scaleIntrinsics,
  stratifiedSamples,
  transformPoints,
  undistortPoints,
  unprojectFromImage,
} from '../../lib/geometry'
import { Generator, gradcheck, ones, type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { hashTensor } from '../support/hash-weights'
import { liveTensors } from '../support/live-tensors'

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/geometry/${name}.json`, import.meta.url), 'utf8'))
const float64 = (values: number[] | number[][]) => tensor(values, { dtype: 'float64' })
const largest = (a: Tensor, b: Tensor) => a.sub(b).abs().max().toNumber()
const random = (name: string, shape: number[]) => hashTensor(name, shape).to('float64')
const scoped = (name: string, fn: () => void) => test(name, () => tidy(fn))
const nine = (x: number) => Math.round(x * 1e9) / 1e9 + 0
const values = (t: Tensor) => Array.from(t.to('float64').reshape([-1]).dataSync(), Number)

let before = 0
beforeEach(async () => {
  before = await liveTensors()
})
afterEach(async () => expect(await liveTensors()).toBe(before))

const check = (fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[], ...inputs: Tensor[]) =>
  expect(
    gradcheck(
      fn,
      inputs.map((input) => input.detach().clone().requiresGrad_()),
    ),
  ).toBe(true)

describe('pinhole cameras', () => {
  const reference = read('cameras')
  const inCamera = () => {
    const pose = rigidTransform(axisAngleToMatrix(float64(reference.axisAngle)), float64(reference.translation))
    return transformPoints(pose, float64(reference.points))
  }

  scoped('see points where OpenCV sees them, without and with a lens', () => {
    for (const { distortion, pixels } of reference.cases) {
      const options = distortion.length === 0 ? {} : { distortion: float64(distortion) }
      const seen = projectToImage(inCamera(), float64(reference.intrinsics), options)
      expect(largest(seen, float64(pixels)), `${distortion}`).toBeLessThan(1e-8)
      const back = unprojectFromImage(seen, inCamera().select(-1, 2), float64(reference.intrinsics), options)
      expect(largest(back, inCamera()), `${distortion}`).toBeLessThan(1e-8)
    }
  })

  scoped('have gradients by points, intrinsics and the lens', () => {
    const lens = float64([0.1, -0.05, 0.002, -0.003, 0.02, 0.05, -0.01, 0.004])
    const points = inCamera().narrow(0, 0, 3)
    check((p, k, d) => projectToImage(p, k, { distortion: d }), points, float64(reference.intrinsics), lens)
    const flat = random('flat', [3, 2]).mul(0.3)
    check(distortPoints as (...inputs: Tensor[]) => Tensor, flat, lens)
    check((p, d) => undistortPoints(p, d), flat, lens)
  })

  scoped('look at a place: it is in the middle, ahead, and the world up is up', () => {
    const intrinsics = intrinsicsMatrix({ fx: 100, cx: 50, cy: 40 }, 'float64')
    const [eye, target] = [float64([3, -4, 2]), float64([0.5, 1, -1])]
    const pose = lookAt(eye, target)
    const seen = transformPoints(invertRigid(pose), target.unsqueeze(0))
    expect(largest(seen, float64([[0, 0, Math.hypot(2.5, 5, 3)]]))).toBeLessThan(1e-12)
    const above = transformPoints(invertRigid(pose), target.add(float64([0, 0, 0.5])).unsqueeze(0))
    const [pixel] = [values(projectToImage(above, intrinsics))]
    expect(pixel[0]).toBeCloseTo(50, 9)
    expect(pixel[1]).toBeLessThan(40)
    const opengl = lookAt(eye, target, { axes: 'opengl' })
    expect(largest(flipCameraAxes(opengl), pose)).toBe(0)
    // From above x = right, y = away, z = up: the opengl camera at (0, −1, 0) looking along +y has these columns.
    const simple = lookAt(float64([0, -1, 0]), float64([0, 0, 0]), { axes: 'opengl' })
    const expected = [1, 0, 0, 0, 0, 0, -1, -1, 0, 1, 0, 0, 0, 0, 0, 1]
    expect(largest(simple.reshape([-1]), float64(expected))).toBe(0)
  })

  scoped('of resized images see the same places', () => {
    const k = intrinsicsMatrix({ fx: 100, fy: 90, cx: 31.5, cy: 23.5 }, 'float64')
    // The middle of a 64 × 48 image is the middle of the image half as large.
    expect(values(scaleIntrinsics(k, 0.5))).toEqual([50, 0, 15.5, 0, 45, 11.5, 0, 0, 1])
  })
})

describe('rays', () => {
  scoped('go through their pixels', () => {
    const intrinsics = intrinsicsMatrix({ fx: 60, fy: 55, cx: 3, cy: 2 }, 'float64')
    const pose = lookAt(float64([1, 2, 3]), float64([0, 0, 0]))
    for (const axes of ['opencv', 'opengl'] as const) {
      const cameraToWorld = axes === 'opencv' ? pose : flipCameraAxes(pose)
      const rays = cameraRays(intrinsics, cameraToWorld, [4, 6], { axes })
      expect(rays.origins.shape).toEqual([4, 6, 3])
      const places = pointsOnRays(rays, tensor([2.5], { dtype: 'float64' }).expand([4, 6, 1])).reshape([24, 3])
      const seen = transformPoints(invertRigid(pose), places)
      expect(largest(seen.select(1, 2), float64([2.5]))).toBeLessThan(1e-12)
      const pixels = projectToImage(seen, intrinsics).reshape([4, 6, 2])
      expect(values(pixels.at(3, 5)).map(nine)).toEqual([5, 3])
      expect(values(pixels.at(0, 2)).map(nine)).toEqual([2, 0])
    }
    const unitRays = cameraRays(intrinsics, pose, [4, 6], { normalize: true, offset: 0.5 })
    const lengths = unitRays.directions.square().sum({ dim: [-1] })
    expect(largest(lengths, ones([4, 6], { dtype: 'float64' }))).toBeLessThan(1e-12)
    // The intrinsics' middle (3, 2) is the corner of pixel (3, 2) where counts begin at the corner.
    const centred = cameraRays(intrinsics, pose, [4, 6], { offset: 0.5 }).directions.at(2, 3)
    const byHand = pose
      .narrow(0, 0, 3)
      .narrow(1, 0, 3)
      .matmul(float64([0.5 / 60, 0.5 / 55, 1]))
    expect(largest(centred, byHand)).toBeLessThan(1e-12)
  })

  scoped('cross boxes where geometry says', () => {
    const rays = {
      origins: float64([
        [-2, 0.5, 0.5],
        [0.5, 0.5, 0.5],
        [-2, 5, 0.5],
        [3, 0.5, 0.5],
      ]),
      directions: float64([
        [2, 0, 0],
        [0, 0, -1],
        [1, 0, 0],
        [1, 0, 0],
      ]),
    }
    const box = float64([
      [0, 0, 0],
      [1, 1, 1],
    ])
    const { near, far, hit } = crossBox(rays, box, { near: 0, far: 100 })
    expect(values(hit.to('int64'))).toEqual([1, 1, 0, 0])
    expect(values(near).slice(0, 2)).toEqual([1, 0])
    expect(values(far).slice(0, 2)).toEqual([1.5, 0.5])
  })

  scoped('are sampled in strata, and where weights are', () => {
    const [near, far] = [float64([2, 1]), float64([6, 9])]
    expect(values(stratifiedSamples(near, far, 5, { perturb: false }))).toEqual([2, 3, 4, 5, 6, 1, 3, 5, 7, 9])
    const inverse = values(stratifiedSamples(float64([1]), float64([4]), 3, { perturb: false, inverseDepth: true }))
    expect(inverse).toEqual([1, 1.6, 4])
    using generator = new Generator(3)
    expect(() => stratifiedSamples(1 as never, 5 as never, 3)).toThrow(/near is 1; it must be a tensor/)
    const drawn = stratifiedSamples(near, far, 5, { generator })
    const edges = [float64([2, 2.5, 3.5, 4.5, 5.5]), float64([2.5, 3.5, 4.5, 5.5, 6])] as const
    expect(drawn.at(0).ge(edges[0]).logicalAnd(drawn.at(0).le(edges[1])).all().item()).toBe(true)
    using again = new Generator(3)
    expect(stratifiedSamples(near, far, 5, { generator: again }).equal(drawn)).toBe(true)

    const { bins, weights, u, samples } = read('nerf')
    const found = importanceSamples(float64(bins), float64(weights), 12, { quantiles: float64(u) })
    expect(largest(found, float64(samples))).toBeLessThan(1e-9)
    const ends = importanceSamples(float64([[1, 2, 4]]), float64([[1, 1]]), 5, { deterministic: true })
    expect(values(ends).map(nine)).toEqual([1, 1.5, 2, 3, 4])
  })

  scoped('show what equation 3 of NeRF says', () => {
    const { densities, depths, volume, left } = read('nerf')
    const found = densityWeights(float64(densities), float64(depths))
    expect(largest(found.weights, float64(volume))).toBeLessThan(1e-11)
    expect(largest(found.transmittance, float64(left))).toBeLessThan(1e-11)
    const scaled = densityWeights(float64(densities), float64(depths).div(2), {
      directionLengths: float64([2, 2, 2]),
      lastDistance: 5e9,
    })
    expect(largest(scaled.weights, found.weights)).toBeLessThan(1e-11)
    // Half opaque red before a fully opaque green, and nothing behind.
    const byAlpha = alphaWeights(float64([[0.5, 1, 0.3]]))
    expect(values(byAlpha.weights)).toEqual([0.5, 0.5, 0])
    const thin = alphaWeights(float64([[0.5, 0.5]]))
    const colours = float64([
      [1, 0, 0],
      [0, 1, 0],
    ]).unsqueeze(0)
    expect(values(renderRays(thin, colours, 1))).toEqual([0.75, 0.5, 0.25])
    expect(values(renderRays(thin, colours))).toEqual([0.5, 0.25, 0])
  })

  scoped('have gradients', () => {
    const { densities, depths } = read('nerf')
    const fog = (d: Tensor, z: Tensor) => {
      const { weights, transmittance } = densityWeights(d, z, { lastDistance: 1 })
      return [weights, transmittance]
    }
    check(fog as (...inputs: Tensor[]) => readonly Tensor[], float64(densities), float64(depths))
    check((alphas) => Object.values(alphaWeights(alphas)) as Tensor[], float64([[0.2, 0.7, 0.4]]))
    check((x) => positionalEncoding(x, 3), random('encoded', [2, 3]))
  })

  scoped('encode places in the order of the code of the paper', () => {
    const x = float64([[0.3, -0.2]])
    const [a, b] = [0.3, -0.2]
    const expected = [a, b, Math.sin(a), Math.sin(b), Math.cos(a), Math.cos(b)]
    expected.push(Math.sin(2 * a), Math.sin(2 * b), Math.cos(2 * a), Math.cos(2 * b))
    expect(largest(positionalEncoding(x, 2), float64([expected]))).toBeLessThan(1e-15)
    expect(positionalEncoding(x, 4, { includeInput: false, base: Math.PI }).shape).toEqual([1, 16])
  })
})

describe('bad input is named', () => {
  test.each([
    [/fx 0/, () => intrinsicsMatrix({ fx: 0, cx: 0, cy: 0 })],
    [/coefficients are \[3\]; they are 4/, () => distortPoints(ones([2, 2]), ones([3]))],
    [/depths are \[3\], pixels \[2,2\]/, () => unprojectFromImage(ones([2, 2]), ones([3]), ones([3, 3]))],
    [/size is \[0,4\]/, () => cameraRays(ones([3, 3]), ones([4, 4]), [0, 4])],
    [/edges are \[3\], weights \[3\]/, () => importanceSamples(ones([3]), ones([3]), 2)],
    [/count is 0/, () => stratifiedSamples(zeros([1]), ones([1]), 0)],
    [/values are \[1,2,3\], weights \[1,3\]/, () => renderRays(alphaWeights(ones([1, 3])), ones([1, 2, 3]))],
    [/frequencies is 1.5/, () => positionalEncoding(ones([1]), 1.5)],
    [/axes is 'blender'/, () => lookAt(ones([3]), zeros([3]), { axes: 'blender' as never })],
  ])('%s', (message, fn) => {
    tidy(() => expect(fn).toThrow(message))
  })
})
