// Where pupil and iris are in the picture of an eye.
import { functional as F } from '../../../nn'
import { type CapturedFunction, capture, type Tensor, tensor, tidyAsync } from '../../../tensor'
import { circleVotes, gaussianFilter, relativeTotalVariation } from '../../../vision'
import { bestCircles, type EyeCircles, radiiOf, STRONGEST_EDGE } from './circles'
import type { Config } from './config'
import { type Eyelids, findEyelids, scaleEyelids } from './eyelids'
import type { Circle } from './rubber-sheet'
import { fillSpecular } from './specular'

/** Circles and eyelids of an eye, in pixels of the picture. */
export interface Segmentation extends EyeCircles {
  readonly eyelids: Eyelids
}

/** Longer side of the picture in which circles are sought. */
const WORKING_SIDE = 240
/** Sizes whose graphs are kept. */
const MOST_GRAPHS = 4

/**
 * Finds irises: highlights are filled, texture is taken away, edges vote for circles; graphs of the sizes of pictures are
 * kept, and run beside the event loop.
 */
export class IrisSegmenter implements Disposable {
  readonly #edges: CapturedFunction<[Tensor, Tensor], Tensor[]>

  constructor(readonly options: Config['normalisation']) {
    this.#edges = capture((grey: Tensor, mask: Tensor) => edgesOf(grey, mask, options))
  }

  /**
   * @param grey `[H, W]` float32 in 0–1
   * @param specular `[H, W]` bool: highlights
   * @throws ArgumentError when there is no circle of an iris with one of a pupil inside; CancelledError
   */
  run(
    grey: Tensor,
    specular: Tensor,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Segmentation> {
    return tidyAsync(async () => {
      if (this.#edges.graphCount >= MOST_GRAPHS) this.#edges.dispose()
      const [height = 0, width = 0] = grey.shape
      const scale = Math.max(1, Math.max(height, width) / WORKING_SIDE)
      const [rows, columns] = [Math.round(height / scale), Math.round(width / scale)]
      const small = (plane: Tensor) =>
        F.interpolate(plane.reshape([1, 1, height, width]), {
          ...{ size: [rows, columns], mode: 'bilinear', antialias: true },
        }).reshape([rows, columns])
      const inputs: [Tensor, Tensor] = [small(grey), small(specular.to('float32')).gt(0.05).to('float32')]
      const [smooth, down, across, votes] = (await this.#edges.run(inputs, options)) as [Tensor, Tensor, Tensor, Tensor]
      const shorter = Math.min(rows, columns)
      const radii = radiiOf(shorter, this.options)
      const circles = await bestCircles({ smooth, down, across, votes }, radii, this.options.least * shorter)
      const eyelids = findEyelids((await down.data()) as Float32Array, columns, circles.pupil, circles.iris)
      const [sx, sy] = [width / columns, height / rows]
      const enlarged = ({ x, y, radius }: Circle): Circle => ({
        x: (x + 0.5) * sx - 0.5,
        y: (y + 0.5) * sy - 0.5,
        radius: radius * Math.sqrt(sx * sy),
      })
      return {
        pupil: enlarged(circles.pupil),
        iris: enlarged(circles.iris),
        contrast: circles.contrast,
        eyelids: scaleEyelids(eyelids, sx, sy),
      }
    })
  }

  [Symbol.dispose](): void {
    this.#edges.dispose()
  }
}

/** The picture without texture, its gradients along y and x, and votes for dark circles. */
function edgesOf(grey: Tensor, mask: Tensor, options: Config['normalisation']): Tensor[] {
  const smooth = relativeTotalVariation(fillSpecular(grey, mask), options)
  const gradient = (order: readonly [0 | 1, 0 | 1]) =>
    gaussianFilter(smooth.unsqueeze(0), { sigma: 1, edge: 'replicate', order }).squeeze(0)
  const [down, across] = [gradient([1, 0]), gradient([0, 1])]
  const weight = down.square().add(across.square()).sqrt().clamp({ max: STRONGEST_EDGE })
  const radii = radiiOf(Math.min(grey.size(0), grey.size(1)), options)
  const around = tensor(radii.map((radius) => 1 / (2 * Math.PI * radius))).to(grey.device)
  const votes = gaussianFilter(circleVotes(down, across, { radii, weight }), { sigma: 1.5 })
  return [smooth, down, across, votes.mul(around.reshape([-1, 1, 1]))]
}
