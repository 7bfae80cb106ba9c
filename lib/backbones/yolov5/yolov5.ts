// YOLOv5 n, s, m, l, x and their forms with a fourth level, with the names of the release.
import { ShapeError } from '../../native/errors'
import { Identity, type Layer, Module, ModuleList, Upsample } from '../../nn'
import { cat, type Tensor, tidy } from '../../tensor'
import type { ImageInput, NetworkEntry } from '../network'
import { C3, ConvBlock, SPPF } from './blocks'
import { Detect, type LevelAnchors } from './detect'
import { type Detections, type DetectionsOptions, suppressPredictions } from './detections'

export interface YOLOv5Options {
  /** Default 80. */
  readonly numClasses?: number
  /** Default 3. */
  readonly inChannels?: number
  /** Anchors in pixels, a list for each level from the finest; those of COCO unless given. */
  readonly anchors?: readonly LevelAnchors[]
  /** Makes each layer that doubles a map of so many channels on the way down; nearest neighbours unless given. */
  readonly upsample?: (channels: number) => Layer
  /** Makes the head, with the arguments of `Detect`, which it is unless given. */
  readonly head?: (...args: ConstructorParameters<typeof Detect>) => Detect
}

/** Factors of the depth and the width of the largest plan. */
interface Scale {
  readonly depth: number
  readonly width: number
}

/** Channels and depths of the levels of stride 2, 4, 8, … */
interface Plan {
  readonly channels: readonly number[]
  readonly depths: readonly number[]
  readonly anchors: readonly LevelAnchors[]
}

const P5: Plan = {
  channels: [64, 128, 256, 512, 1024],
  depths: [0, 3, 6, 9, 3],
  anchors: [
    [
      [10, 13],
      [16, 30],
      [33, 23],
    ],
    [
      [30, 61],
      [62, 45],
      [59, 119],
    ],
    [
      [116, 90],
      [156, 198],
      [373, 326],
    ],
  ],
}

const P6: Plan = {
  channels: [64, 128, 256, 512, 768, 1024],
  depths: [0, 3, 6, 9, 3, 3],
  anchors: [
    [
      [19, 27],
      [44, 40],
      [38, 94],
    ],
    [
      [96, 68],
      [86, 152],
      [180, 137],
    ],
    [
      [140, 301],
      [303, 264],
      [238, 542],
    ],
    [
      [436, 615],
      [739, 380],
      [925, 792],
    ],
  ],
}

/** Anchors of COCO in pixels for three levels, and for four. */
export const YOLOV5_ANCHORS = { three: P5.anchors, four: P6.anchors } as const

/** The first level that boxes are looked for in: that of stride 8. */
const FINEST = 2

/**
 * YOLOv5 (Jocher et al., release 6): a CSP backbone, a pyramid downwards and upwards (PANet, Liu et al., CVPR 2018), and
 * boxes by anchors at three strides or four.
 *
 * Shapes: `[N, 3, H, W]` in 0–1 → for each level `[N, 3, H / stride, W / stride, 5 + numClasses]`, before the sigmoid;
 * `decode` makes boxes of them, `detect` objects.
 *
 * @throws ShapeError (from `forward`) when H or W is no multiple of the largest stride
 */
export class YOLOv5 extends Module {
  /** The layers by the numbers of the release; upsampling and joining have numbers too. */
  readonly model: ModuleList
  readonly strides: readonly number[]
  readonly #down: (readonly Layer[])[] = []
  readonly #lateral: Layer[] = []
  readonly #up: Layer[] = []
  readonly #merge: Layer[] = []
  readonly #shrink: Layer[] = []
  readonly #join: Layer[] = []
  readonly #head: Detect

  constructor(plan: Plan, { depth, width }: Scale, options: YOLOv5Options = {}) {
    super()
    const { numClasses = 80, inChannels = 3, anchors = plan.anchors } = options
    const { upsample = nearest, head = (...args) => new Detect(...args) } = options
    const c = plan.channels.map((channels) => Math.ceil((channels * width) / 8) * 8)
    const at = (level: number): number => c[level] ?? 0
    const repeats = (count: number): number => Math.max(Math.round(count * depth), 1)
    const top = c.length - 1
    this.strides = c.slice(FINEST).map((_, i) => 8 * 2 ** i)
    this.model = new ModuleList()
    const add = <L extends Module>(layer: L): L => {
      this.model.append(layer)
      return layer
    }

    this.#down.push([add(new ConvBlock(inChannels, at(0), 6, 2, 2))])
    for (let k = 1; k <= top; k++) {
      const stage: Layer[] = [
        add(new ConvBlock(at(k - 1), at(k), 3, 2)),
        add(new C3(at(k), at(k), repeats(plan.depths[k] ?? 1))),
      ]
      if (k === top) stage.push(add(new SPPF(at(k), at(k))))
      this.#down.push(stage)
    }
    const merge = (from: number, to: number) => add(new C3(from, to, repeats(3), { shortcut: false }))
    for (let k = top - 1; k >= FINEST; k--) {
      this.#lateral[k] = add(new ConvBlock(at(k + 1), at(k)))
      this.#up[k] = add(upsample(at(k)))
      add(new Identity())
      this.#merge[k] = merge(2 * at(k), at(k))
    }
    for (let k = FINEST; k < top; k++) {
      this.#shrink[k] = add(new ConvBlock(at(k), at(k), 3, 2))
      add(new Identity())
      this.#join[k] = merge(2 * at(k), at(k + 1))
    }
    this.#head = add(head(numClasses, anchors, this.strides, c.slice(FINEST)))
  }

