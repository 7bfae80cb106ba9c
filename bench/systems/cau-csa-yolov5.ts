import { Config, createDetector } from '../../lib/models/detection/cau-csa-yolov5'
import { parseConfig } from '../../lib/pipeline'
import { rand } from '../../lib/tensor'
import { networkRun, type SystemCase } from '../support/system-case'

const SIDE = 640

/** The paper's detector for COCO: CAU in the neck, CSA in the head, boxes decoded; without suppression of doubles. */
export const systemCase: SystemCase = {
  system: 'cau-csa-yolov5',
  title: `YOLOv5s with CAU and CSA, picture of ${SIDE}×${SIDE}`,
  unit: 'pictures',
  peerConfig: { depth: 1 / 3, width: 0.5, classes: 80 },
  make: (device) =>
    networkRun(
      {
        create: () => createDetector(parseConfig(Config, {}, 'systems')),
        inputs: () => [rand([1, 3, SIDE, SIDE])],
        forward: (model, pictures) => [model.decode(model.forward(pictures))],
      },
      device,
    ),
}
