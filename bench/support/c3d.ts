// C3D (Tran et al., "Learning Spatiotemporal Features with 3D Convolutional Networks", ICCV 2015) and its 1-bit form
// ("Binary Neural Network for Video Action Recognition", MMM 2023), whose convolutions but the first are of signs. The
// 1-bit network is there twice: in LibTorch's float32 operators, and packed.
import { BatchNorm3d, BinaryConv3d, Conv3d, Linear, Module, type PackedBinaryConv3d, PReLU } from '../../lib/nn'
import { type Parameter, parameter } from '../../lib/nn/roles'
import {
  cat,
  conv2d,
  conv3d,
  maxPool2d,
  maxPool3d,
  ones,
  pad,
  rand,
  scalarTensor,
  type Tensor,
  where,
} from '../../lib/tensor'

/** Name, channels in and out of the convolutions behind the first; a pool follows 2a, 3b, 4b and 5b. */
const LAYERS = [
  ['2a', 64, 128],
  ['3a', 128, 256],
  ['3b', 256, 256],
  ['4a', 256, 512],
  ['4b', 512, 512],
  ['5a', 512, 512],
  ['5b', 512, 512],
] as const

const pooled = (name: string) => name === '2a' || name.endsWith('b')
const pool = (x: Tensor, name: string) => maxPool3d(x, 2, { stride: 2, padding: name === '5b' ? [0, 1, 1] : 0 })

/** The first layer and the classifier, which both networks have. */
export class C3dEnds extends Module {
  readonly conv1a = new Conv3d(3, 64, 3, { padding: 1 })
  readonly fc6 = new Linear(8192, 4096)
  readonly fc7 = new Linear(4096, 4096)
  readonly fc8 = new Linear(4096, 101)

  /** `[N, 3, 16, 112, 112]` → `[N, 64, 16, 56, 56]`. The largest of ReLUs is the ReLU of the largest. */
  stem(clip: Tensor): Tensor {
    return maxPool3d(this.conv1a.forward(clip), [1, 2, 2], { stride: [1, 2, 2] }).relu_()
  }

  classify(x: Tensor): Tensor {
    const hidden = this.fc6.forward(x.flatten({ startDim: 1 })).relu_()
    return this.fc8.forward(this.fc7.forward(hidden).relu_())
  }
}

/** C3D in float32. */
export class C3d extends Module {
  readonly convs = LAYERS.map(([, from, to]) => new Conv3d(from, to, 3, { padding: 1 }))

  constructor(readonly ends: C3dEnds) {
    super()
  }

  forward(clip: Tensor): Tensor {
    let x = this.ends.stem(clip)
    for (const [i, [name]] of LAYERS.entries()) {
      x = (this.convs[i] as Conv3d).forward(x).relu_()
      if (pooled(name)) x = pool(x, name)
    }
    return this.ends.classify(x)
  }
}

/** Sign with a bias, convolution of signs, batch norm, shortcut, bias, PReLU, bias. */
class BinaryBlock extends Module {
  readonly conv: BinaryConv3d
  readonly norm: BatchNorm3d
  readonly bias1: Parameter
  readonly act: PReLU
  readonly bias2: Parameter

  constructor(
    readonly inputs: number,
    readonly outputs: number,
  ) {
    super()
    this.conv = new BinaryConv3d(inputs, outputs, 3, { padding: 1 })
    this.norm = new BatchNorm3d(outputs).eval()
    const random = (count: number) => rand([count]).sub(0.5)
    this.conv.bias?.detach().copy_(random(inputs))
    this.norm.runningMean?.copy_(random(outputs))
    this.norm.runningVar?.copy_(random(outputs).add(1))
    this.bias1 = parameter(random(outputs))
    this.act = new PReLU({ numParameters: outputs })
    this.bias2 = parameter(random(outputs))
  }

  /** In LibTorch's operators. */
  forward(x: Tensor): Tensor {
    const { weight, bias } = this.conv
    const alpha = weight.abs().mean({ dim: [1, 2, 3, 4], keepdim: true })
    const moved = bias ? x.add(perChannel(bias)) : x
    const y = this.norm.forward(conv3d(signs(moved), signs(weight).mul(alpha), { padding: 1 }))
    const shortcut = this.inputs === this.outputs ? x : cat([x, x], { dim: 1 })
    return this.act.forward(y.add_(shortcut).add_(perChannel(this.bias1))).add_(perChannel(this.bias2))
  }

  pack(): PackedBinaryConv3d {
    const { norm, bias1, bias2 } = this
    return this.conv.toPacked({ norm, bias1, slope: this.act.weight, bias2 })
  }
}

/** 1-bit C3D in float32 operators: the arithmetic that the packed network has to agree with. */
export class BinaryC3d extends Module {
  readonly blocks = LAYERS.map(([, from, to]) => new BinaryBlock(from, to))

  constructor(readonly ends: C3dEnds) {
    super()
  }

  forward(clip: Tensor): Tensor {
    let x = this.ends.stem(clip)
    for (const [i, [name]] of LAYERS.entries()) {
      x = (this.blocks[i] as BinaryBlock).forward(x)
      if (pooled(name)) x = pool(x, name)
    }
    return this.ends.classify(x)
  }

  pack(): PackedC3d {
    return new PackedC3d(
      this.ends,
      this.blocks.map((block) => block.pack()),
    )
  }
}

/**
 * 1-bit C3D on packed bits. A layer hands bits to the next one, and floats to its shortcut and to pools. The first layer
 * is a convolution of images whose channels are those of three frames: channels last, it is twice as fast as one of
 * volumes, and leaves the floats as packing and pools read them.
 */
export class PackedC3d extends Module {
  readonly #stemWeight: Tensor

  constructor(
    readonly ends: C3dEnds,
    readonly convs: readonly PackedBinaryConv3d[],
  ) {
    super()
    const frames = ends.conv1a.weight.detach().transpose(1, 2).reshape([64, 9, 3, 3])
    this.#stemWeight = frames.contiguous({ memoryFormat: 'channels_last' })
  }

  #stem(clip: Tensor): Tensor {
    const [n = 1, , t = 1, h = 1, w = 1] = clip.shape
    const windows = pad(clip, [0, 0, 0, 0, 1, 1]).unfold(2, 3, 1).permute([0, 2, 5, 1, 3, 4])
    const images = windows.reshape([n * t, 9, h, w]).contiguous({ memoryFormat: 'channels_last' })
    const y = conv2d(images, this.#stemWeight, { bias: this.ends.conv1a.bias, padding: 1 })
    const small = maxPool2d(y, 2).relu_()
    return small.reshape([n, t, ...small.shape.slice(1)]).transpose(1, 2)
  }

  forward(clip: Tensor): Tensor {
    let x = this.#stem(clip)
    let bits: Tensor | undefined
    for (const [i, conv] of this.convs.entries()) {
      const name = LAYERS[i]?.[0] ?? ''
      const direct = !pooled(name)
      const nextBias = direct ? this.convs[i + 1]?.bias : null
      const made = conv.forward(bits ?? x, { residual: x, nextBias, returns: direct ? 'both' : 'output' })
      bits = made.bits
      x = made.output as Tensor
      if (!direct) x = pool(x, name)
    }
    return this.ends.classify(x)
  }
}

function perChannel(values: Tensor): Tensor {
  return values.reshape([1, -1, 1, 1, 1])
}

function signs(values: Tensor): Tensor {
  return where(values.ge(0), ones([]), scalarTensor(-1))
}
