// Networks that give a class to every pixel.

export * from './smp'
export * from './torchvision'
export * from './unet'
