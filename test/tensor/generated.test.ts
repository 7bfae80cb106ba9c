import { beforeAll, describe, expect, test } from 'vitest'
import { currentSurface, staleFiles } from '../../tools/generate-ops'
import { confusions, hides } from '../../tools/generate-ops/overloads'
import { buildSurface, type OperatorFunction, type OperatorSurface } from '../../tools/generate-ops/surface'
import { camelCase } from '../../tools/generate-ops/typescript'
import { writeSurface } from '../../tools/generate-ops/write'

let surface: OperatorSurface
beforeAll(() => {
  surface = currentSurface()
})

test('the generated files are what the generator writes for this LibTorch', async () => {
  expect(await staleFiles(surface)).toEqual([])
})

test('the surface is the whole of it, not a part', () => {
  const names = new Set(surface.functions.map((f) => f.name))
  expect(surface.functions.filter((f) => f.surface === 'public').length).toBeGreaterThan(800)
  for (const name of ['conv2d', 'linalg_svd', 'fft_rfft2', 'scatter_reduce', 'add_', '_fused_adam_', '_foreach_mul_']) {
    expect(names).toContain(name)
  }
})

test('what design leaves out is left out', () => {
  const isOut = (name: string) => /backward|^(mkldnn|miopen|cudnn|fbgemm|quantized)_|(?<!index)_copy$/.test(name)
  const names = surface.functions.filter((f) => f.surface === 'public').map((f) => f.name)
  expect(names.filter(isOut)).toEqual([])
  expect(surface.functions.filter((f) => f.candidates.some((c) => c.schema.overload.endsWith('out')))).toEqual([])
})

test('TypeScript names are distinct', () => {
  const names = surface.functions.map((f) => camelCase(f.name))
  expect(new Set(names).size).toBe(names.length)
  for (const { candidates } of surface.functions) {
    for (const { options } of candidates) {
      const keys = options.map((a) => camelCase(a.name))
      expect(new Set(keys).size).toBe(keys.length)
    }
  }
})

describe('overloads of a function', () => {
  const pairs = ({ candidates }: OperatorFunction) =>
    candidates.flatMap((earlier, i) => candidates.slice(i + 1).map((later) => ({ earlier, later })))
  const described = (f: OperatorFunction, earlier: string, later: string) => `${f.name}: ${earlier} / ${later}`

  test('none is hidden: some call reaches each', () => {
    const hidden = surface.functions.flatMap((f) =>
      pairs(f)
        .filter(({ earlier, later }) => hides(earlier, later))
        .map(({ earlier, later }) => described(f, earlier.schema.overload, later.schema.overload)),
    )
    expect(hidden).toEqual([])
  })

  test('one call never gives a value to differently named arguments, but for these', () => {
    const confused = surface.functions.flatMap((f) =>
      pairs(f).flatMap(({ earlier, later }) =>
        confusions(earlier, later).map(
          (names) => `${described(f, earlier.schema.overload, later.schema.overload)} ${names}`,
        ),
      ),
    )
    expect(confused).toEqual([
      // The same tensor under two names.
      'linalg_matrix_rank: atol_rtol_tensor / atol_rtol_float input/self',
      // random_(x, 10) is the upper end, as in PyTorch; random_(x, 3, { to: 10 }) is a range.
      'random_: to / from to/from',
    ])
  })
})

describe('what is written', () => {
  const yaml = `
- func: add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor
  variants: function, method
- func: add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor
  variants: function, method
- func: add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)
  variants: method
- func: max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)
  variants: function, method
- func: where.self(Tensor condition, Tensor self, Tensor other) -> Tensor
  variants: function, method
- func: logcumsumexp.dimname(Tensor self, Dimname dim) -> Tensor
  variants: function, method
- func: var(Tensor self, int[1]? dim, Tensor?[] rest, bool keepdim=False) -> Tensor
- func: promote_types(ScalarType type1, ScalarType type2) -> ScalarType
`
  const schemas = [
    'aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor',
    'aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor',
    'aten::add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)',
    'aten::add.out(Tensor self, Tensor other, *, Scalar alpha=1, Tensor(a!) out) -> Tensor(a!)',
    'aten::max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)',
    'aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor',
    'aten::logcumsumexp.dimname(Tensor self, str dim) -> Tensor',
    'aten::append.str(str[](a!) self, str el) -> str[](a!)',
    'aten::var(Tensor self, int[1]? dim, Tensor?[] rest, bool keepdim=False) -> Tensor',
    'aten::promote_types(ScalarType type1, ScalarType type2) -> ScalarType',
  ]
  const files = writeSurface(buildSurface(schemas, yaml))
  const text = (name: string) => files.get(`lib/tensor/${name}.generated.ts`) ?? ''

  test('a table of names and overloads, Tensor before Scalar', () => {
    expect(text('op-table').match(/'.*'/g)).toEqual([
      "'aten::add|Tensor,Scalar'",
      "'aten::add_|Tensor'",
      "'aten::max|dim'",
      "'aten::promote_types|'",
      "'aten::var|'",
      "'aten::where|self'",
    ])
  })

  test('overloads that differ in one type become one signature', () => {
    expect(text('ops')).toContain(
      'export function add(self: Tensor, other: Tensor | Scalar, options?: { alpha?: Scalar }): Tensor {\n  return op(0, self, other, options) as Tensor\n}',
    )
  })

  test('what is optional or has a default is an option, and tuples are labelled', () => {
    expect(text('ops')).toContain(
      'max(self: Tensor, dim: number | bigint, options?: { keepdim?: boolean }): [values: Tensor, indices: Tensor]',
    )
    expect(text('ops')).toContain(
      'var_(self: Tensor, rest: readonly (Tensor | null)[], options?: { dim?: number | readonly number[] | null; keepdim?: boolean }): Tensor',
    )
    expect(text('ops')).toContain('export { var_ as var }')
  })

  test('a dtype comes back by its name', () => {
    expect(text('ops')).toContain('return DTYPE_OF_CODE.get(op(3, type1, type2) as number) as DType')
  })

  test('methods lack self, wherever it stands, and in-place ones return this', () => {
    expect(text('methods')).toContain('  add_(other: Tensor, options?: { alpha?: Scalar }): this\n')
    expect(text('methods')).toContain('  where(condition: Tensor, other: Tensor): Tensor\n')
    expect(text('methods')).toContain("  ['add_', 1],\n")
    expect(text('methods')).toContain("  ['where', 5, 3, 1],\n")
    expect(text('ops')).not.toContain('add_(')
  })

  test('the text does not depend on the order of the schemas', () => {
    expect(writeSurface(buildSurface([...schemas].reverse(), yaml))).toEqual(files)
  })
})
