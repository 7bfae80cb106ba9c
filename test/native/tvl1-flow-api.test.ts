import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { readFlow, writeFlow } from '../../lib/io'
import { VisionNativeError } from '../../lib/native/errors'
import { bridge } from '../../lib/native/frame'
import { dequantiseFlow, quantiseFlow, type Tvl1Options, type Tvl1Preset, tvl1, tvl1Flow } from '../../lib/ops'
import { call, rand, type Tensor, tensor, tidyAsync, zeros } from '../../lib/tensor'
import { bits, flowOf, frames, largestDifference, shifted, texture } from '../support/tvl1'

const pair = shifted(texture(2, 1, 60), 64, 48, 1.5, -0.5)
const [first, second] = [frames(pair.first), frames(pair.second)]
/** Quick settings: these tests are not about the flow. */
const quick: Tvl1Options = { scales: 2, warps: 2, innerIterations: 5, outerIterations: 1 }

function kindOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (VisionNativeError.is(error)) return `${error.kind}: ${error.message}`
    throw error
  }
  return 'no error'
}

describe('bad input', () => {
  const image = () => zeros([1, 20, 20])
  test.each<[string, () => unknown, RegExp]>([
    ['rank 2', () => tvl1Flow(zeros([20, 20]), zeros([20, 20])), /^Shape: .*\[N, H, W\].*\[20, 20\]/],
    ['rank 4', () => tvl1Flow(zeros([1, 1, 20, 20]), zeros([1, 1, 20, 20])), /^Shape: .*\[N, H, W\]/],
    [
      'sizes that differ',
      () => tvl1Flow(image(), zeros([1, 20, 21])),
      /^Shape: .*same shape.*\[1, 20, 20\].*\[1, 20, 21\]/,
    ],
    ['batches that differ', () => tvl1Flow(image(), zeros([2, 20, 20])), /^Shape: .*same shape/],
    ['less than 3 pixels', () => tvl1Flow(zeros([1, 2, 20]), zeros([1, 2, 20])), /^Shape: .*3 x 3.*\[1, 2, 20\]/],
    ['float64', () => tvl1Flow(image().to('float64'), image().to('float64')), /^DType: .*uint8, or float32/],
    ['int64', () => tvl1Flow(image().to('int64'), image().to('int64')), /^DType: .*uint8, or float32/],
    ['dtypes that differ', () => tvl1Flow(image(), image().to('uint8')), /^DType: .*same dtype/],
    ['NaN', () => tvl1Flow(image(), image().fill_(Number.NaN)), /^Argument: .*second holds NaN/],
    [
      'infinity',
      () => tvl1Flow(image().sub(Number.POSITIVE_INFINITY), image()),
      /^Argument: .*first holds NaN or infinity/,
    ],
    ['float frames in 0-255', () => tvl1Flow(image().add(255), image()), /^Argument: .*divide by 255/],
    [
      'init of another shape',
      () => tvl1Flow(image(), image(), { init: zeros([1, 2, 20, 21]) }),
      /^Shape: .*init.*\[1, 2, 20, 20\]/,
    ],
    [
      'init with NaN',
      () => tvl1Flow(image(), image(), { init: zeros([1, 2, 20, 20]).fill_(Number.NaN) }),
      /^Argument: .*init/,
    ],
    ['an unknown preset', () => tvl1({ preset: 'farneback' as Tvl1Preset }), /^Argument: .*opencv-cpu, opencv24-cuda/],
    ['an unknown parameter', () => tvl1({ lamda: 1 } as Tvl1Options), /^Argument: .*'lamda'.*lambda/],
    ['a flow bound of 0', () => quantiseFlow(image(), 0), /^Argument: .*above 0, got 0/],
  ])('%s', (_name, run, message) => {
    expect(kindOf(run)).toMatch(message)
  })

  test.each<[string, Tvl1Options]>([
    ['tau', { tau: Number.NaN }],
    ['tau', { tau: 0 }],
    ['lambda', { lambda: -0.15 }],
    ['lambda', { lambda: Number.POSITIVE_INFINITY }],
    ['theta', { theta: 0 }],
    ['scales', { scales: 0 }],
    ['scales', { scales: -1 }],
    ['scales', { scales: 2 ** 40 }],
    ['scale_factor', { scaleFactor: 1 }],
    ['scale_factor', { scaleFactor: Number.NaN }],
    ['scale_factor', { pyramid: 'binomial', scaleFactor: 0.8 }],
    ['pyramid', { pyramid: 'laplacian' as 'bilinear' }],
    ['warps', { warps: 0 }],
    ['epsilon', { epsilon: -1e-3 }],
    ['outer_iterations', { outerIterations: 0 }],
    ['inner_iterations', { innerIterations: -5 }],
    ['gamma', { gamma: Number.NaN }],
    ['bicubic_a', { bicubicA: 1 }],
    ['presmoothing_sigma', { presmoothingSigma: -1 }],
    ['coordinate_steps', { coordinateSteps: -32 }],
    ['block_size', { blockSize: 9 }],
  ])('%s out of range', (name, options) => {
    expect(kindOf(() => tvl1Flow(first, second, options))).toMatch(new RegExp(`^Argument: .*${name}`))
  })

  test('a fraction for a count is refused, not rounded', () => {
    expect(kindOf(() => tvl1Flow(first, second, { warps: 2.5 }))).toMatch(/^(Argument|DType)/)
  })

  test('async calls reject with the same errors', async () => {
    await expect(tvl1().pair(zeros([1, 20, 20]), zeros([20, 20]))).rejects.toMatchObject({ kind: 'Shape' })
    await expect(tvl1().batch(zeros([1, 20, 20]), zeros([1, 20, 21]))).rejects.toMatchObject({ kind: 'Shape' })
    await expect(tvl1().clip(zeros([1, 20, 20]))).rejects.toMatchObject({ kind: 'Shape' })
    await expect(tvl1().clip(zeros([4, 2, 20, 20]))).rejects.toMatchObject({ kind: 'Shape' })
    const sideways = { direction: 'sideways' as 'both' }
    await expect(tvl1().clip(zeros([3, 20, 20]), sideways)).rejects.toMatchObject({ kind: 'Argument' })
  })
})

