export { type PyramidCoefficients, SteerablePyramid, type SteerablePyramidOptions } from './steerable'
