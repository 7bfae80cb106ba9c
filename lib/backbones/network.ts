// What the registry says of a network: how it is made, what it is for, and what it takes.
import type { Module } from '../nn'

export type NetworkTask =
  | 'image-classification'
  | 'semantic-segmentation'
  | 'object-detection'
  | 'keypoint-detection'
  | 'instance-segmentation'
  | 'video-classification'
  | 'optical-flow'
  | 'audio-classification'
  | 'speech'
  | 'text'
  | 'image-text'
  | 'point-cloud'
  | 'graph'
  | 'image-generation'
  | 'perceptual-distance'
  | 'features'

/** How a photograph becomes what a network was trained on. */
export interface ImageInput {
  readonly kind: 'image'
  /** The shorter side is made this long, */
  readonly resize: number
  /** then the middle is cut out: height and width. Null keeps the whole image. */
  readonly crop: readonly [height: number, width: number] | null
  readonly interpolation: 'bilinear' | 'bicubic'
  /** Subtracted from channels in 0–1, red first; */
  readonly mean: readonly number[]
  /** they are divided by this then. */
  readonly std: readonly number[]
}

/** How a clip becomes what a network was trained on: frames as `ImageInput` says, `[N, 3, T, H, W]`. */
export interface VideoInput extends Omit<ImageInput, 'kind'> {
  readonly kind: 'video'
  readonly frames: number
  /** Every which frame of the video is taken. */
  readonly frameStep: number
}

/** Others are described by the network itself. */
export interface OtherInput {
  readonly kind: 'audio' | 'text' | 'image-text' | 'points' | 'graph' | 'noise' | 'frame-pair' | 'segmentation'
}

export type NetworkInput = ImageInput | VideoInput | OtherInput

/** One network by name. */
export interface NetworkEntry<Options extends object = object, Network extends Module = Module> {
  /** Makes it with first values as its authors'; `skipInit` leaves them out. */
  readonly create: (options?: Options) => Network
  readonly task: NetworkTask
  readonly input: NetworkInput
  /** The part whose output people take as the features of the input, by its name in the network. */
  readonly features?: string
}

/** ImageNet's preparation at 224, as torchvision's classifiers have it. */
export const IMAGENET_224 = {
  kind: 'image',
  resize: 256,
  crop: [224, 224],
  interpolation: 'bilinear',
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const satisfies ImageInput