describe('inputs', () => {
  test('uint8 and float32 frames of the same image give the same flow', () => {
    const bytes = [first, second].map((f) => f.mul(255).round().clamp({ min: 0, max: 255 }).to('uint8')) as [
      Tensor,
      Tensor,
    ]
    const [a, b] = bytes.map((t) => t.to('float32').div(255)) as [Tensor, Tensor]
    const [fromBytes, fromFloats] = [tvl1Flow(...bytes).flow, tvl1Flow(a, b).flow]
    expect(largestDifference(flowOf(fromBytes).u, flowOf(fromFloats).u)).toBeLessThan(1e-3)
    expect(fromBytes.dtype).toBe('float32')
  })

  test('strided views give what their copies give', () => {
    const turned = [first, second].map((f) => f.transpose(1, 2)) as [Tensor, Tensor]
    const copies = turned.map((t) => t.contiguous()) as [Tensor, Tensor]
    expect(turned[0].isContiguous).toBe(false)
    const init = rand([1, 48, 64, 2]).permute([0, 3, 2, 1])
    expect(bits(tvl1Flow(...turned, { ...quick, init }).flow)).toEqual(
      bits(tvl1Flow(...copies, { ...quick, init: init.contiguous() }).flow),
    )
  })

  test.each([
    [3, 3],
    [3, 200],
    [15, 40],
    [17, 16],
  ])('images of %i × %i', (height, width) => {
    const { flow, iterations } = tvl1Flow(rand([1, height, width]), rand([1, height, width]), quick)
    expect(flow.shape).toEqual([1, 2, height, width])
    expect(iterations.shape).toEqual([1, 1, 2])
    expect(flow.isfinite().all().item()).toBe(true)
  })

  test('a batch of none has a result of none', () => {
    const { flow } = tvl1Flow(zeros([0, 20, 30]), zeros([0, 20, 30]))
    expect(flow.shape).toEqual([0, 2, 20, 30])
  })

  test('frames that require gradients give a flow that does not', () => {
    const { flow } = tvl1Flow(first.clone().requiresGrad_(), second, quick)
    expect(flow.requiresGrad).toBe(false)
  })

  test('shapes are known without data', () => {
    const frame = zeros([2, 256, 340], { device: 'meta' })
    const { flow, iterations } = tvl1Flow(frame, frame)
    expect([flow.shape, iterations.shape]).toEqual([
      [2, 2, 256, 340],
      [2, 5, 5],
    ])
  })
})

