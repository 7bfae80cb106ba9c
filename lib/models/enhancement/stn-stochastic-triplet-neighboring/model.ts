import { ShapeError } from '../../../native/errors'
import { Conv2d, ConvTranspose2d, functional as F, init, Module } from '../../../nn'
import { cat, type Tensor } from '../../../tensor'

/** Sides of pictures are multiples of this: the network halves them five times. */
export const MULTIPLE = 32
const SLOPE = 0.2

/** Twice the size by a transposed convolution, beside what the encoder had at that size. */
class UpsampleCat extends Module {
  readonly deconv: ConvTranspose2d

  constructor(channels: number) {
    super()
    this.deconv = new ConvTranspose2d(channels, channels, 2, { stride: 2 })
  }

  forward(x: Tensor, skip: Tensor): Tensor {
    return cat([this.deconv.forward(x), skip], { dim: 1 })
  }
}

const conv3 = (inputs: number, outputs: number) => new Conv2d(inputs, outputs, 3, { padding: 1 })

/** How a network is made. */
export interface DenoisingUNetOptions {
  /** 3 for colour (default), 1 for grey. */
  readonly channels?: number | undefined
  /** Channels of the encoder; 48 unless stated. */
  readonly width?: number | undefined
  /** Factor of the first weights; 0.1 unless stated. */
  readonly initScale?: number | undefined
}

/**
 * The U-Net of Noise2Noise (Lehtinen et al. 2018) as Neighbor2Neighbor has it: no normalisation, leaky ReLU of 0.2 after
 * every convolution but the last and the transposed ones, three 1 × 1 convolutions at the end.
 */
export class DenoisingUNet extends Module {
  readonly encConv0: Conv2d
  readonly encConv1: Conv2d
  readonly encConv2: Conv2d
  readonly encConv3: Conv2d
  readonly encConv4: Conv2d
  readonly encConv5: Conv2d
  readonly encConv6: Conv2d
  readonly up5: UpsampleCat
  readonly decConv5a: Conv2d
  readonly decConv5b: Conv2d
  readonly up4: UpsampleCat
  readonly decConv4a: Conv2d
  readonly decConv4b: Conv2d
  readonly up3: UpsampleCat
  readonly decConv3a: Conv2d
  readonly decConv3b: Conv2d
  readonly up2: UpsampleCat
  readonly decConv2a: Conv2d
  readonly decConv2b: Conv2d
  readonly up1: UpsampleCat
  readonly decConv1a: Conv2d
  readonly decConv1b: Conv2d
  readonly ninA: Conv2d
  readonly ninB: Conv2d
  readonly ninC: Conv2d

  constructor({ channels = 3, width: n = 48, initScale = 0.1 }: DenoisingUNetOptions = {}) {
    super()
    this.encConv0 = conv3(channels, n)
    this.encConv1 = conv3(n, n)
    this.encConv2 = conv3(n, n)
    this.encConv3 = conv3(n, n)
    this.encConv4 = conv3(n, n)
    this.encConv5 = conv3(n, n)
    this.encConv6 = conv3(n, n)
    this.up5 = new UpsampleCat(n)
    this.decConv5a = conv3(2 * n, 2 * n)
    this.decConv5b = conv3(2 * n, 2 * n)
    this.up4 = new UpsampleCat(2 * n)
    this.decConv4a = conv3(3 * n, 2 * n)
    this.decConv4b = conv3(2 * n, 2 * n)
    this.up3 = new UpsampleCat(2 * n)
    this.decConv3a = conv3(3 * n, 2 * n)
    this.decConv3b = conv3(2 * n, 2 * n)
    this.up2 = new UpsampleCat(2 * n)
    this.decConv2a = conv3(3 * n, 2 * n)
    this.decConv2b = conv3(2 * n, 2 * n)
    this.up1 = new UpsampleCat(2 * n)
    this.decConv1a = conv3(2 * n + channels, 2 * n)
    this.decConv1b = conv3(2 * n, 2 * n)
    this.ninA = new Conv2d(2 * n, 2 * n, 1)
    this.ninB = new Conv2d(2 * n, 2 * n, 1)
    this.ninC = new Conv2d(2 * n, channels, 1)
    this.#initialise(initScale)
  }

  #initialise(scale: number): void {
    for (const [name, values] of this.namedParameters()) {
      if (name.endsWith('bias')) init.zeros_(values)
      else {
        const { fanIn } = init.calculateFanInAndFanOut(values)
        init.normal_(values, { std: scale * Math.sqrt(2 / fanIn) })
      }
    }
  }

  /**
   * @param x `[B, C, H, W]`, sides multiples of 32
   * @throws ShapeError for other sides
   */
  forward(x: Tensor): Tensor {
    const [, , height = 0, width = 0] = x.shape
    if (height % MULTIPLE !== 0 || width % MULTIPLE !== 0) {
      throw new ShapeError(
        `DenoisingUNet: the picture has ${height} × ${width} pixels; both must be multiples of ${MULTIPLE}, as padToMultiple makes them`,
      )
    }
    const act = (y: Tensor) => F.leakyRelu(y, { negativeSlope: SLOPE })
    const pool = (y: Tensor) => F.maxPool2d(y, 2)
    const pool1 = pool(act(this.encConv1.forward(act(this.encConv0.forward(x)))))
    const pool2 = pool(act(this.encConv2.forward(pool1)))
    const pool3 = pool(act(this.encConv3.forward(pool2)))
    const pool4 = pool(act(this.encConv4.forward(pool3)))
    const pool5 = pool(act(this.encConv5.forward(pool4)))
    const code = act(this.encConv6.forward(pool5))
    const at16 = act(this.decConv5b.forward(act(this.decConv5a.forward(this.up5.forward(code, pool4)))))
    const at8 = act(this.decConv4b.forward(act(this.decConv4a.forward(this.up4.forward(at16, pool3)))))
    const at4 = act(this.decConv3b.forward(act(this.decConv3a.forward(this.up3.forward(at8, pool2)))))
    const at2 = act(this.decConv2b.forward(act(this.decConv2a.forward(this.up2.forward(at4, pool1)))))
    const at1 = act(this.decConv1b.forward(act(this.decConv1a.forward(this.up1.forward(at2, x)))))
    return this.ninC.forward(act(this.ninB.forward(act(this.ninA.forward(at1)))))
  }
}
