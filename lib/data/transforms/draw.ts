import { empty, type Generator, rand, randint, randperm, type Tensor, tensor } from '../../tensor'
import { _sampleDirichlet } from '../../tensor/private-ops.generated'

// Random parameters. Each draws by the operator that torchvision uses, so equal seeds give equal augmentations.

/** A number from `low` to `high`, evenly distributed, as `torch.empty(1).uniform_(low, high)`. */
export function uniform(low: number, high: number, generator: Generator | undefined): number {
  return empty([1]).uniform_({ from: low, to: high, generator }).toNumber()
}

/** `count` numbers from 0 to 1. */
export function fractions(count: number, generator: Generator | undefined): readonly number[] {
  return Array.from(rand([count], { generator }).dataSync())
}

/** A number from 0 to 1. */
export function fraction(generator: Generator | undefined): number {
  return rand([1], { generator }).toNumber()
}

/** A whole number from `low` (included) to `high` (excluded). */
export function wholeNumberBetween(low: number, high: number, generator: Generator | undefined): number {
  return randint(low, high, [1], { generator }).toNumber()
}

/** A random order of 0 … n − 1. */
export function permutation(n: number, generator: Generator | undefined): readonly number[] {
  return Array.from(randperm(n, { generator }).dataSync(), Number)
}

/** One of the items, each as likely as the others. */
export function pick<T>(items: readonly T[], generator: Generator | undefined): T {
  const item = items[wholeNumberBetween(0, items.length, generator)]
  if (item === undefined) throw new RangeError('pick: the list is empty')
  return item
}

/** Weights that sum to 1, `[rows, width]`, of the Dirichlet distribution with equal concentrations. */
export function dirichlet(alpha: number, rows: number, width: number, generator: Generator | undefined): Tensor {
  const concentrations = tensor(new Array<number>(width).fill(alpha), { dtype: 'float32' }).expand([rows, -1])
  return _sampleDirichlet(concentrations, { generator })
}

/** A number from 0 to 1 of the distribution Beta(alpha, alpha). */
export function beta(alpha: number, generator: Generator | undefined): number {
  return dirichlet(alpha, 1, 2, generator).at(0, 0).toNumber()
}
