import { describe, expect, test } from 'vitest'
import { VisionNativeError } from '../../lib/native/errors'
import { getNumThreads, isTensor, setNumThreads, type Tensor, tidy } from '../../lib/tensor'
import {
  type Example,
  type ExampleTensor,
  type ExampleValue,
  examples,
  isSpec,
  ownOperators,
  runExample,
} from '../../tools/operator-table'

/** What holds for every operator of ours, at its example in test/fixtures/operators.json. */

/** They act on the graph of autograd, or tell of the process. */
const NOT_FUNCTIONS = new Set(['grad', 'backward', '_cpu_isa', '_tvl1_threads_of_last_call'])
const operators = ownOperators().filter((name) => !NOT_FUNCTIONS.has(name))

test('every operator has an example, and every example its operator', () => {
  expect([...examples.keys()].sort()).toEqual(operators)
})

const tensors = (results: unknown): Tensor[] => [results].flat().filter(isTensor) as Tensor[]

/** NaN is compared by its bits too. */
function bitsOf(tensor: Tensor): string {
  const data = tensor.contiguous().dataSync()
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')
}

/** The example with its tensors changed, each by its place among them. */
function changed(example: Example, change: (spec: ExampleTensor, place: number) => ExampleTensor): Example {
  let place = 0
  const within = (value: ExampleValue): ExampleValue =>
    isSpec(value) ? change(value, place++) : Array.isArray(value) ? value.map(within) : value
  const options = Object.entries(example.options ?? {}).map(([key, value]) => [key, within(value)] as const)
  return { ...example, args: example.args.map(within), options: Object.fromEntries(options) }
}

function specsOf(example: Example): ExampleTensor[] {
  const specs: ExampleTensor[] = []
  changed(example, (spec) => {
    specs.push(spec)
    return spec
  })
  return specs
}

/** Runs an operator on inputs that it may refuse, in our words. */
function survives(name: string, example: Example): void {
  tidy(() => {
    try {
      runExample(name, example, 'float32')
    } catch (error) {
      if (!VisionNativeError.is(error)) throw error
      expect(error.message).not.toMatch(/INTERNAL ASSERT|Exception raised from/)
    }
  })
}

describe.each(operators.filter((name) => examples.has(name)))('%s', (name) => {
  const example = examples.get(name) as Example
  const specs = specsOf(example)

  test('has shapes and dtypes without data', () => {
    tidy(() => {
      const results = (given: Example) => tensors(runExample(name, given, 'float32')).map((t) => [t.shape, t.dtype])
      if (example.dynamic) {
        expect(() => results(changed(example, (spec) => ({ ...spec, device: 'meta' })))).toThrow(/values/)
        return
      }
      expect(results(changed(example, (spec) => ({ ...spec, device: 'meta' })))).toEqual(results(example))
    })
  })

  test('gives the same bits again, and with two threads', () => {
    const bytes = (threads: number) => {
      setNumThreads(threads)
      return tidy(() => tensors(runExample(name, example, 'float32')).map((tensor) => bitsOf(tensor)))
    }
    const before = getNumThreads()
    try {
      const alone = bytes(1)
      expect(bytes(1)).toEqual(alone)
      expect(bytes(2)).toEqual(alone)
    } finally {
      setNumThreads(before)
    }
  })

  test('refuses inputs on several devices', () => {
    for (const [place] of specs.entries()) {
      if (specs.length < 2) continue
      const mixed = changed(example, (spec, i) => (i === place ? { ...spec, device: 'meta' } : spec))
      tidy(() => {
        try {
          // Where no data is needed of that input, the result is one without data.
          expect(tensors(runExample(name, mixed, 'float32')).map((t) => t.device)).toContain('meta')
        } catch (error) {
          expect(error).toSatisfy((e) => VisionNativeError.is(e), String(error))
        }
      })
    }
  })

  test('takes or refuses sizes of 0 and 1, and tensors with a dimension more or less', () => {
    for (const [place, { shape, ...rest }] of specs.entries()) {
      const { values: _, ...free } = rest
      const shapes = shape.flatMap((_, d) => [0, 1].map((size) => shape.map((s, i) => (i === d ? size : s))))
      for (const other of [...shapes, [], shape.slice(1), [1, ...shape], shape.map(() => 0)]) {
        survives(
          name,
          changed(example, (spec, i) => (i === place ? { ...free, shape: other } : spec)),
        )
      }
    }
    // One size changed in all tensors that have it: the sizes may still agree.
    for (const size of new Set(specs.flatMap(({ shape }) => shape))) {
      for (const other of [0, 1]) {
        survives(
          name,
          changed(example, ({ values: _, ...spec }) => ({
            ...spec,
            shape: spec.shape.map((s) => (s === size ? other : s)),
          })),
        )
      }
    }
  })

  test('takes or refuses NaN and infinities', () => {
    for (const [place, { shape, dtype }] of specs.entries()) {
      if (dtype && !dtype.includes('float')) continue
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38]) {
        const count = shape.reduce((a, b) => a * b, 1)
        const values = Array.from({ length: count }, (_, i) => (i % 3 === 1 || count === 1 ? bad : (i % 7) / 4))
        survives(
          name,
          changed(example, (spec, i) => (i === place ? { ...spec, values } : spec)),
        )
      }
    }
  })

  test('takes or refuses numbers of any kind for its own', () => {
    const bad = [0, -1, 0.5, 2 ** 31, -(2 ** 31), 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]
    const numbers = example.args.flatMap((value, i) => (typeof value === 'number' ? [i] : []))
    for (const place of numbers) {
      for (const value of bad) {
        survives(name, { ...example, args: example.args.map((one, i) => (i === place ? value : one)) })
      }
    }
    for (const [key, value] of Object.entries(example.options ?? {})) {
      const others =
        typeof value === 'number' ? bad : Array.isArray(value) ? bad.map((one) => value.map(() => one)) : []
      for (const other of others) survives(name, { ...example, options: { ...example.options, [key]: other } })
    }
  })
})
