// What YOLOv5 is trained for: boxes, objectness and classes at the anchors that fit.
import { ShapeError } from '../../native/errors'
import { functional as F, Module } from '../../nn'
import { cat, noGrad, type Tensor, tensor, zeros } from '../../tensor'
import { boxConvert, completeBoxIouLoss } from '../../vision'
import type { Detect } from './detect'

export interface YOLOv5LossOptions {
  /** Weights of the three parts; default 0.05, 1 and 0.5. */
  readonly box?: number
  readonly objectness?: number
  readonly classes?: number
  /** Weights of positives in objectness and classes; default 1. */
  readonly objectnessPositive?: number
  readonly classesPositive?: number
  /** An anchor fits where no side of the object is so many times the anchor's, or the other way round; default 4. */
  readonly anchorThreshold?: number
  /** Probability spread from the right class over wrong ones; default 0. */
  readonly labelSmoothing?: number
  /** γ of the focal loss; default 0, which is plain cross entropy. */
  readonly focalGamma?: number
}

export interface YOLOv5LossValues {
  /** The weighted sum, times the number of images: what is minimised. */
  readonly total: Tensor
  /** The weighted parts for one image, without gradients. */
  readonly box: Tensor
  readonly objectness: Tensor
  readonly classes: Tensor
}

/** Objects at the anchors and cells of a level which are to find them, a row each. */
export interface LevelTargets {
  readonly image: readonly number[]
  readonly anchor: readonly number[]
  readonly row: readonly number[]
  readonly column: readonly number[]
  readonly label: readonly number[]
  /** Centre from the cell's corner, and size; in cells. */
  readonly box: readonly (readonly [x: number, y: number, width: number, height: number])[]
}

/** Weights of the levels in objectness, the finest first. */
const BALANCE: Readonly<Record<number, readonly number[]>> = { 3: [4, 1, 0.4], 4: [4, 1, 0.25, 0.06] }

/** Directions of the neighbouring cells that may look for an object too: its own, left, up, right, down. */
const NEIGHBOURS = [
  [0, 0],
  [-1, 0],
  [0, -1],
  [1, 0],
  [0, 1],
] as const

export class YOLOv5Loss extends Module {
  readonly options: Required<YOLOv5LossOptions>
  readonly #head: Detect

  /** @param network whose anchors and classes are meant */
  constructor(network: { readonly head: Detect }, options: YOLOv5LossOptions = {}) {
    super()
    this.#head = network.head
    this.options = {
      box: 0.05,
      objectness: 1,
      classes: 0.5,
      objectnessPositive: 1,
      classesPositive: 1,
      anchorThreshold: 4,
      labelSmoothing: 0,
      focalGamma: 0,
      ...options,
    }
  }

