// Motion microscopy for visualizing and quantifying small motions (PNAS 2017).
import { defineUntrainedSystem } from '../../../pipeline'
import { card } from './card'
import { Config, tiny } from './config'
import { evaluate } from './evaluate'
import { MotionMicroscope } from './pipeline'

export { card } from './card'
export { Config } from './config'
export { type EstimatorOptions, MotionEstimator, Rank } from './estimator'
export { type Magnified, Magnifier, type MagnifierOptions } from './magnifier'
export { type MagnificationReport, MotionMicroscope } from './pipeline'

export const system = defineUntrainedSystem({ card, config: Config, tiny, evaluate, load: MotionMicroscope.load })