describe('clips', () => {
  const clip = frames(...[0, 1, 2, 3].map((t) => shifted(texture(2, 5, 60), 40, 32, t, -t / 2).second))
  const frame = (t: number) => clip.narrow(0, t, 1)

  test.each(['opencv-cpu', 'ipol'] as const)('give what their pairs give, both ways, %s', async (preset) => {
    const { forward, backward } = await tvl1({ preset, ...quick }).clip(clip, { direction: 'both' })
    expect(forward?.shape).toEqual([3, 2, 32, 40])
    for (let t = 0; t < 3; t++) {
      const there = tvl1Flow(frame(t), frame(t + 1), { preset, ...quick }).flow
      const back = tvl1Flow(frame(t + 1), frame(t), { preset, ...quick }).flow
      expect(bits((forward as Tensor).narrow(0, t, 1))).toEqual(bits(there))
      expect(bits((backward as Tensor).narrow(0, t, 1))).toEqual(bits(back))
    }
  })

  test('one direction is returned alone', async () => {
    const solver = tvl1(quick)
    const both = await solver.clip(clip, { direction: 'both' })
    const forward = await solver.clip(clip)
    const backward = await solver.clip(clip, { direction: 'backward' })
    expect(Object.keys(forward)).toEqual(['forward'])
    expect(Object.keys(backward)).toEqual(['backward'])
    expect(bits(backward.backward as Tensor)).toEqual(bits(both.backward as Tensor))
  })

  test('longer than a batch of the solver', async () => {
    const long = rand([71, 16, 18])
    const { forward } = await tvl1(quick).clip(long)
    const last = tvl1Flow(long.narrow(0, 69, 1), long.narrow(0, 70, 1), quick).flow
    expect(forward?.shape).toEqual([70, 2, 16, 18])
    expect(bits((forward as Tensor).narrow(0, 69, 1))).toEqual(bits(last))
  })

  test('colour is weighted by Rec. 601, and flow is quantised on request', async () => {
    const colour = rand([2, 3, 24, 24])
    const weights = tensor([0.299, 0.587, 0.114]).view([1, 3, 1, 1])
    const grey = colour.mul(weights).sum({ dim: [1] })
    const solver = tvl1(quick)
    const fromColour = (await solver.clip(colour)).forward as Tensor
    const fromGrey = (await solver.clip(grey)).forward as Tensor
    expect(largestDifference(flowOf(fromColour).u, flowOf(fromGrey).u)).toBeLessThan(1e-3)
    const bytes = (await solver.clip(colour, { quantise: 5 })).forward as Tensor
    expect(bytes.dtype).toBe('uint8')
    expect(bits(bytes)).toEqual(bits(quantiseFlow(fromColour, 5)))
  })

  test('pairs and batches take an initial flow and drop the batch dimension', async () => {
    const init = rand([2, 32, 40])
    const solver = tvl1(quick)
    const flow = await solver.pair(frame(0).squeeze(0), frame(1).squeeze(0), { init })
    const batch = await solver.batch(frame(0), frame(1), { init: init.unsqueeze(0) })
    expect(flow.shape).toEqual([2, 32, 40])
    expect(bits(flow)).toEqual(bits(batch))
    expect(bits(flow)).not.toEqual(bits(await solver.batch(frame(0), frame(1))))
  })
})

describe('check 14: files and bytes', () => {
  test('a .flo file returns every bit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tvl1-'))
    try {
      const flow = tvl1Flow(first, second, quick).flow.squeeze(0)
      const path = join(folder, 'flow.flo')
      await writeFlow(flow, path)
      expect(readFileSync(path).readFloatLE(0)).toBe(202021.25)
      expect(bits((await readFlow(path)).flow)).toEqual(bits(flow))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test.each([20, 3.5])('quantisation to ±%f px is off by b/255 at most', (bound) => {
    const flow = rand([2, 50, 60])
      .mul(2 * bound)
      .sub(bound)
    const restored = dequantiseFlow(quantiseFlow(flow, bound), bound)
    const error = restored.sub(flow).abs().max().toNumber()
    expect(error).toBeLessThanOrEqual(bound / 255 + 1e-5)
    expect(error).toBeGreaterThan(0.9 * (bound / 255))
  })

  test('halves round up, and what is beyond the bound is cut off', () => {
    const flow = tensor([-500, -127.5, -1, 0, 1, 126.9, 127.5, 500])
    expect([...quantiseFlow(flow, 127.5).dataSync()]).toEqual([0, 0, 127, 128, 129, 254, 255, 255])
  })
})

