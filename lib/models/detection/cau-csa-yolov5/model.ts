import {
  type YOLOv5,
  type YOLOv5Options,
  yolov5l,
  yolov5l6,
  yolov5m,
  yolov5m6,
  yolov5n,
  yolov5n6,
  yolov5s,
  yolov5s6,
  yolov5x,
  yolov5x6,
} from '../../../backbones'
import { COCO_CLASSES } from '../../../datasets'
import { ConfigError } from '../../../native/errors'
import { CAU } from './cau'
import type { Config } from './config'
import { AttentiveDetect } from './csa'

const MAKERS = {
  ...{ n: yolov5n, s: yolov5s, m: yolov5m, l: yolov5l, x: yolov5x },
  ...{ n6: yolov5n6, s6: yolov5s6, m6: yolov5m6, l6: yolov5l6, x6: yolov5x6 },
} as const

/**
 * YOLOv5 whose neck enlarges maps by CAU and whose head begins with CSA, or either alone, or neither. Names are those of
 * YOLOv5, so that its published files load: CAU is at `model.11` and `15` (`13`, `17` and `21` with four levels), CSA at
 * `csa` of the head.
 */
export function createDetector(config: Config): YOLOv5 {
  const { base, upsampling, attention, window, compressed, post } = config.network
  checkMultiples(config)
  const options: YOLOv5Options = {
    numClasses: classNames(config).length,
    ...(config.anchors && { anchors: config.anchors }),
    ...(upsampling === 'cau' && { upsample: (channels) => new CAU(channels, { window, compressed, post }) }),
    ...(attention === 'csa' && { head: (...args) => new AttentiveDetect(...args) }),
  }
  return MAKERS[base](options)
}

/** The names of the classes: those of the config, or COCO's. */
export function classNames({ classes }: Config): readonly string[] {
  if (classes === undefined) return COCO_CLASSES
  if (typeof classes !== 'number') return classes
  if (classes === COCO_CLASSES.length) return COCO_CLASSES
  return Array.from({ length: classes }, (_, i) => `class ${i}`)
}

function checkMultiples({ network, size, crop }: Config): void {
  const stride = network.base.endsWith('6') ? 64 : 32
  for (const [name, value] of Object.entries({ size, crop })) {
    if (value === undefined || value % stride === 0) continue
    throw new ConfigError(`cau-csa-yolov5: ${name} is ${value}; for ${network.base} it must be a multiple of ${stride}`)
  }
}
