import { IMAGENET_224, type ImageInput } from '../network'

/** ImageNet's mean and deviation, whole images of which the shorter side is 520, as torchvision's segmentation has them. */
export const SEGMENTATION_INPUT = { ...IMAGENET_224, resize: 520, crop: null } as const satisfies ImageInput
