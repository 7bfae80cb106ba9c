// How detectors, flow networks, and networks over points and graphs are run.
import type { RAFT, YOLOv5 } from '../../lib/backbones'
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

export const VIDEO_RUNS: Readonly<Record<string, Run>> = {
  ...Object.fromEntries(YOLOV5_NAMES.map((name) => [name, decoded])),
  raft_large: threeUpdates,
  raft_small: threeUpdates,
}
