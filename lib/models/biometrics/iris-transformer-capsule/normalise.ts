// Pictures of eyes and strips → strips as the network is trained on.
import { ShapeError } from '../../../native/errors'
import { functional as F } from '../../../nn'
import type { RunOptions } from '../../../pipeline'
import { cat, type Tensor, tidy, tidyAsync } from '../../../tensor'
import type { Config } from './config'
import { enhanceStrip } from './enhance'
import type { Parabola } from './eyelids'
import { rubberSheet, rubberSheetPoints } from './rubber-sheet'
import { IrisSegmenter, type Segmentation } from './segment'
import { specularMask } from './specular'

/** An iris as it is compared. */
export interface NormalisedIris {
  /** `[H, W]` uint8: from pupil (above) to sclera, around the pupil. */
  readonly strip: Tensor<'uint8'>
  /** `[H, W]` bool: seen, and neither lid nor highlight. The network does not use it. */
  readonly mask: Tensor
  /** Where it was found; nothing where a strip was given. */
  readonly segmentation: Segmentation | undefined
}

/** Shortest side of an eye's picture. */
const LEAST_SIDE = 48

/** Finds, unrolls and enhances irises. */
export class IrisNormaliser implements Disposable {
  readonly #segmenter: IrisSegmenter

  constructor(readonly config: Pick<Config, 'normalisation' | 'input'>) {
    this.#segmenter = new IrisSegmenter(config.normalisation)
  }

  /**
   * @param image `[3, H, W]` float32 in 0–1: an eye, or a strip
   * @throws ShapeError when the picture is too small; ArgumentError when no iris is found in it; CancelledError
   */
  run(image: Tensor, options: Pick<RunOptions, 'signal'> = {}): Promise<NormalisedIris> {
    return tidyAsync(async () => {
      const [, height = 0, width = 0] = image.shape
      const { kind } = this.config.input
      const grey = channelOf(image, this.config.normalisation.channel)
      if (kind === 'strip' || (kind === 'auto' && width >= 4 * height)) return this.#ofStrip(grey)
      if (Math.min(height, width) < LEAST_SIDE) {
        throw new ShapeError(
          `iris-transformer-capsule: the picture has ${width} × ${height} pixels; that of an eye has at least ${LEAST_SIDE} a side`,
        )
      }
      return this.#ofEye(grey, options)
    })
  }

  #ofStrip(grey: Tensor): NormalisedIris {
    const { height, width } = this.config.normalisation
    return tidy(() => {
      const [rows = 0, columns = 0] = grey.shape
      const sized =
        rows === height && columns === width
          ? grey
          : F.interpolate(grey.reshape([1, 1, rows, columns]), {
              ...{ size: [height, width], mode: 'bilinear', antialias: true },
            }).reshape([height, width])
      return { strip: this.finish(sized), mask: sized.eq(sized), segmentation: undefined }
    })
  }

  async #ofEye(grey: Tensor, options: Pick<RunOptions, 'signal'>): Promise<NormalisedIris> {
    const specular = tidy(() => specularMask(grey))
    const segmentation = await this.#segmenter.run(grey, specular, options)
    const { normalisation } = this.config
    return tidy(() => {
      const points = rubberSheetPoints(segmentation.pupil, segmentation.iris, normalisation)
      const planes = rubberSheet(cat([grey.unsqueeze(0), specular.to('float32').unsqueeze(0)]), points)
      const [strip, light] = planes.unbind() as [Tensor, Tensor]
      const seen = isUncovered(points, segmentation, [grey.size(0), grey.size(1)])
      return { strip: this.finish(strip), mask: seen.logicalAnd(light.lt(0.5)), segmentation }
    })
  }

  /** A raw strip `[H, W]` in 0–1 as the network is trained on. */
  finish(strip: Tensor): Tensor<'uint8'> {
    return this.config.normalisation.enhance
      ? enhanceStrip(strip)
      : tidy(() => strip.clamp({ min: 0, max: 1 }).mul(255).round().to('uint8') as Tensor<'uint8'>)
  }

  [Symbol.dispose](): void {
    this.#segmenter[Symbol.dispose]()
  }
}

function channelOf(image: Tensor, channel: Config['normalisation']['channel']): Tensor {
  const [red, green, blue] = image.unbind() as [Tensor, Tensor, Tensor]
  if (channel === 'grey') return red.mul(0.299).add(green.mul(0.587)).add(blue.mul(0.114))
  return channel === 'red' ? red : green
}

/** Points inside of the picture, below the upper lid and above the lower. */
function isUncovered(points: Tensor, { eyelids }: Segmentation, [height, width]: readonly [number, number]): Tensor {
  const [x, y] = [points.select(-1, 0), points.select(-1, 1)]
  const within = x
    .ge(0)
    .logicalAnd(x.le(width - 1))
    .logicalAnd(y.ge(0))
    .logicalAnd(y.le(height - 1))
  const lid = ({ x0, a, b, c }: Parabola) => {
    const from = x.sub(x0)
    return from.square().mul(a).add(from.mul(b)).add(c)
  }
  const { upper, lower } = eyelids
  const below = upper === undefined ? within : within.logicalAnd(y.gt(lid(upper)))
  return lower === undefined ? below : below.logicalAnd(y.lt(lid(lower)))
}
