// Motion microscopy for visualizing and quantifying small motions (PNAS 2017).
import { defineUntrainedSystem } from '../../../pipeline'
import { card } from './card'
import { Config, tiny } from './config'
import { evaluate } from './evaluate'
import { MotionMicroscope } from './pipeline'

export { card } from './card'
export { compareWithFlow, type FlowComparison } from './compare'
export { Config } from './config'
export { type EstimatorOptions, MotionEstimator, Rank } from './estimator'
export { type Interpolated, type InterpolationOptions, interpolateField } from './interpolate'
export { type Magnified, Magnifier, type MagnifierOptions } from './magnifier'
export type { MeasureOptions, Place } from './measure'
export { type Harmonic, MotionMeasurement, type PointMotion } from './measurement'
export {
  motionCovariance,
  type NoiseLevel,
  noiseLevel,
  noiseVariance,
  TemporalStatistics,
} from './noise'
export { amplitudeOverlay, drawWarpedLines, harmonicMotion, spaceTimeSlice, warpLine } from './pictures'
export { type MagnificationReport, MotionMicroscope } from './pipeline'
export {
  compareWithSensor,
  integrate,
  parseSensor,
  readSensor,
  resample,
  type SensorComparison,
  type SensorOptions,
  type SensorSignal,
} from './sensor'
export {
  noiseSpectrum,
  type PowerSpectrum,
  powerSpectrum,
  type TransferFunction,
  transferFunction,
} from './spectrum'
export {
  alongLine,
  harmonicAmplitude,
  interpolateHarmonic,
  type Line,
  type WaveProfile,
  waveProfile,
} from './waves'

export const system = defineUntrainedSystem({ card, config: Config, tiny, evaluate, load: MotionMicroscope.load })
