// Networks that make images, and what trains and samples them.
export * from './equalized'
export * from './modulated-conv'
export * from './resample-conv'
export * from './stylegan2'
export * from './stylegan2-discriminator'
export * from './stylegan2-mapping'
export * from './stylegan2-synthesis'
