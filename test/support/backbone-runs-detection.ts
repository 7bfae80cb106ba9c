// What of detectors is compared: their heads, before anything is sorted or dropped, so that a last bit cannot change which
// boxes there are.
import type { FasterRCNN, FCOS, RetinaNet, SSD } from '../../lib/backbones'
import { cat, type Tensor } from '../../lib/tensor'
import type { Run } from './backbone-runs'

/** Boxes of sizes that lie on every map, from numbers in [−1, 1). */
function boxesOf(numbers: Tensor): Tensor {
  const corners = numbers.narrow(1, 0, 2).mul(16).add(16)
  return cat([corners, corners.add(numbers.narrow(1, 2, 2).mul(290)).add(310)], { dim: 1 })
}

const rcnn: Run = {
  run: (network: FasterRCNN, [image, numbers]) => {
    const maps = network.backbone.forward(image as Tensor)
    const regions = network.regionMaps(maps)
    const [boxes, sizes] = [[boxesOf(numbers as Tensor)], [[64, 64]] as const]
    const heads = network.roiHeads
    const { objectness, codes } = network.rpn.head.forward(maps)
    const found = heads.boxes(regions, boxes, sizes)
    return [
      objectness,
      codes,
      found.logits,
      found.codes,
      heads.masks(regions, boxes, sizes),
      heads.heatMaps(regions, boxes, sizes),
    ]
  },
}

const dense: Run = {
  run: (network: RetinaNet | FCOS | SSD, [image]) => network.head.forward(network.backbone.forward(image as Tensor)),
}

/** A network with norms that train, and with those of the published weights. */
const both = (name: string, run: Run): Readonly<Record<string, Run>> => ({ [name]: run, [`${name}_frozenbn`]: run })

export const DETECTION_RUNS: Readonly<Record<string, Run>> = {
  ...both('fasterrcnn_resnet50_fpn', rcnn),
  ...both('maskrcnn_resnet50_fpn', rcnn),
  ...both('keypointrcnn_resnet50_fpn', rcnn),
  fasterrcnn_mobilenet_v3_large_fpn: rcnn,
  ...both('retinanet_resnet50_fpn', dense),
  ...both('fcos_resnet50_fpn', dense),
  ssd300_vgg16: dense,
  ssdlite320_mobilenet_v3_large: dense,
  smp_pspnet_resnet50: { unused: { names: /^encoder\.layer[34]\./, why: 'the encoder ends at stride 8' } },
}
