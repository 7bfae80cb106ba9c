// What judges the difference of two images: capsules, or the linear layer of the ablation.
import {
  BatchNorm2d,
  Conv2d,
  ConvCapsules,
  ConvTranspose2d,
  DenseCapsules,
  init,
  type Layer,
  Linear,
  Module,
  ReLU,
  Sequential,
  Tanh,
} from '../../../nn'
import { capsuleLengths, squash } from '../../../ops'
import type { Tensor } from '../../../tensor'
import type { Config } from './config'

/** Capsules of the first layer and of the routed one, and the features of each. */
export const CAPSULES = 8
export const CAPSULE_DIM = 16

/** What a matcher says of a difference. */
export interface Verdict {
  /** `[B, 2]`: how sure it is of an imposter and of the same eye. */
  readonly sureness: Tensor
  /** `[B, 2, 16]`, whose lengths that is; none without capsules. */
  readonly capsules?: Tensor
  /** `[B, 2]`, of which that is the softmax; none with capsules. */
  readonly logits?: Tensor
}

/**
 * Capsule matcher (Section 2.4): capsules of the difference, 3D routing over positions and types, then two capsules by
 * routing by agreement, whose lengths say imposter and genuine.
 *
 * `[B, C, H, W]` → capsules `[B, 2, 16]`.
 */
export class CapsuleMatcher extends Module {
  readonly conv: Conv2d
  readonly routed: ConvCapsules
  readonly digits: DenseCapsules
  readonly reconstruction: Reconstruction

  constructor({ network, input }: Config) {
    super()
    const { channels, kernelDepth, routingBias, couplingGain, routingIterations, detachRouting: detach } = network
    const side = input.size / 4
    this.conv = new Conv2d(channels, CAPSULES * CAPSULE_DIM, 3, { padding: 1 })
    init.kaimingNormal_(this.conv.weight, { nonlinearity: 'relu' })
    if (this.conv.bias) init.zeros_(this.conv.bias)
    const routing = { iterations: routingIterations, detach }
    this.routed = new ConvCapsules(CAPSULE_DIM, CAPSULES, CAPSULE_DIM, {
      ...{ kernelDepth, routingBias, couplingGain, ...routing },
    })
    this.digits = new DenseCapsules(side * side * CAPSULES, CAPSULE_DIM, 2, CAPSULE_DIM, routing)
    this.reconstruction = new Reconstruction(channels, side)
  }

  /** The 8 capsules at each position, `[B, 8, 16, H, W]`. */
  primary(difference: Tensor): Tensor {
    const [batch = 0, , height = 0, width = 0] = difference.shape
    const maps = this.conv.forward(difference).reshape([batch, CAPSULES, CAPSULE_DIM, height, width])
    return squash(maps, { dim: 2 })
  }

  forward(difference: Tensor): Tensor {
    const routed = this.routed.forward(this.primary(difference))
    // Capsule (h · W + w) · 8 + k of the dense layer is type k at row h and column w.
    return this.digits.forward(routed.permute([0, 3, 4, 1, 2]).reshape([routed.size(0), -1, CAPSULE_DIM]))
  }

  judge(difference: Tensor): Verdict {
    const capsules = this.forward(difference)
    return { sureness: capsuleLengths(capsules), capsules }
  }
}

/**
 * The difference made again of the capsule of the true class, as a regulariser: transposed convolutions of 4 × 4 that
 * double the side, from 4 to that of the maps.
 *
 * `[B, 16]` → `[B, C, side, side]` in −1…1.
 */
export class Reconstruction extends Module {
  readonly layers: Sequential

  constructor(channels: number, side: number) {
    super()
    const layers: Layer[] = []
    let [from, to] = [CAPSULE_DIM, 32]
    for (let reached = 4; reached < side; reached *= 2) {
      const place = reached === 4 ? {} : { stride: 2, padding: 1 }
      layers.push(new ConvTranspose2d(from, to, 4, place), new BatchNorm2d(to), new ReLU())
      ;[from, to] = [to, 2 * to]
    }
    layers.push(new ConvTranspose2d(from, channels, 4, { stride: 2, padding: 1 }), new Tanh())
    this.layers = new Sequential(...layers)
  }

  forward(capsule: Tensor): Tensor {
    return this.layers.forward(capsule.reshape([capsule.size(0), CAPSULE_DIM, 1, 1]))
  }
}

/** The ablation without capsules: the mean of the difference over all positions, and a linear layer. */
export class LinearMatcher extends Module {
  readonly fc: Linear

  constructor(channels: number) {
    super()
    this.fc = new Linear(channels, 2)
  }

  /** Logits of imposter and genuine, `[B, 2]`. */
  forward(difference: Tensor): Tensor {
    return this.fc.forward(difference.mean({ dim: [2, 3] }))
  }

  judge(difference: Tensor): Verdict {
    const logits = this.forward(difference)
    return { sureness: logits.softmax(1), logits }
  }
}
