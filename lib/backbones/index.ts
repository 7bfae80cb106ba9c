// Networks that several papers share, with the names of their published weights.
export * from './network'
export * from './registry'
export * from './resnet'
