// Inner iterations of TV-L1 flow by LibTorch's operators: the fastest composition known to us, on whole planes.
import { cat, type Tensor, tidy, where, zeros } from '../lib/tensor'

const [TAU, LAMBDA, THETA, FLOOR] = [0.25, 0.15, 0.3, 2 ** -23]

/** What `_tvl1_iterate` makes of a state `[1, 6, H, W]` (u, v, then pˣ, pʸ of each) and data `[1, 3, H, W]`. */
export function iteratedByLibTorch(state: Tensor, data: Tensor, iterations: number): Tensor {
  return tidy(() => {
    const gradient = data.select(0, 0).narrow(0, 0, 2)
    const rest = data.select(0, 0).select(0, 2)
    const squared = gradient.square().sum({ dim: [0] })
    const steep = squared.gt(FLOOR)
    const inverse = where(steep, squared.clamp({ min: FLOOR }).reciprocal().neg(), zeros(squared.shape))
    const limit = LAMBDA * THETA
    const [height, width] = rest.shape as [number, number]
    const column = zeros([2, height, 1])
    const row = zeros([2, 1, width])
    let u = state.select(0, 0).narrow(0, 0, 2)
    const dual = state.select(0, 0).narrow(0, 2, 4).view([2, 2, height, width])
    let [px, py] = [dual.select(1, 0), dual.select(1, 1)]
    for (let i = 0; i < iterations; i++) {
      const rho = gradient
        .mul(u)
        .sum({ dim: [0] })
        .add(rest)
      const move = rho.mul(inverse).clamp({ min: -limit, max: limit })
      const divergence = px
        .sub(cat([column, px.narrow(2, 0, width - 1)], { dim: 2 }))
        .add(py.sub(cat([row, py.narrow(1, 0, height - 1)], { dim: 1 })))
      u = u.add(gradient.mul(move)).add(divergence.mul(THETA))
      const gx = cat([u.narrow(2, 1, width - 1).sub(u.narrow(2, 0, width - 1)), column], { dim: 2 }).mul(TAU / THETA)
      const gy = cat([u.narrow(1, 1, height - 1).sub(u.narrow(1, 0, height - 1)), row], { dim: 1 }).mul(TAU / THETA)
      const scale = gx.square().add(gy.square()).sqrt().add(1).reciprocal()
      px = px.add(gx).mul(scale)
      py = py.add(gy).mul(scale)
    }
    return cat([u, px.narrow(0, 0, 1), py.narrow(0, 0, 1), px.narrow(0, 1, 1), py.narrow(0, 1, 1)], {
      dim: 0,
    }).unsqueeze(0)
  })
}
