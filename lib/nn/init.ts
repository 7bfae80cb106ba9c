import { ArgumentError, ShapeError } from '../native/errors'
import { type Generator, linalgQr, randperm, scalarTensor, type Tensor } from '../tensor'
import { noGrad } from '../tensor/autograd'
import { describe } from '../tensor/call'
import { withMode } from '../tensor/mode'
import { tidy } from '../tensor/scope'

/**
 * First values for parameters, as `torch.nn.init`: each function fills a tensor in place, unseen by autograd, and
 * returns it. With equal seeds they draw the numbers that PyTorch draws.
 */

const KEY = Symbol.for('@lab/vision-native/init')
const shared = globalThis as { [KEY]?: { skipped: boolean } }
shared[KEY] ??= { skipped: false }
const state = shared[KEY]

/**
 * Makes modules without drawing first values, for those whose state is loaded next; as `torch.nn.utils.skip_init`, for
 * whole networks. Their parameters hold whatever was in memory.
 *
 * ```ts
 * const network = skipInit(() => vgg16())
 * network.loadStateDict(await loadSafetensors('vgg16.safetensors'))
 * ```
 *
 * @throws ArgumentError when `make` returns a promise
 */
export function skipInit<T>(make: () => T): T {
  return withMode('skipInit', make, () => {
    const before = state.skipped
    state.skipped = true
    return () => {
      state.skipped = before
    }
  })
}

/** What all random schemes take. */
export interface RandomInit {
  /** Draws from this generator instead of the device's default one. */
  readonly generator?: Generator
}

/** Layers and functions for which a gain is recommended. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'convTranspose1d'
  | 'convTranspose2d'
  | 'convTranspose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'selu'

const GAINS: Readonly<Record<Nonlinearity, (slope: number) => number>> = {
  linear: () => 1,
  conv1d: () => 1,
  conv2d: () => 1,
  conv3d: () => 1,
  convTranspose1d: () => 1,
  convTranspose2d: () => 1,
  convTranspose3d: () => 1,
  sigmoid: () => 1,
  tanh: () => 5 / 3,
  relu: () => Math.SQRT2,
  leakyRelu: (slope) => Math.sqrt(2 / (1 + slope * slope)),
  // Below the 1 that keeps a self-normalising network's variance: PyTorch's value, for gradients that stay stable.
  selu: () => 3 / 4,
}

/**
 * The factor by which a nonlinearity's initial weights are scaled.
 *
 * @param negativeSlope of `'leakyRelu'`
 */
export function calculateGain(nonlinearity: Nonlinearity, negativeSlope = 0.01): number {
  const gain = Object.hasOwn(GAINS, nonlinearity) ? GAINS[nonlinearity] : undefined
  if (gain) return gain(negativeSlope)
  throw new ArgumentError(
    `calculateGain: ${describe(nonlinearity)} is no known nonlinearity; they are ${Object.keys(GAINS).join(', ')}`,
  )
}

/** How many inputs an output of a weight `[out, in, ...kernel]` sums, and how many outputs an input feeds. */
export function calculateFanInAndFanOut(tensor: Tensor): { fanIn: number; fanOut: number } {
  const [outputs, inputs, ...kernel] = tensor.shape
  if (outputs === undefined || inputs === undefined) {
    throw new ShapeError(
      `calculateFanInAndFanOut: a tensor of shape [${tensor.shape.join(', ')}] has no fan; it needs 2 dimensions or more`,
    )
  }
  const field = kernel.reduce((product, size) => product * size, 1)
  return { fanIn: inputs * field, fanOut: outputs * field }
}

/** Uniform between `a` and `b`. */
export function uniform_(tensor: Tensor, options: RandomInit & { a?: number; b?: number } = {}): Tensor {
  const { a = 0, b = 1, generator } = options
  return inPlace(tensor, () => tensor.uniform_({ from: a, to: b, generator }))
}

/** Normal with this mean and standard deviation. */
export function normal_(tensor: Tensor, options: RandomInit & { mean?: number; std?: number } = {}): Tensor {
  const { mean = 0, std = 1, generator } = options
  return inPlace(tensor, () => tensor.normal_({ mean, std, generator }))
}

/** Normal, cut off outside [a, b]. */
export function truncNormal_(
  tensor: Tensor,
  options: RandomInit & { mean?: number; std?: number; a?: number; b?: number } = {},
): Tensor {
  const { mean = 0, std = 1, a = -2, b = 2, generator } = options
  return inPlace(tensor, () => {
    // Uniform between the two ends' cumulative probabilities, mapped to (−1, 1) where erfinv is defined.
    const from = 2 * normalCdf((a - mean) / std) - 1
    const to = 2 * normalCdf((b - mean) / std) - 1
    tensor.uniform_({ from, to, generator }).erfinv_()
    tensor.mul_(std * Math.SQRT2).add_(mean)
    tensor.clamp_({ min: a, max: b })
  })
}

export function constant_(tensor: Tensor, value: number): Tensor {
  return inPlace(tensor, () => tensor.fill_(value))
}

export function ones_(tensor: Tensor): Tensor {
  return constant_(tensor, 1)
}

export function zeros_(tensor: Tensor): Tensor {
  return inPlace(tensor, () => tensor.zero_())
}

/** The identity matrix: a linear layer passes on as much of its input as it can. */
export function eye_(tensor: Tensor): Tensor {
  if (tensor.ndim !== 2) throw wrongRank('eye_', tensor, '2 dimensions')
  return inPlace(tensor, () => tensor.zero_().diagonal().fill_(1))
}

