// Rotations, movements, cameras, rays, points and meshes, and the files they come in.
export { type Assignment, linearSumAssignment } from './assignment'
export {
  type CameraAxes,
  flipCameraAxes,
  type Intrinsics,
  intrinsicsMatrix,
  type LookAtOptions,
  lookAt,
  type ProjectionOptions,
  projectToImage,
  scaleIntrinsics,
  unprojectFromImage,
} from './cameras'
export { distortPoints, undistortPoints } from './distortion'
export { type EulerConvention, eulerToMatrix, matrixToEuler } from './euler'
export { type IcpOptions, iterativeClosestPoints, type Registration } from './icp'
export * from './io'
export { type Isosurface, type IsosurfaceOptions, isosurface } from './isosurface'
export {
  faceAreas,
  faceNormals,
  type MeshSamples,
  type SampleMeshOptions,
  samplePointsFromMesh,
  vertexNormals,
} from './meshes'
export { type PointNormals, type PointNormalsOptions, pointNormals } from './point-normals'
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
  type BoxCrossing,
  type CameraRaysOptions,
  cameraRays,
  crossBox,
  type ImportanceOptions,
  importanceSamples,
  type PositionalEncodingOptions,
  pointsOnRays,
  positionalEncoding,
  type Rays,
  type StratifiedOptions,
  stratifiedSamples,
} from './rays'
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
export {
  type EarthMovers,
  type EarthMoversOptions,
  earthMoversDistance,
  type SinkhornOptions,
  sinkhorn,
  sinkhornDistance,
  type Transport,
} from './transport'
export {
  alphaWeights,
  type DensityWeightsOptions,
  densityWeights,
  type RayWeights,
  renderRays,
} from './volume-rendering'
export {
  type VoxelDownsampled,
  type VoxelDownsampleOptions,
  type VoxelizeOptions,
  voxelDownsample,
  voxelize,
} from './voxels'
