import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { arange, call, type DType, full, ones, type Tensor, tensor, tidy, viewAsComplex, zeros } from '../../lib/tensor'

interface Printed {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly requiresGrad: boolean
  readonly negativeZeros: readonly number[]
  readonly elements: readonly (number | boolean | string)[] | null
  readonly text: string
}

/** Made by tools/reference/print_tensors.py. */
const PRINTED: readonly Printed[] = JSON.parse(readFileSync(new URL('fixtures/printed.json', import.meta.url), 'utf8'))

const WORDS: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
}

/** As make_pattern() of the script. */
function pattern(shape: readonly number[], dtype: DType): number[] {
  const length = shape.reduce((a, b) => a * b, dtype === 'complex64' ? 2 : 1)
  return Array.from({ length }, (_, i) => (((i * 37) % 101) - 50) * (dtype === 'int32' ? 1 : 0.125))
}

function rebuild({ dtype, shape, elements, negativeZeros, requiresGrad }: Printed): Tensor {
  const numbers =
    elements?.map((value) => (typeof value === 'string' ? (WORDS[value] as number) : Number(value))) ??
    pattern(shape, dtype)
  for (const index of negativeZeros) numbers[index] = -0
  const complex = dtype.startsWith('complex')
  const parts = tensor(Float64Array.from(numbers), { shape: complex ? [...shape, 2] : shape })
  const made = (complex ? viewAsComplex(parts) : parts).to(dtype)
  return requiresGrad ? made.detach().requiresGrad_() : made
}

/**
 * What is written in Python's way there and in JavaScript's here. Suffixes are shorter here, so one may still fit on a
 * line that there begins a new one.
 */
function inJavaScript(text: string): string {
  return text
    .replaceAll('torch.', '')
    .replaceAll(/ ?(True|False)/g, (word) => word.toLowerCase())
    .replace(/size=\((.*?),?\)/, 'size=[$1]')
    .replaceAll(/,\n {7}(?=[a-z])/g, ', ')
    .replace('requires_grad=true', 'requiresGrad=true')
}

describe('as PyTorch prints it', () => {
  test.each(PRINTED.map((printed, index) => ({ ...printed, index })))('$index: $dtype $shape', (printed) => {
    tidy(() => expect(`${rebuild(printed)}`).toBe(inJavaScript(printed.text)))
  })
})

test('int64 names its dtype, since numbers make float32', () => {
  expect(`${tensor([1n, 2n])}`).toBe('tensor([1, 2], dtype=int64)')
  expect(`${tensor(9007199254740993n)}`).toBe('tensor(9007199254740993, dtype=int64)')
})

test('a tensor without data shows its size', () => {
  expect(`${zeros([2, 3], { device: 'meta' })}`).toBe("tensor(..., device='meta', size=[2, 3])")
  const sparse = tidy(() => ones([2, 2]).toSparse())
  expect(`${sparse}`).toBe("tensor(..., layout='sparse_coo', size=[2, 2])")
})

test('the console shows the text, also inside other values', () => {
  expect(inspect({ x: full([2], 1.5) })).toBe('{ x: tensor([1.5000, 1.5000]) }')
})

test('views print their own elements, not their storage', () => {
  expect(`${arange(6).reshape([2, 3]).t()}`).toBe('tensor([[0., 3.],\n        [1., 4.],\n        [2., 5.]])')
})

test('a suffix that does not fit begins a line', () => {
  const x = full([10], -1.5, { requiresGrad: true })
  expect(`${x}`).toBe(
    'tensor([-1.5000, -1.5000, -1.5000, -1.5000, -1.5000, -1.5000, -1.5000, -1.5000,\n' +
      '        -1.5000, -1.5000], requiresGrad=true)',
  )
  const y = full([7], -1.5, { requiresGrad: true })
  expect(`${y}`).toBe(
    'tensor([-1.5000, -1.5000, -1.5000, -1.5000, -1.5000, -1.5000, -1.5000],\n       requiresGrad=true)',
  )
})

test('an element type that JavaScript has no array for shows its size', () => {
  const half = tensor([1, 2], { dtype: 'float16' })
  expect(`${call('aten::view.dtype', [half, 'complex32'])}`).toContain('tensor(..., size=[1], dtype=')
})

test('printing frees what it makes and leaves gradients alone', () => {
  tidy(() => {
    const x = ones([2000], { requiresGrad: true })
    const text = `${x}`
    expect(text).toBe('tensor([1., 1., 1.,  ..., 1., 1., 1.], requiresGrad=true)')
    expect(x.requiresGrad).toBe(true)
  })
})

test('a disposed tensor says so', () => {
  const x = ones([2])
  x.dispose()
  expect(`${x}`).toBe('tensor(<disposed>)')
})
