// The paper's control: how far apart annotations are that differ by a voxel.
import { functional as F } from '../../../nn'
import { type Tensor, tidy } from '../../../tensor'
import { ap75, instanceReport, jaccard } from './report'

/** The largest of a voxel and its six neighbours. */
function largestBeside(values: Tensor): Tensor {
  const float = values.to('float32').unsqueeze(0)
  const along = (kernel: readonly [number, number, number]) => {
    const padding = kernel.map((side) => (side - 1) / 2) as [number, number, number]
    return F.maxPool3d(float, kernel, { stride: 1, padding })
  }
  return along([3, 1, 1])
    .maximum(along([1, 3, 1]))
    .maximum(along([1, 1, 3]))
    .squeeze(0)
}

/** Objects larger by a voxel to all six sides; where two meet the higher number wins. */
export function dilateLabels(labels: Tensor): Tensor {
  return tidy(() => {
    const grown = largestBeside(labels).to(labels.dtype)
    return grown.where(labels.eq(0), labels)
  })
}

/** Objects without the voxels that have background on one of six sides. */
export function erodeLabels(labels: Tensor): Tensor {
  return tidy(() => labels.maskedFill(largestBeside(labels.eq(0)).gt(0), 0))
}

/** How an annotation scores that is a voxel larger or smaller than the truth. */
export interface NoiseControl {
  readonly jaccard: number
  readonly ap75: number
}

/** The truth with objects larger and smaller by a voxel, as if these were predictions. */
export function annotationNoise(truth: Tensor): { readonly dilated: NoiseControl; readonly eroded: NoiseControl } {
  const control = (changed: Tensor): NoiseControl => ({
    jaccard: jaccard(changed, truth),
    ap75: ap75(instanceReport(changed, truth)),
  })
  return tidy(() => ({ dilated: control(dilateLabels(truth)), eroded: control(erodeLabels(truth)) }))
}