  /**
   * @param levels what the network's `forward` gives
   * @param targets `[objects, 6]`: number of the image, class, centre x and y, width, height; the last four in 0–1
   */
  forward(levels: readonly Tensor[], targets: Tensor): YOLOv5LossValues {
    const { options } = this
    const [first] = levels
    if (!first) throw new ShapeError('YOLOv5Loss: there are no levels; give what the network returns')
    const made = { dtype: first.dtype, device: first.device }
    const sums = { box: zeros([], made), objectness: zeros([], made), classes: zeros([], made) }
    for (const [i, found] of this.assign(levels, targets).entries()) {
      const level = levels[i] as Tensor
      const wanted = zeros(level.shape.slice(0, 4), made)
      if (found.image.length > 0) {
        const at = [found.image, found.anchor, found.row, found.column].map((list) => integers(list, first))
        const [centre, size, , classes] = level.at(...at).split([2, 2, 1, this.#head.numClasses], { dim: 1 }) as Four
        const anchors = this.#head.anchors.at(i).indexSelect(0, integers(found.anchor, first))
        const boxes = cat([centre.sigmoid().mul(2).sub(0.5), size.sigmoid().mul(2).square().mul(anchors)], { dim: 1 })
        const aims = tensor(found.box, made)
        const corners = [boxes, aims].map((each) => boxConvert(each, 'cxcywh', 'xyxy')) as [Tensor, Tensor]
        const off = completeBoxIouLoss(...corners)
        sums.box = sums.box.add(off.mean())
        // An anchor's objectness is to be the overlap that it reached; of several objects the last in the list decides.
        const last = integers(lastOfEachCell(found, level.shape), first)
        const reached = off.detach().neg().add(1).clamp({ min: 0 }).indexSelect(0, last)
        const cells = at.map((list) => list.indexSelect(0, last))
        noGrad(() => wanted.setAt(cells, reached))
        if (this.#head.numClasses > 1) {
          sums.classes = sums.classes.add(
            this.#entropy(classes, this.#oneHot(found.label, classes), options.classesPositive),
          )
        }
      }
      const weight = BALANCE[levels.length]?.[i] ?? 1
      const entropy = this.#entropy(level.select(4, 4), wanted, options.objectnessPositive)
      sums.objectness = sums.objectness.add(entropy.mul(weight))
    }
    const [box, objectness, classes] = [
      sums.box.mul(options.box),
      sums.objectness.mul(options.objectness),
      sums.classes.mul(options.classes),
    ]
    const total = box.add(objectness).add(classes).mul(first.size(0))
    return { total, box: box.detach(), objectness: objectness.detach(), classes: classes.detach() }
  }

  /**
   * Where each object is looked for: at every anchor that fits, in its cell and the two nearest neighbours.
   *
   * @returns a list for each level
   */
  assign(levels: readonly Tensor[], targets: Tensor): LevelTargets[] {
    if (targets.ndim !== 2 || targets.size(1) !== 6) {
      throw new ShapeError(
        `YOLOv5Loss: targets have shape [${targets.shape.join(', ')}]; it must be [objects, 6]: image, class, centre x and y, width, height`,
      )
    }
    const objects = targets.detach().to('float64').toArray() as number[][]
    const anchors = this.#head.anchors.detach().to('float64').toArray() as number[][][]
    return levels.map(({ shape }, i) => this.#assignLevel(objects, anchors[i] ?? [], shape[2] ?? 0, shape[3] ?? 0))
  }

  #assignLevel(
    objects: readonly number[][],
    anchors: readonly number[][],
    height: number,
    width: number,
  ): LevelTargets {
    const found: Row[] = []
    for (const [dx, dy] of NEIGHBOURS) {
      for (const [anchor, [anchorWidth = 1, anchorHeight = 1]] of anchors.entries()) {
        for (const [image = 0, label = 0, ...box] of objects) {
          const [x, y, w, h] = scaled(box, width, height)
          const fits = Math.max(ratio(w, anchorWidth), ratio(h, anchorHeight)) < this.options.anchorThreshold
          if (!fits || !isNear(x, dx, width) || !isNear(y, dy, height)) continue
          const column = Math.min(Math.trunc(x + dx / 2), width - 1)
          const row = Math.min(Math.trunc(y + dy / 2), height - 1)
          found.push({ image, anchor, row, column, label, box: [x - column, y - row, w, h] })
        }
      }
    }
    return {
      image: found.map(({ image }) => image),
      anchor: found.map(({ anchor }) => anchor),
      row: found.map(({ row }) => row),
      column: found.map(({ column }) => column),
      label: found.map(({ label }) => label),
      box: found.map(({ box }) => box),
    }
  }

  #oneHot(labels: readonly number[], logits: Tensor): Tensor {
    const { labelSmoothing } = this.options
    return noGrad(() => {
      const wanted = logits
        .detach()
        .mul(0)
        .add(labelSmoothing / 2)
      wanted.setAt([labels.map((_, i) => i), [...labels]], 1 - labelSmoothing / 2)
      return wanted
    })
  }

  #entropy(logits: Tensor, wanted: Tensor, positive: number): Tensor {
    const posWeight = tensor([positive], { dtype: logits.dtype, device: logits.device })
    const entropy = F.binaryCrossEntropyWithLogits(logits, wanted, { posWeight, reduction: 'none' })
    const { focalGamma } = this.options
    if (focalGamma === 0) return entropy.mean()
    const odds = logits.sigmoid()
    const right = wanted.mul(odds).add(wanted.neg().add(1).mul(odds.neg().add(1)))
    const alpha = wanted.mul(0.25).add(wanted.neg().add(1).mul(0.75))
    return entropy.mul(alpha).mul(right.neg().add(1).pow(focalGamma)).mean()
  }
}

type Four = [Tensor, Tensor, Tensor, Tensor]

interface Row {
  readonly image: number
  readonly anchor: number
  readonly row: number
  readonly column: number
  readonly label: number
  readonly box: LevelTargets['box'][number]
}

function scaled([x = 0, y = 0, w = 0, h = 0]: readonly number[], width: number, height: number) {
  return [x * width, y * height, w * width, h * height] as const
}

function ratio(a: number, b: number): number {
  return Math.max(a / b, b / a)
}

/** Whether a centre is nearer to the cell in this direction than to the one opposite, and that cell is in the map. */
function isNear(centre: number, direction: number, cells: number): boolean {
  if (direction === 0) return true
  const distance = direction < 0 ? centre : cells - centre
  return distance > 1 && distance % 1 < 0.5
}

/** Rows of a level of which no later one has the same image, anchor and cell. */
function lastOfEachCell({ image, anchor, row, column }: LevelTargets, shape: readonly number[]): number[] {
  const [, anchors = 0, height = 0, width = 0] = shape
  const cells = new Map<number, number>()
  for (const [i, each] of image.entries()) {
    const cell = ((each * anchors + (anchor[i] ?? 0)) * height + (row[i] ?? 0)) * width + (column[i] ?? 0)
    cells.set(cell, i)
  }
  return [...cells.values()]
}

function integers(list: readonly number[], { device }: Tensor): Tensor {
  return tensor(BigInt64Array.from(list, BigInt), { device })
}
