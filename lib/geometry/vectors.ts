import { broadcastTensors, linalgCross, linalgVectorNorm, type Tensor } from '../tensor'

/** Lengths of vectors, `[..., 1]`; their gradient at 0 is 0. */
export function lengths(vectors: Tensor): Tensor {
  return linalgVectorNorm(vectors, { dim: [-1], keepdim: true })
}

/** Vectors of length 1; those shorter than 1e-12 stay short. */
export function unit(vectors: Tensor): Tensor {
  return vectors.div(lengths(vectors).clamp({ min: 1e-12 }))
}

/** The scalar products of vectors, `[..., 1]`. */
export function dot(first: Tensor, second: Tensor): Tensor {
  return first.mul(second).sum({ dim: [-1], keepdim: true })
}

/** Cross products of vectors that broadcast. */
export function cross(first: Tensor, second: Tensor): Tensor {
  const [a, b] = broadcastTensors([first, second]) as [Tensor, Tensor]
  return linalgCross(a, b)
}
