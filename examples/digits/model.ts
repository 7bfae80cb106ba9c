import type { Tensor } from '@lab/vision-native'
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '@lab/vision-native/nn'

/** 8 × 8 grey images to ten classes: four convolutions, 67,754 parameters. */
export class DigitNet extends Module {
  readonly features = new Sequential(
    ...block(1, 32),
    ...block(32, 32),
    new MaxPool2d(2),
    ...block(32, 64),
    ...block(64, 64),
    new MaxPool2d(2),
    new Flatten(),
  )
  readonly dropout = new Dropout({ p: 0.3 })
  readonly head = new Linear(256, 10)

  /** @param images `[N, 1, 8, 8]` in 0–1 @returns logits `[N, 10]` */
  forward(images: Tensor): Tensor {
    return this.head.forward(this.dropout.forward(this.features.forward(images)))
  }
}

function block(from: number, to: number) {
  return [new Conv2d(from, to, 3, { padding: 1, bias: false }), new BatchNorm2d(to), new ReLU()]
}