  get head(): Detect {
    return this.#head
  }

  forward(images: Tensor): Tensor[] {
    return this.head.forward(this.pyramid(images))
  }

  /** The maps that boxes are found in, a stride each. */
  pyramid(images: Tensor): Tensor[] {
    this.#checkSize(images)
    return tidy(() => this.#levels(images))
  }

  #levels(images: Tensor): Tensor[] {
    const maps: Tensor[] = []
    let x = images
    for (const stage of this.#down) {
      for (const layer of stage) x = layer.forward(x)
      maps.push(x)
    }
    const top = maps.length - 1
    const laterals: Tensor[] = []
    for (let k = top - 1; k >= FINEST; k--) {
      const lateral = take(this.#lateral, k).forward(x)
      laterals[k] = lateral
      x = take(this.#merge, k).forward(cat([take(this.#up, k).forward(lateral), take(maps, k)], { dim: 1 }))
    }
    const levels = [x]
    for (let k = FINEST; k < top; k++) {
      const joined = cat([take(this.#shrink, k).forward(x), take(laterals, k)], { dim: 1 })
      x = take(this.#join, k).forward(joined)
      levels.push(x)
    }
    return levels
  }

  /** Boxes and probabilities of what `forward` gives: see `Detect.decode`. */
  decode(levels: readonly Tensor[]): Tensor {
    return this.head.decode(levels)
  }

  /** The objects of each image: `forward`, `decode`, and suppression of doubles. */
  detect(images: Tensor, options: DetectionsOptions = {}): Detections[] {
    return tidy(() => suppressPredictions(this.decode(this.forward(images)), options))
  }

  #checkSize({ shape }: Tensor): void {
    const [, , height = 0, width = 0] = shape
    const stride = this.strides.at(-1) ?? 1
    if (shape.length === 4 && height > 0 && width > 0 && height % stride === 0 && width % stride === 0) return
    throw new ShapeError(
      `YOLOv5: the input has shape [${shape.join(', ')}]; it must be [N, C, H, W] with H and W multiples of ${stride}: letterbox the images`,
    )
  }
}

const nearest = () => new Upsample({ scaleFactor: 2, mode: 'nearest' })

function take<T>(list: readonly T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw new RangeError(`YOLOv5: there is no level ${index}`)
  return item
}

const SCALES = {
  n: { depth: 1 / 3, width: 0.25 },
  s: { depth: 1 / 3, width: 0.5 },
  m: { depth: 2 / 3, width: 0.75 },
  l: { depth: 1, width: 1 },
  x: { depth: 4 / 3, width: 1.25 },
} as const satisfies Readonly<Record<string, Scale>>

export const yolov5n = (options?: YOLOv5Options) => new YOLOv5(P5, SCALES.n, options)
export const yolov5s = (options?: YOLOv5Options) => new YOLOv5(P5, SCALES.s, options)
export const yolov5m = (options?: YOLOv5Options) => new YOLOv5(P5, SCALES.m, options)
export const yolov5l = (options?: YOLOv5Options) => new YOLOv5(P5, SCALES.l, options)
export const yolov5x = (options?: YOLOv5Options) => new YOLOv5(P5, SCALES.x, options)
/** With a fourth level, of stride 64, for images of 1280. */
export const yolov5n6 = (options?: YOLOv5Options) => new YOLOv5(P6, SCALES.n, options)
export const yolov5s6 = (options?: YOLOv5Options) => new YOLOv5(P6, SCALES.s, options)
export const yolov5m6 = (options?: YOLOv5Options) => new YOLOv5(P6, SCALES.m, options)
export const yolov5l6 = (options?: YOLOv5Options) => new YOLOv5(P6, SCALES.l, options)
export const yolov5x6 = (options?: YOLOv5Options) => new YOLOv5(P6, SCALES.x, options)

/** Images are letterboxed to squares, so that nothing is cut out. */
const COCO_640 = {
  kind: 'image',
  resize: 640,
  crop: null,
  interpolation: 'bilinear',
  mean: [0, 0, 0],
  std: [1, 1, 1],
} as const satisfies ImageInput

const detector = { task: 'object-detection', input: COCO_640 } as const
const wideDetector = { task: 'object-detection', input: { ...COCO_640, resize: 1280 } } as const

export const YOLOV5S = {
  yolov5n: { create: yolov5n, ...detector },
  yolov5s: { create: yolov5s, ...detector },
  yolov5m: { create: yolov5m, ...detector },
  yolov5l: { create: yolov5l, ...detector },
  yolov5x: { create: yolov5x, ...detector },
  yolov5n6: { create: yolov5n6, ...wideDetector },
  yolov5s6: { create: yolov5s6, ...wideDetector },
  yolov5m6: { create: yolov5m6, ...wideDetector },
  yolov5l6: { create: yolov5l6, ...wideDetector },
  yolov5x6: { create: yolov5x6, ...wideDetector },
} as const satisfies Readonly<Record<string, NetworkEntry<YOLOv5Options>>>
