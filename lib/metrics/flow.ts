import { DeviceError, DTypeError, ShapeError } from '../native/errors'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

export interface FlowMetricOptions {
  /** `[H, W]` or `[N, H, W]` bool like the flow, false where the truth is unknown; all is known unless stated. */
  readonly valid?: Tensor | undefined
  /**
   * `'mean'` (default): one number over all known pixels, NaN when there are none; `'none'`: a value for each pixel, NaN
   * where unknown.
   */
  readonly reduction?: 'mean' | 'none' | undefined
}

/**
 * End-point error in pixels: √((u − u*)² + (v − v*)²) (Baker et al., IJCV 2011).
 *
 * @param flow `[2, H, W]` or `[N, 2, H, W]` floating point in pixels
 * @param truth like `flow`
 * @returns a 0-d tensor, or `[H, W]` / `[N, H, W]` with `reduction: 'none'`
 * @throws ShapeError, DTypeError, DeviceError when flow, truth and valid do not go together
 */
export function endPointError(flow: Tensor, truth: Tensor, options: FlowMetricOptions = {}): Tensor {
  return tidy(() => {
    const { estimated, actual } = pairOf('endPointError', flow, truth, options.valid)
    return reduced(distance(estimated, actual), options)
  })
}

/**
 * Angular error in degrees: the angle between (u, v, 1) and (u*, v*, 1) (Barron et al. 1994; Baker et al., IJCV 2011).
 *
 * Parameters, result and errors as of `endPointError`.
 */
export function angularError(flow: Tensor, truth: Tensor, options: FlowMetricOptions = {}): Tensor {
  return tidy(() => {
    const { estimated, actual } = pairOf('angularError', flow, truth, options.valid)
    const [u, v] = components(estimated)
    const [tu, tv] = components(actual)
    // By the cross product rather than arccos, which loses half the digits of small angles.
    const cross = v
      .sub(tv)
      .square()
      .add(tu.sub(u).square())
      .add(u.mul(tv).sub(v.mul(tu)).square())
      .sqrt()
    const dot = u.mul(tu).add(v.mul(tv)).add(1)
    return reduced(cross.atan2(dot).mul(180 / Math.PI), options)
  })
}

/**
 * Share of pixels, 0–1, whose end-point error is above a threshold.
 *
 * Parameters, result and errors as of `endPointError`; with `reduction: 'none'`, 1 for an outlier and 0 for others.
 *
 * @param options `threshold` in pixels, 1 unless stated
 */
export function flowOutliers(
  flow: Tensor,
  truth: Tensor,
  { threshold = 1, ...options }: FlowMetricOptions & { readonly threshold?: number | undefined } = {},
): Tensor {
  return tidy(() => {
    const { estimated, actual } = pairOf('flowOutliers', flow, truth, options.valid)
    const error = distance(estimated, actual)
    // Not "greater than": an estimate that is NaN is an outlier.
    return reduced(error.le(threshold).logicalNot().to(error.dtype), options)
  })
}

function components(flow: Tensor): [Tensor, Tensor] {
  return [flow.select(-3, 0), flow.select(-3, 1)]
}

function distance(estimated: Tensor, actual: Tensor): Tensor {
  const [du, dv] = components(estimated.sub(actual))
  return du.hypot(dv)
}

function reduced(values: Tensor, { valid, reduction = 'mean' }: FlowMetricOptions): Tensor {
  if (reduction === 'none') return valid === undefined ? values : values.where(valid, Number.NaN)
  if (valid === undefined) return values.mean()
  // Unknown pixels may hold NaN, which a product with the mask would spread.
  return values.where(valid, 0).sum().div(valid.sum())
}

interface FlowPair {
  readonly estimated: Tensor
  readonly actual: Tensor
}

/** Flow and truth in one precision that holds both, no less than float32. */
function pairOf(name: string, flow: Tensor, truth: Tensor, valid: Tensor | undefined): FlowPair {
  checkFlow(name, 'flow', flow)
  checkFlow(name, 'truth', truth)
  const [shape, expected] = [flow.shape.join(', '), truth.shape.join(', ')]
  if (shape !== expected) {
    throw new ShapeError(
      `${name}: flow [${shape}] and truth [${expected}] differ; resample one to the size of the other`,
    )
  }
  if (valid !== undefined) checkMask(name, flow, valid)
  const devices = new Set([flow, truth, ...(valid ? [valid] : [])].map((part) => part.device))
  if (devices.size > 1) {
    throw new DeviceError(
      `${name}: the tensors are on ${[...devices].join(' and ')}; move them to one device with to()`,
    )
  }
  const dtype = flow.dtype === 'float64' || truth.dtype === 'float64' ? 'float64' : 'float32'
  return { estimated: flow.to(dtype), actual: truth.to(dtype) }
}

function checkFlow(name: string, role: string, flow: Tensor): void {
  const { shape, dtype } = flow
  if ((shape.length !== 3 && shape.length !== 4) || shape.at(-3) !== 2) {
    throw new ShapeError(`${name}: ${role} is [2, H, W] or [N, 2, H, W], got [${shape.join(', ')}]`)
  }
  if (!['float16', 'bfloat16', 'float32', 'float64'].includes(dtype)) {
    throw new DTypeError(`${name}: ${role} is floating point in pixels, got ${dtype}; convert it with to('float32')`)
  }
}

function checkMask(name: string, flow: Tensor, valid: Tensor): void {
  if (valid.dtype !== 'bool') {
    throw new DTypeError(`${name}: valid is a bool mask, got ${valid.dtype}; compare it, as in ne(0)`)
  }
  const expected = flow.shape.toSpliced(-3, 1).join(', ')
  const shape = valid.shape.join(', ')
  if (shape !== expected) throw new ShapeError(`${name}: valid is [${expected}] like the flow, got [${shape}]`)
}