describe('threads', () => {
  const before = bridge().numThreads()
  afterEach(() => bridge().setNumThreads(before))
  const threads = () => call('vision_native::_tvl1_threads_of_last_call', []) as number
  const runs: [string, () => Tensor][] = [
    // One pair is split into bands of rows; three pairs go to different threads.
    ['one pair', () => tvl1Flow(large.narrow(0, 0, 1), large.narrow(0, 1, 1), { ...quick, gamma: 0.1 }).flow],
    ['three pairs', () => tvl1Flow(large.narrow(0, 0, 3), large.narrow(0, 1, 3), quick).flow],
    ['ipol', () => tvl1Flow(large.narrow(0, 0, 1), large.narrow(0, 1, 1), { ...quick, preset: 'ipol' }).flow],
  ]
  const large = rand([4, 260, 301])

  test.each(runs)('check 15: %s: two threads do the work and change no bit', (_name, run) => {
    bridge().setNumThreads(1)
    const alone = bits(run())
    expect(threads()).toBe(1)
    bridge().setNumThreads(2)
    expect(bits(run())).toEqual(alone)
    expect(threads()).toBe(2)
  })
})

describe('instruction sets', () => {
  const digest = (isa: string) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'test/support/tvl1-digest.ts'], {
      encoding: 'utf8',
      env: { ...process.env, VISION_NATIVE_ISA: isa },
    })
  const hasAvx2 = /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))

  test('AVX2 and scalar code give the same bits', ({ skip }) => {
    skip(!hasAvx2, 'this CPU has no AVX2')
    const [scalar, avx2] = [digest('scalar'), digest('avx2')]
    expect(scalar.stderr + avx2.stderr).toBe('')
    expect(scalar.stdout).toMatch(/^[0-9a-f]{64}\n$/)
    expect(avx2.stdout).toBe(scalar.stdout)
  })

  test('an unknown instruction set is an error that names the known ones', () => {
    expect(digest('sse9').stderr).toContain('VISION_NATIVE_ISA=sse9 is not known; use scalar, avx2 or avx512')
  })
})

describe('watching and stopping', () => {
  test('progress counts the levels of all pairs', async () => {
    const seen: { stage: string; done: number; total: number }[] = []
    const one = { ...quick, scales: 3 }
    await tvl1(one).batch(rand([1, 64, 64]), rand([1, 64, 64]), {
      onProgress: (progress) => seen.push({ ...progress }),
    })
    expect(seen.length).toBeGreaterThan(0)
    for (const { stage, total } of seen) expect([stage, total]).toEqual(['tvl1', 3])
    expect(seen.at(-1)?.done).toBe(3)
  })

  test.each([
    ['one pair', 1],
    ['more pairs than threads', 5],
  ])('a signal stops a solve that would take hours, %s, and leaves no tensor behind', async (_name, pairs) => {
    const frame = rand([pairs, 128, 128])
    const other = rand([pairs, 128, 128])
    const endless = tvl1({ epsilon: 0, innerIterations: 1_000_000, outerIterations: 1000 })
    const tensors = bridge().memory().tensors
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 50)
    await tidyAsync(async () => {
      await expect(endless.batch(frame, other, { signal: controller.signal })).rejects.toMatchObject({
        kind: 'Cancelled',
      })
    })
    expect(bridge().memory().tensors).toBe(tensors)
    // The solver works as before.
    expect(tvl1Flow(frame, other, quick).flow.isfinite().all().item()).toBe(true)
  })

  test('a signal that has fired stops the call before it starts', async () => {
    const signal = AbortSignal.abort()
    await expect(tvl1().batch(first, second, { signal })).rejects.toMatchObject({ kind: 'Cancelled' })
  })
})
