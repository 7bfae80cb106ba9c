// The head of YOLOv5: a 1×1 convolution a level, and what its numbers mean as boxes.
import { ShapeError } from '../../native/errors'
import { type Buffer, buffer, Conv2d, Module, ModuleList } from '../../nn'
import { arange, cat, meshgrid, noGrad, stack, type Tensor, tensor, tidy } from '../../tensor'

/** Widths and heights in pixels of the anchors of a level. */
export type LevelAnchors = readonly (readonly [width: number, height: number])[]

export class Detect extends Module {
  /** In cells of each level: `[levels, anchors, 2]`. */
  readonly anchors: Buffer
  readonly m: ModuleList<Conv2d>
  /** Numbers for an anchor: four of the box, objectness, a class each. */
  readonly outputs: number

  constructor(
    readonly numClasses: number,
    anchors: readonly LevelAnchors[],
    readonly strides: readonly number[],
    channels: readonly number[],
  ) {
    super()
    this.outputs = numClasses + 5
    const perLevel = anchors[0]?.length ?? 0
    if (perLevel === 0 || anchors.length !== channels.length || anchors.some(({ length }) => length !== perLevel)) {
      throw new ShapeError(
        `YOLOv5: there are anchors for ${anchors.length} levels, ${anchors.map(({ length }) => length).join(', ')} of them; give the same number of one or more for each of the ${channels.length} levels`,
      )
    }
    const cells = anchors.map((level, i) => level.map(([w, h]) => [w / (strides[i] ?? 1), h / (strides[i] ?? 1)]))
    this.anchors = buffer(tensor(cells))
    this.m = new ModuleList(channels.map((from) => new Conv2d(from, this.outputs * perLevel, 1)))
    this.#reset()
  }

  /** Biases as if eight objects were in an image of 640, and 0.6 of them of a class: Lin et al., ICCV 2017, section 3.3. */
  #reset(): void {
    noGrad(() =>
      tidy(() => {
        for (const [i, { bias }] of [...this.m].entries()) {
          const numbers = bias?.view([-1, this.outputs])
          numbers?.narrow(1, 4, 1).add_(Math.log(8 / (640 / (this.strides[i] ?? 1)) ** 2))
          numbers?.narrow(1, 5, this.numClasses).add_(Math.log(0.6 / (this.numClasses - 0.99999)))
        }
      }),
    )
  }

  /** @returns a level each `[N, anchors, H, W, 5 + numClasses]`, before the sigmoid */
  forward(levels: readonly Tensor[]): Tensor[] {
    return levels.map((level, i) => {
      const y = this.m.at(i).forward(level)
      const [batch = 0, , height = 0, width = 0] = y.shape
      return y.view([batch, -1, this.outputs, height, width]).permute([0, 1, 3, 4, 2]).contiguous()
    })
  }

  /**
   * Boxes in pixels: the centre up to half a cell outside of its own, each side up to four times the anchor's.
   *
   * @param levels what `forward` gives
   * @returns `[N, boxes, 5 + numClasses]`: centre x and y, width, height, objectness and classes as probabilities
   */
  decode(levels: readonly Tensor[]): Tensor {
    return tidy(() =>
      cat(
        levels.map((level, i) => this.#decodeLevel(level, i)),
        { dim: 1 },
      ),
    )
  }

  #decodeLevel(level: Tensor, index: number): Tensor {
    const [batch = 0, anchors = 0, height = 0, width = 0] = level.shape
    const stride = this.strides[index] ?? 1
    const made = { dtype: level.dtype, device: level.device }
    const [y, x] = meshgrid([arange(height, made), arange(width, made)], 'ij') as [Tensor, Tensor]
    const corner = stack([x, y], { dim: 2 }).sub(0.5)
    const anchor = this.anchors.at(index).mul(stride).view([1, anchors, 1, 1, 2])
    const [centre, size, rest] = level.sigmoid().split([2, 2, this.outputs - 4], { dim: 4 }) as [Tensor, Tensor, Tensor]
    const box = [centre.mul(2).add(corner).mul(stride), size.mul(2).square().mul(anchor), rest]
    return cat(box, { dim: 4 }).view([batch, anchors * height * width, this.outputs])
  }
}
