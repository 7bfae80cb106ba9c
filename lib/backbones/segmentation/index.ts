// Networks that give a class to every pixel.

export { DeepLabV3PlusDecoder, FPNDecoder, PSPDecoder } from './pyramid-decoders'
export * from './smp'
export * from './torchvision'
export * from './unet'
export { UnetDecoder, UnetPlusPlusDecoder } from './unet-decoders'