/** A convolution `[out, in, ...kernel]` that passes on as many input channels as it can, in each group. */
export function dirac_(tensor: Tensor, { groups = 1 }: { groups?: number } = {}): Tensor {
  const [outputs = 0, inputs = 0, ...kernel] = tensor.shape
  if (kernel.length < 1 || kernel.length > 3) throw wrongRank('dirac_', tensor, '3, 4 or 5 dimensions')
  if (outputs % groups !== 0) {
    throw new ShapeError(`dirac_: ${outputs} output channels do not divide into ${groups} groups`)
  }
  const perGroup = outputs / groups
  const centre = kernel.map((size) => Math.floor(size / 2))
  return inPlace(tensor, () => {
    tensor.zero_()
    for (let group = 0; group < groups; group++) {
      for (let i = 0; i < Math.min(perGroup, inputs); i++) tensor.setAt([group * perGroup + i, i, ...centre], 1)
    }
  })
}

/** Glorot and Bengio (2010), uniform: keeps the variance of activations and of gradients alike. */
export function xavierUniform_(tensor: Tensor, options: RandomInit & { gain?: number } = {}): Tensor {
  const bound = Math.sqrt(3) * xavierStd(tensor, options.gain)
  return uniform_(tensor, { a: -bound, b: bound, generator: options.generator })
}

/** Glorot and Bengio (2010), normal. */
export function xavierNormal_(tensor: Tensor, options: RandomInit & { gain?: number } = {}): Tensor {
  return normal_(tensor, { std: xavierStd(tensor, options.gain), generator: options.generator })
}

function xavierStd(tensor: Tensor, gain = 1): number {
  const { fanIn, fanOut } = calculateFanInAndFanOut(tensor)
  return gain * Math.sqrt(2 / (fanIn + fanOut))
}

/** What the two schemes of He et al. (2015) take. */
export interface KaimingOptions extends RandomInit {
  /** Negative slope of the leaky ReLU that follows; default 0. */
  readonly a?: number
  /** Which variance is kept: `'fanIn'` that of the forward pass, `'fanOut'` that of the backward pass. */
  readonly mode?: 'fanIn' | 'fanOut'
  readonly nonlinearity?: Nonlinearity
}

/** He et al. (2015), uniform. */
export function kaimingUniform_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * kaimingStd('kaimingUniform_', tensor, options)
  return uniform_(tensor, { a: -bound, b: bound, generator: options.generator })
}

/** He et al. (2015), normal. */
export function kaimingNormal_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  return normal_(tensor, { std: kaimingStd('kaimingNormal_', tensor, options), generator: options.generator })
}

function kaimingStd(name: string, tensor: Tensor, options: KaimingOptions): number {
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' } = options
  if (mode !== 'fanIn' && mode !== 'fanOut') {
    throw new ArgumentError(`${name}: mode is ${describe(mode)}; it must be 'fanIn' or 'fanOut'`)
  }
  return calculateGain(nonlinearity, a) / Math.sqrt(calculateFanInAndFanOut(tensor)[mode])
}

/** Saxe et al. (2013): a random matrix `[rows, the rest flattened]` with orthonormal rows or columns, times `gain`. */
export function orthogonal_(tensor: Tensor, options: RandomInit & { gain?: number } = {}): Tensor {
  const { gain = 1, generator } = options
  if (tensor.ndim < 2) throw wrongRank('orthogonal_', tensor, '2 dimensions or more')
  if (tensor.numel === 0) return tensor
  const rows = tensor.size(0)
  const columns = tensor.numel / rows
  return inPlace(tensor, () => {
    const normal = tensor.newEmpty([rows, columns]).normal_({ generator })
    const [q, r] = linalgQr(rows < columns ? normal.t() : normal)
    // QR alone favours some rotations; with the signs of R's diagonal Q is uniform (Mezzadri 2007).
    const uniform = q.mul(r.diagonal().sign())
    tensor.copy_((rows < columns ? uniform.t() : uniform).reshape(tensor.shape)).mul_(gain)
  })
}

/** Martens (2010): normal with this deviation, and zero in a share of each column's rows. */
export function sparse_(tensor: Tensor, sparsity: number, options: RandomInit & { std?: number } = {}): Tensor {
  const { std = 0.01, generator } = options
  if (tensor.ndim !== 2) throw wrongRank('sparse_', tensor, '2 dimensions')
  const [rows = 0, columns = 0] = tensor.shape
  const zeros = Math.ceil(sparsity * rows)
  return inPlace(tensor, () => {
    tensor.normal_({ std, generator })
    for (let column = 0; column < columns; column++) {
      const chosen = randperm(rows, { device: tensor.device, generator }).narrow(0, 0, zeros)
      tensor.setAt([chosen, column], 0)
    }
  })
}

function inPlace(tensor: Tensor, fill: () => unknown): Tensor {
  if (state.skipped) return tensor
  noGrad(() =>
    tidy(() => {
      fill()
    }),
  )
  return tensor
}

function wrongRank(name: string, tensor: Tensor, rule: string): ShapeError {
  return new ShapeError(`${name}: the tensor has shape [${tensor.shape.join(', ')}]; it must have ${rule}`)
}

/** Probability that a standard normal value is below `x`. */
function normalCdf(x: number): number {
  return (
    (1 +
      scalarTensor(x / Math.SQRT2, { dtype: 'float64' })
        .erf()
        .toNumber()) /
    2
  )
}
