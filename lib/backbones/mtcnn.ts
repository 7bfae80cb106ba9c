// The three networks of MTCNN with facenet-pytorch's names.
import { ShapeError } from '../native/errors'
import { Conv2d, type Layer, Linear, MaxPool2d, Module, PReLU, Softmax } from '../nn'
import type { Tensor } from '../tensor'
import { checkImageSize } from './image-size'
import type { ImageInput, NetworkEntry } from './network'

/** What the networks say of each window. */
export interface FaceProposals {
  /** Corrections of the window's left, top, right and bottom, in parts of its size: `[N, 4, …]`. */
  readonly boxes: Tensor
  /** Probability of no face and of a face: `[N, 2, …]`. */
  readonly probabilities: Tensor
}

export interface FaceLandmarks extends FaceProposals {
  /** x of both eyes, the nose and both corners of the mouth, then their y, in parts of the window: `[N, 10]`. */
  readonly landmarks: Tensor
}

const pool = (size: number) => new MaxPool2d(size, { stride: 2, ceilMode: true })
const run = (input: Tensor, ...layers: readonly Layer[]) => layers.reduce((x, layer) => layer.forward(x), input)

/** Columns before rows, channels last: the order in which the published weights, which came from Caffe, take a map. */
const flattenAsCaffe = (x: Tensor) => x.permute([0, 3, 2, 1]).flatten({ startDim: 1 })

/**
 * Proposes windows of 12 pixels, every other pixel (Zhang, Zhang, Li, Qiao 2016, Fig. 2).
 *
 * Shapes: `[N, 3, H, W]` → boxes `[N, 4, H′, W′]`, probabilities `[N, 2, H′, W′]`; H and W are 12 or more.
 */
export class PNet extends Module {
  readonly conv1 = new Conv2d(3, 10, 3)
  readonly prelu1 = new PReLU({ numParameters: 10 })
  readonly pool1 = pool(2)
  readonly conv2 = new Conv2d(10, 16, 3)
  readonly prelu2 = new PReLU({ numParameters: 16 })
  readonly conv3 = new Conv2d(16, 32, 3)
  readonly prelu3 = new PReLU({ numParameters: 32 })
  readonly conv4_1 = new Conv2d(32, 2, 1)
  readonly softmax4_1 = new Softmax(1)
  readonly conv4_2 = new Conv2d(32, 4, 1)

  forward(input: Tensor): FaceProposals {
    checkImageSize('PNet', input, 12)
    const x = run(input, this.conv1, this.prelu1, this.pool1, this.conv2, this.prelu2, this.conv3, this.prelu3)
    return { boxes: this.conv4_2.forward(x), probabilities: run(x, this.conv4_1, this.softmax4_1) }
  }
}

/** Refines windows. Shapes: `[N, 3, 24, 24]` → boxes `[N, 4]`, probabilities `[N, 2]`. */
export class RNet extends Module {
  readonly conv1 = new Conv2d(3, 28, 3)
  readonly prelu1 = new PReLU({ numParameters: 28 })
  readonly pool1 = pool(3)
  readonly conv2 = new Conv2d(28, 48, 3)
  readonly prelu2 = new PReLU({ numParameters: 48 })
  readonly pool2 = pool(3)
  readonly conv3 = new Conv2d(48, 64, 2)
  readonly prelu3 = new PReLU({ numParameters: 64 })
  readonly dense4 = new Linear(576, 128)
  readonly prelu4 = new PReLU({ numParameters: 128 })
  readonly dense5_1 = new Linear(128, 2)
  readonly softmax5_1 = new Softmax(1)
  readonly dense5_2 = new Linear(128, 4)

  forward(input: Tensor): FaceProposals {
    checkWindow('RNet', input, 24)
    const x = run(input, this.conv1, this.prelu1, this.pool1, this.conv2, this.prelu2, this.pool2)
    const y = run(flattenAsCaffe(run(x, this.conv3, this.prelu3)), this.dense4, this.prelu4)
    return { boxes: this.dense5_2.forward(y), probabilities: run(y, this.dense5_1, this.softmax5_1) }
  }
}

/** Decides, and finds five points. Shapes: `[N, 3, 48, 48]` → boxes `[N, 4]`, landmarks `[N, 10]`, probabilities `[N, 2]`. */
export class ONet extends Module {
  readonly conv1 = new Conv2d(3, 32, 3)
  readonly prelu1 = new PReLU({ numParameters: 32 })
  readonly pool1 = pool(3)
  readonly conv2 = new Conv2d(32, 64, 3)
  readonly prelu2 = new PReLU({ numParameters: 64 })
  readonly pool2 = pool(3)
  readonly conv3 = new Conv2d(64, 64, 3)
  readonly prelu3 = new PReLU({ numParameters: 64 })
  readonly pool3 = pool(2)
  readonly conv4 = new Conv2d(64, 128, 2)
  readonly prelu4 = new PReLU({ numParameters: 128 })
  readonly dense5 = new Linear(1152, 256)
  readonly prelu5 = new PReLU({ numParameters: 256 })
  readonly dense6_1 = new Linear(256, 2)
  readonly softmax6_1 = new Softmax(1)
  readonly dense6_2 = new Linear(256, 4)
  readonly dense6_3 = new Linear(256, 10)

  forward(input: Tensor): FaceLandmarks {
    checkWindow('ONet', input, 48)
    const x = run(input, this.conv1, this.prelu1, this.pool1, this.conv2, this.prelu2, this.pool2)
    const y = run(x, this.conv3, this.prelu3, this.pool3, this.conv4, this.prelu4)
    const z = run(flattenAsCaffe(y), this.dense5, this.prelu5)
    return {
      boxes: this.dense6_2.forward(z),
      landmarks: this.dense6_3.forward(z),
      probabilities: run(z, this.dense6_1, this.softmax6_1),
    }
  }
}

function checkWindow(network: string, { shape }: Tensor, size: number): void {
  if (shape.length === 4 && shape[2] === size && shape[3] === size) return
  throw new ShapeError(
    `${network}: the input has shape [${shape.join(', ')}]; it must be [N, 3, ${size}, ${size}]: resize the windows`,
  )
}

export const mtcnnPnet = () => new PNet()
export const mtcnnRnet = () => new RNet()
export const mtcnnOnet = () => new ONet()

/** 0–255 less 127.5, over 128. */
const window = (size: number, crop: ImageInput['crop'] = [size, size]): ImageInput => ({
  kind: 'image',
  resize: size,
  crop,
  interpolation: 'bilinear',
  mean: [0.5, 0.5, 0.5],
  std: [128 / 255, 128 / 255, 128 / 255],
})

export const MTCNNS = {
  mtcnn_pnet: { create: mtcnnPnet, task: 'object-detection', input: window(12, null) },
  mtcnn_rnet: { create: mtcnnRnet, task: 'object-detection', input: window(24) },
  mtcnn_onet: { create: mtcnnOnet, task: 'keypoint-detection', input: window(48) },
} as const satisfies Readonly<Record<string, NetworkEntry>>
