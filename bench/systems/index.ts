import type { SystemCase } from '../support/system-case'
import { arrowOfTime } from './arrow-of-time'
import { binaryC3d } from './binary-3d-bitconv'
import { cauCsaYolov5 } from './cau-csa-yolov5'
import { lowLight } from './fusion-low-light-enhancement'
import { irisCapsules } from './iris-transformer-capsule'
import { mitoem } from './mitoem'
import { motionMicroscopy } from './motion-microscopy'
import { rscWtal } from './rsc-wtal'
import { stn } from './stn-stochastic-triplet-neighboring'

/** The systems that `npm run bench -- systems` measures. */
export const SYSTEM_CASES: readonly SystemCase[] = [
  ...[lowLight, stn],
  ...[motionMicroscopy, mitoem],
  ...[binaryC3d, rscWtal, arrowOfTime],
  ...[cauCsaYolov5, irisCapsules],
]
