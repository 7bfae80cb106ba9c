import { isTensor, type Tensor } from '../../lib'
import { freeFunction, methodFunction } from './invoke'
import { type Snapshot, snapshot } from './results'

/** Operators that are another one by a second name. */
export const ALIASES: Readonly<Record<string, string>> = {
  absolute: 'abs',
  adjoint: 'mH',
  arccos: 'acos',
  arccosh: 'acosh',
  arcsin: 'asin',
  arcsinh: 'asinh',
  arctan: 'atan',
  arctan2: 'atan2',
  arctanh: 'atanh',
  clip: 'clamp',
  concat: 'cat',
  concatenate: 'cat',
  det: 'linalg_det',
  divide: 'div',
  true_divide: 'div',
  fix: 'trunc',
  ger: 'outer',
  greater: 'gt',
  greater_equal: 'ge',
  grid_sampler: 'grid_sampler_2d',
  inverse: 'linalg_inv',
  less: 'lt',
  less_equal: 'le',
  linalg_matmul: 'matmul',
  matrix_exp: 'linalg_matrix_exp',
  matrix_power: 'linalg_matrix_power',
  moveaxis: 'movedim',
  multiply: 'mul',
  negative: 'neg',
  nll_loss_nd: 'nll_loss',
  not_equal: 'ne',
  orgqr: 'linalg_householder_product',
  row_stack: 'vstack',
  slogdet: 'linalg_slogdet',
  special_digamma: 'digamma',
  special_erf: 'erf',
  special_erfc: 'erfc',
  special_erfinv: 'erfinv',
  special_exp2: 'exp2',
  special_expit: 'sigmoid',
  special_expm1: 'expm1',
  special_gammainc: 'igamma',
  special_gammaincc: 'igammac',
  special_gammaln: 'lgamma',
  special_i0: 'i0',
  special_log1p: 'log1p',
  special_logit: 'logit',
  special_logsumexp: 'logsumexp',
  special_multigammaln: 'mvlgamma',
  special_polygamma: 'polygamma',
  special_psi: 'digamma',
  special_round: 'round',
  special_sinc: 'sinc',
  special_xlogy: 'xlogy',
  subtract: 'sub',
  swapaxes: 'transpose',
  swapdims: 'transpose',
  trapz: 'trapezoid',
}

type Unary = (x: number) => number
const UNARY: Readonly<Record<string, Unary>> = {
  abs: Math.abs,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  deg2rad: (x) => (x * Math.PI) / 180,
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  expm1: Math.expm1,
  floor: Math.floor,
  frac: (x) => x - Math.trunc(x),
  log: Math.log,
  log10: Math.log10,
  log1p: Math.log1p,
  log2: Math.log2,
  neg: (x) => -x,
  rad2deg: (x) => (x * 180) / Math.PI,
  reciprocal: (x) => 1 / x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  rsqrt: (x) => 1 / Math.sqrt(x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  sign: Math.sign,
  silu: (x) => x / (1 + Math.exp(-x)),
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  square: (x) => x * x,
  tan: Math.tan,
  tanh: Math.tanh,
  trunc: Math.trunc,
}

type Binary = (x: number, y: number) => number
const BINARY: Readonly<Record<string, Binary>> = {
  add: (x, y) => x + y,
  atan2: Math.atan2,
  div: (x, y) => x / y,
  eq: (x, y) => Number(x === y),
  fmax: Math.max,
  fmin: Math.min,
  ge: (x, y) => Number(x >= y),
  gt: (x, y) => Number(x > y),
  hypot: Math.hypot,
  le: (x, y) => Number(x <= y),
  lt: (x, y) => Number(x < y),
  maximum: Math.max,
  minimum: Math.min,
  mul: (x, y) => x * y,
  ne: (x, y) => Number(x !== y),
  pow: (x, y) => x ** y,
  sub: (x, y) => x - y,
}

type Reduction = (values: readonly number[]) => number
const REDUCTIONS: Readonly<Record<string, Reduction>> = {
  amax: (values) => Math.max(...values),
  amin: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
  mean: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  min: (values) => Math.min(...values),
  numel: (values) => values.length,
  prod: (values) => values.reduce((a, b) => a * b, 1),
  sum: (values) => values.reduce((a, b) => a + b, 0),
}

/** The result by plain JavaScript or by the operator's other name; undefined where there is neither for this call. */
export function expected(
  name: string,
  values: readonly unknown[],
): { result: Snapshot; tolerance: number } | undefined {
  const plain = name.replace(/_$/, '')
  const alias = ALIASES[plain]
  if (alias !== undefined) return byAlias(name === plain ? alias : `${alias}_`, values)
  const input = values[0]
  if (!isFloat(input)) return undefined
  const [x, y] = [numbers(input), values[1]]
  if (values.length === 1 && UNARY[plain]) return elementwise(input, x.map(UNARY[plain]))
  if (values.length === 1 && REDUCTIONS[plain]) return scalar(input, REDUCTIONS[plain](x))
  const binary = BINARY[plain]
  if (!binary || values.length !== 2 || !isFloat(y) || String(y.shape) !== String(input.shape)) return undefined
  const other = numbers(y)
  const results = x.map((value, i) => binary(value, other[i] as number))
  return /^(eq|ne|lt|le|gt|ge)$/.test(plain) && name === plain
    ? { result: { kind: 'tensor', shape: input.shape, dtype: 'bool', values: results }, tolerance: 0 }
    : elementwise(input, results)
}

function byAlias(alias: string, values: readonly unknown[]): { result: Snapshot; tolerance: number } | undefined {
  const form = freeFunction(alias) ?? methodFunction(alias)
  // grid_sampler and nll_loss_nd are their namesakes for one rank only.
  const rank = alias === 'grid_sampler_2d' ? 4 : alias === 'nll_loss' ? 2 : undefined
  const input = values[0]
  if (rank !== undefined && !(isTensor(input) && (input as Tensor).ndim === rank)) return undefined
  return form ? { result: snapshot(form(...values)), tolerance: 1e-6 } : undefined
}

const isFloat = (value: unknown): value is Tensor =>
  isTensor(value) && /^float(32|64)$/.test((value as Tensor).dtype) && (value as Tensor).numel > 0

const numbers = (tensor: Tensor): number[] => Array.from(tensor.dataSync() as Float32Array)

/** float32 keeps seven digits, and LibTorch's vector functions may lose one of them. */
const toleranceOf = (tensor: Tensor) => (tensor.dtype === 'float64' ? 1e-9 : 2e-5)

function elementwise(input: Tensor, values: readonly number[]): { result: Snapshot; tolerance: number } {
  const rounded = input.dtype === 'float64' ? values : values.map(Math.fround)
  return {
    result: { kind: 'tensor', shape: input.shape, dtype: input.dtype, values: rounded },
    tolerance: toleranceOf(input),
  }
}

function scalar(input: Tensor, value: number): { result: Snapshot; tolerance: number } {
  return { result: { kind: 'tensor', shape: [], dtype: input.dtype, values: [value] }, tolerance: toleranceOf(input) }
}
