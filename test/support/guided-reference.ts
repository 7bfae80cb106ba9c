import type { BoxEdge, GuidedMode } from '../../lib/ops'
import { cat, linalgSolve, stack, type Tensor, tensor } from '../../lib/tensor'

/** How often, over N, the window around each place of an axis sees each place: a dense matrix. */
export function windowMatrix(size: number, radius: number, edge: BoxEdge): Tensor {
  const rows = Array.from({ length: size }, (_, i) => {
    const row = new Array<number>(size).fill(0)
    for (let k = i - radius; k <= i + radius; k++) {
      if (edge === 'clip' && (k < 0 || k >= size)) continue
      const m = ((k % (2 * size)) + 2 * size) % (2 * size)
      const place = m < size ? m : 2 * size - 1 - m
      row[place] = (row[place] as number) + 1
    }
    const count = row.reduce((a, b) => a + b, 0)
    return row.map((n) => n / count)
  })
  return tensor(rows.flat(), { shape: [size, size], dtype: 'float64' })
}

/** The box mean as two matrix products, float64. */
export function slowMean(x: Tensor, radius: number, edge: BoxEdge): Tensor {
  const [height, width] = [x.size(-2), x.size(-1)]
  return windowMatrix(height, radius, edge)
    .matmul(x)
    .matmul(windowMatrix(width, radius, edge).transpose(0, 1))
}

interface Options {
  readonly radius: number
  readonly eps: number | Tensor
  readonly mode: GuidedMode
  readonly edge: BoxEdge
}

/** Coefficients `[B, C, G + 1, H, W]` by the normal equations, float64, with a general solver. */
export function slowCoefficients(guide: Tensor, input: Tensor, options: Options & { average: boolean }): Tensor {
  const { radius, eps, mode, edge, average } = options
  const mean = (x: Tensor) => slowMean(x, radius, edge)
  const guides = mode === 'color' ? 3 : 1
  const channels = Array.from({ length: input.size(1) }, (_, c) => {
    const own = mode === 'perChannel' ? guide.narrow(1, c, 1) : guide
    const p = input.select(1, c)
    const I = Array.from({ length: guides }, (_, k) => own.select(1, k))
    const mu = I.map(mean)
    const pi = mean(p)
    const at = (list: readonly Tensor[], k: number) => list[k] as Tensor
    const sigma = I.map((a, k) =>
      stack(
        I.map((b, l) => {
          const value = mean(a.mul(b)).sub(at(mu, k).mul(at(mu, l)))
          return k === l ? value.add(eps as number) : value
        }),
        { dim: -1 },
      ),
    )
    const covariance = stack(
      I.map((a, k) => mean(a.mul(p)).sub(at(mu, k).mul(pi))),
      { dim: -1 },
    )
    const a = linalgSolve(stack(sigma, { dim: -2 }), covariance.unsqueeze(-1)).squeeze(-1)
    const b = pi.sub(a.mul(stack(mu, { dim: -1 })).sum({ dim: [-1] }))
    const fields = cat([a.movedim(-1, 1), b.unsqueeze(1)], { dim: 1 })
    return average ? mean(fields) : fields
  })
  return stack(channels, { dim: 1 })
}

/** Σ a·I + b where both have the same size. */
export function slowApply(coefficients: Tensor, guide: Tensor, mode: GuidedMode): Tensor {
  const guides = coefficients.size(2) - 1
  const own = mode === 'perChannel' ? guide.unsqueeze(2) : guide.unsqueeze(1)
  return coefficients
    .narrow(2, 0, guides)
    .mul(own)
    .sum({ dim: [2] })
    .add(coefficients.select(2, guides))
}

export function slowFilter(guide: Tensor, input: Tensor, options: Options): Tensor {
  return slowApply(slowCoefficients(guide, input, { ...options, average: true }), guide, options.mode)
}
