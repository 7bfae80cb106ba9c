// How detectors, flow networks, and networks over points and graphs are run.
import { type KPCNN, type KPFCNN, kpconvOffsetLoss, type RAFT, type YOLOv5 } from '../../lib/backbones'
import type { Tensor } from '../../lib/tensor'
import type { Run } from './backbone-runs'

const decoded: Run = {
  run: (network: YOLOv5, [images]) => {
    const levels = network.forward(images as Tensor)
    return [network.decode(levels), ...levels]
  },
}

const threeUpdates: Run = {
  run: (network: RAFT, [first, second]) => network.forward(first as Tensor, second as Tensor, { numFlowUpdates: 3 }),
}

const YOLOV5_NAMES = ['n', 's', 'm', 'l', 'x'].flatMap((size) => [`yolov5${size}`, `yolov5${size}6`])

/** Features, then points, neighbours, pools and upsamples of three levels; the last level's five points are two clouds. */
const pyramid: Run = {
  run: (network: KPCNN | KPFCNN, [features, ...levels]) => {
    const [points, neighbours] = [levels.slice(0, 3), levels.slice(3, 6)]
    const [pools, upsamples] = [levels.slice(6, 8), levels.slice(8, 10)]
    const { logits, deformations } = network.forwardWithDeformations(features as Tensor, {
      ...{ points, neighbours, pools, upsamples },
      lengths: [[], [], [2, 3]],
    })
    return [logits, kpconvOffsetLoss(deformations)]
  },
}

export const VIDEO_RUNS: Readonly<Record<string, Run>> = {
  ...Object.fromEntries(YOLOV5_NAMES.map((name) => [name, decoded])),
  kpcnn: pyramid,
  kpfcnn: pyramid,
  raft_large: threeUpdates,
  raft_small: threeUpdates,
}
