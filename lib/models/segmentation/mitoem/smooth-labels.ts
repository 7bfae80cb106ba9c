import { functional as F } from '../../../nn'
import { labelStatistics } from '../../../ops'
import { type Tensor, tensor, tidy, where, zeros } from '../../../tensor'
import { gaussianFilter } from '../../../vision'
import { numbersOf } from './numbers'

const SIGMA = 2
const LEVEL = 0.8
const ROUNDS = 2
/** Voxels that two rounds may add around an object, and that a blur looks at. */
const MARGIN = 16

/**
 * Smooths the outline of each object in its slices: widened by a voxel, blurred, widened, and cut at 0.8, twice. Where two
 * objects then meet the higher number wins.
 */
export function smoothLabels(labels: Tensor): Tensor {
  return tidy(() => {
    const result = zeros(labels.shape, { dtype: labels.dtype })
    const numbers = labels.to('int32')
    const most = Number(numbers.amax().item())
    const { area, box } = labelStatistics(numbers, most, { dims: 3 })
    const [sizes, boxes] = [numbersOf(area), numbersOf(box)]
    for (let label = 1; label <= most; label++) {
      if ((sizes[label] ?? 0) === 0) continue
      const [z0 = 0, y0 = 0, x0 = 0, z1 = 0, y1 = 0, x1 = 0] = boxes.slice(6 * label)
      const [top, left] = [Math.max(0, y0 - MARGIN), Math.max(0, x0 - MARGIN)]
      const [bottom, right] = [Math.min(labels.size(1), y1 + MARGIN), Math.min(labels.size(2), x1 + MARGIN)]
      const part = (x: Tensor) =>
        x
          .narrow(0, z0, z1 - z0)
          .narrow(1, top, bottom - top)
          .narrow(2, left, right - left)
      tidy(() => {
        const smooth = smoothMask(part(labels).eq(label).to('float32'))
        const target = part(result)
        target.copy_(where(smooth, tensor(label, { dtype: labels.dtype }), target))
      })
    }
    return result
  })
}

function smoothMask(mask: Tensor): Tensor {
  let smooth = mask
  for (let round = 0; round < ROUNDS; round++) {
    const blurred = gaussianFilter(widened(smooth), { sigma: SIGMA, edge: 'replicate' })
    smooth = widened(blurred).gt(LEVEL).to('float32')
  }
  return smooth.gt(0)
}

/** The largest value of each voxel and its four neighbours in the slice. */
function widened(x: Tensor): Tensor {
  const along = (kernel: readonly [number, number], padding: readonly [number, number]) =>
    F.maxPool2d(x.unsqueeze(1), kernel, { stride: 1, padding }).squeeze(1)
  return along([3, 1], [1, 0]).maximum(along([1, 3], [0, 1]))
}
