import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import * as metrics from '../../lib/metrics'
import * as detection from '../../lib/metrics/detection'
import * as enhancement from '../../lib/metrics/enhancement'
import * as niqe from '../../lib/metrics/niqe'
import * as segmentation from '../../lib/metrics/segmentation'
import { cat, memory, type Tensor, tidy, tidyAsync } from '../../lib/tensor'
import { liveTensors } from '../support/live-tensors'
import { CASES, difference, METRICS, type MetricCase, metricOf, readInputs } from './references'

let inputs: ReadonlyMap<string, Tensor>
beforeAll(async () => {
  inputs = await readInputs()
})
const argsOf = ({ args }: MetricCase) => args.map((name) => inputs.get(name) as Tensor)
const titled = CASES.map((one) => [`${one.metric} ${JSON.stringify(one.options)} of ${one.args}`, one] as const)
/** Functional forms whose names are not those of their classes. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  ...{ Mean: 'weightedMean', ROC: 'rocCurve', EER: 'equalErrorRate', AUROC: 'auroc', MSSSIM: 'msSsim', PSNR: 'psnr' },
  ...{ SSIM: 'ssim', CosineSimilarity: 'meanCosineSimilarity' },
}
const functionOf = (metric: string) => FUNCTIONS[metric] ?? `${metric.charAt(0).toLowerCase()}${metric.slice(1)}`

test('every exported metric has a reference', () => {
  expect([...METRICS.keys()].filter((name) => !CASES.some(({ metric }) => metric === name))).toEqual([])
})

test('every exported metric has a functional form, and no function is without a test', () => {
  // They have tests of their own, and no batches to add up.
  const others = [
    'angularError',
    'endPointError',
    'flowOutliers',
    'decidability',
    'truePositiveRateAt',
    'synchronizeMetrics',
    ...Object.keys(detection),
    ...Object.keys(enhancement),
    ...Object.keys(niqe),
    ...Object.keys(segmentation),
  ]
  const functions = Object.keys(metrics).filter((name) => /^[a-z]/.test(name) && !others.includes(name))
  expect(functions.sort()).toEqual([...METRICS.keys()].map(functionOf).sort())
})

describe('agrees with its reference', () => {
  test.each(titled)('%s', async (_, one) => {
    using metric = metricOf(one)
    metric.update(...argsOf(one))
    expect(difference(metric.compute(), one.expected)).toBeLessThanOrEqual(one.tolerance)
    expect(await metric.computeAsync()).toEqual(metric.compute())
  })
})

describe('the functional form agrees with the reference', () => {
  // `per` is how a metric joins images, which a function of one batch does not.
  test.each(titled.filter(([, { options }]) => !('per' in options)))('%s', (_, one) => {
    const form: unknown = Object.entries(metrics).find(([name]) => name === functionOf(one.metric))?.[1]
    const call = form as (...args: unknown[]) => number | Tensor
    const options = Object.keys(one.options).length > 0 ? [one.options] : []
    const result = tidy(() => {
      const value: unknown = call(...argsOf(one), ...options)
      return ['psnr', 'ssim', 'msSsim'].includes(functionOf(one.metric)) ? (value as Tensor).toNumber() : value
    })
    expect(difference(result, one.expected)).toBeLessThanOrEqual(one.tolerance)
  })
})

describe('metrics that saw parts of the data, merged, are one that saw all', () => {
  test.each(titled)('%s', (_, one) => {
    const args = argsOf(one)
    const samples = (args[0] as Tensor).size(0)
    const cuts = fc.array(fc.tuple(fc.nat({ max: samples }), fc.nat({ max: 2 })), { maxLength: 6 })
    fc.assert(
      fc.property(cuts, (chosen) => {
        tidy(() => {
          const parts = Array.from({ length: 3 }, () => metricOf(one))
          const ends = [...chosen, [samples, 0] as const].sort(([a], [b]) => a - b)
          let start = 0
          for (const [end, part] of ends) {
            const batch = args.map((arg) => arg.narrow(0, start, end - start))
            // An image metric has nothing to say about a batch without images.
            if (end > start) parts[part]?.update(...batch)
            start = end
          }
          const [first, ...others] = parts
          for (const other of others) first?.merge(other)
          // The order of the samples, and with it the last digit of a sum, depends on the cuts.
          expect(difference(first?.compute(), one.expected)).toBeLessThanOrEqual(Math.max(one.tolerance, 1e-9))
          for (const part of parts) part.dispose()
        })
      }),
      { numRuns: 5 },
    )
  })
})

describe('goes on from its state', () => {
  test.each([...METRICS.keys()])('%s', (name) => {
    const one = CASES.find(({ metric, args }) => metric === name && args.length > 0) as MetricCase
    const args = argsOf(one)
    const half = Math.floor((args[0] as Tensor).size(0) / 2)
    tidy(() => {
      using before = metricOf(one)
      using after = metricOf(one)
      expect(before.stateDict()).toEqual({})
      before.update(...args.map((arg) => arg.narrow(0, 0, half)))
      const state = before.stateDict()
      after.update(...args)
      after.loadStateDict(state)
      // The state is a copy: what happens to its origin is nothing to it.
      before.reset()
      after.update(...args.map((arg) => arg.narrow(0, half, arg.size(0) - half)))
      expect(difference(after.compute(), one.expected)).toBeLessThanOrEqual(Math.max(one.tolerance, 1e-9))
      after.loadStateDict({})
      expect(() => after.compute()).toThrow(/nothing was measured yet/)
    })
  })
})

describe('holds no tensor once it is disposed of, and none of its arguments', () => {
  test.each([...METRICS.keys()])('%s', async (name) => {
    const one = CASES.find(({ metric }) => metric === name) as MetricCase
    await tidyAsync(async () => {
      const before = await liveTensors()
      using metric = metricOf(one)
      const copies = argsOf(one).map((arg) => arg.clone())
      metric.update(...copies)
      for (const copy of copies) {
        copy.zero_()
        copy.dispose()
      }
      expect(difference(metric.compute(), one.expected)).toBeLessThanOrEqual(one.tolerance)
      await metric.computeAsync()
      metric.dispose()
      expect(memory.stats().tensors).toBe(before)
    })
  })
})

test('float32 values and images give the same within their precision', () => {
  const wanted = CASES.filter(({ metric }) => ['SSIM', 'MSSSIM', 'PSNR'].includes(metric))
  for (const one of wanted) {
    tidy(() => {
      const args = argsOf(one).map((arg) => (arg.dtype === 'float64' ? arg.to('float32') : arg))
      using metric = metricOf(one)
      metric.update(...args)
      expect(difference(metric.compute(), one.expected), `${one.metric} ${one.args}`).toBeLessThanOrEqual(1e-5)
    })
  }
})

test('strided arguments are read as they are', () => {
  const one = CASES.find(({ metric, args }) => metric === 'MeanIoU' && args[1] === 'masks.targets') as MetricCase
  tidy(() => {
    const spread = argsOf(one).map((arg) =>
      cat([arg, arg], { dim: 2 }).transpose(1, 2).narrow(1, 0, arg.size(2)).transpose(1, 2),
    )
    expect(spread.map((arg) => arg.isContiguous)).toEqual([false, false])
    using metric = metricOf(one)
    metric.update(...spread)
    expect(difference(metric.compute(), one.expected)).toBeLessThanOrEqual(one.tolerance)
  })
})
