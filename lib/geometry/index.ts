// Rotations, movements, cameras, rays, points and meshes, and the files they come in.
export { type EulerConvention, eulerToMatrix, matrixToEuler } from './euler'
export {
  axisAngleToQuaternion,
  matrixToQuaternion,
  quaternionApply,
  quaternionInvert,
  quaternionMultiply,
  quaternionToAxisAngle,
  quaternionToMatrix,
  slerp,
  standardizeQuaternion,
} from './quaternions'
export {
  type Alignment,
  type AlignmentOptions,
  alignmentMatrix,
  alignPoints,
  composeTransforms,
  invertRigid,
  rigidTransform,
  transformPoints,
} from './rigid'
export {
  axisAngleToMatrix,
  hat,
  matrixToAxisAngle,
  matrixToRotation6d,
  type RandomRotationsOptions,
  randomQuaternions,
  randomRotations,
  rotation6dToMatrix,
  rotationAngle,
} from './rotations'
