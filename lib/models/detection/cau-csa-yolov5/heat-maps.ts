// The paper's Fig. 4: where the maps of the network are strong, laid over the picture.
import type { YOLOv5 } from '../../../backbones'
import { functional as F, Upsample } from '../../../nn'
import { keep, noGrad, stack, type Tensor, tidy } from '../../../tensor'
import { isTensor } from '../../../tensor/handle'
import { letterbox } from '../../../vision'
import { CAU } from './cau'
import { CSA } from './csa'

export interface HeatMap {
  /** Such as `model.11, enlarged` or `model.24.csa.0, before`. */
  readonly name: string
  /** `[3, H, W]` float32 in 0–1, the picture with the map over it: red is strong. */
  readonly overlay: Tensor<'float32'>
}

/**
 * Mean magnitude over the channels of each enlarged map of the neck, and of what goes into and comes out of each
 * attention of the head.
 *
 * @param image `[3, H, W]` in 0–1
 * @param size side of the square that it is fitted into
 */
export function heatMaps(model: YOLOv5, image: Tensor, size: number): HeatMap[] {
  const strengths = new Strengths()
  try {
    return tidy(() => {
      const { image: fitted, scale, padding } = letterbox(image, { size, stride: model.strides.at(-1) ?? 1 })
      strengths.record(model, fitted.unsqueeze(0))
      const [left, top] = padding.map(Math.floor) as [number, number]
      const [height, width] = [Math.round(image.size(1) * scale), Math.round(image.size(2) * scale)]
      return [...strengths.maps].map(([name, map]) => {
        const whole = resized(map, fitted.size(1), fitted.size(2))
        const part = whole.narrow(2, top, height).narrow(3, left, width)
        return { name, overlay: overlayOf(image, resized(part, image.size(1), image.size(2)).squeeze(0)) }
      })
    })
  } finally {
    strengths.dispose()
  }
}

/** Mean magnitudes of maps, `[1, 1, h, w]`, by what they are. */
class Strengths {
  readonly maps = new Map<string, Tensor>()

  record(model: YOLOv5, batch: Tensor): void {
    const handles = [...model.namedModules()].flatMap(([name, module]) => {
      if (module instanceof CAU || module instanceof Upsample) {
        return [module.registerForwardHook((_, __, output) => this.#add(`${name}, enlarged`, output))]
      }
      if (!(module instanceof CSA)) return []
      const around = ([input]: readonly unknown[], output: unknown) => {
        this.#add(`${name}, before`, input)
        this.#add(`${name}, after`, output)
      }
      return [module.registerForwardHook((_, inputs, output) => around(inputs, output))]
    })
    try {
      noGrad(() => tidy(() => void model.forward(batch)))
    } finally {
      for (const handle of handles) handle.remove()
    }
  }

  #add(name: string, map: unknown): void {
    if (!isTensor(map)) return
    this.maps.get(name)?.dispose()
    this.maps.set(name, keep((map as Tensor).abs().mean({ dim: [1], keepdim: true })))
  }

  dispose(): void {
    for (const map of this.maps.values()) map.dispose()
  }
}

function resized(map: Tensor, height: number, width: number): Tensor {
  return F.interpolate(map, { size: [height, width], mode: 'bilinear', alignCorners: false })
}

/** From blue over green to red by the map's own range, half transparent. */
function overlayOf(image: Tensor, map: Tensor): Tensor<'float32'> {
  const least = map.amin()
  const strength = map.sub(least).div(map.amax().sub(least).clampMin(1e-12)).squeeze(0)
  const channel = (middle: number) => strength.mul(4).sub(middle).abs().neg().add(1.5).clamp({ min: 0, max: 1 })
  return stack([channel(3), channel(2), channel(1)])
    .add(image)
    .mul(0.5) as Tensor<'float32'>
}
