import { Module } from '../../../nn'
import { stack, type Tensor } from '../../../tensor'
import { hsvToRgb, rgbToHsv } from '../../../vision'
import { BrightnessNetwork, brightnessCurve } from './brightness'
import type { Config } from './config'
import { GuidedFusion } from './fusion'
import { adjustSaturation, saturationRatio } from './saturation'

/** A picture whose brightness and colours are right; its noise is as bright as it. */
export interface Brightened {
  /** `[B, 3, H, W]` in 0–1. */
  readonly image: Tensor
  /** `[B, 1, H, W]`: 1 where a pixel lost its colour. */
  readonly clamped: Tensor
}

/** The two networks of low-light enhancement: brightness, then fusion with a denoised guide. */
export class LowLightNetworks extends Module {
  readonly brightness: BrightnessNetwork
  readonly fusion = new GuidedFusion()

  constructor(readonly config: Config) {
    super()
    this.brightness = new BrightnessNetwork(config.brightness.input === 'rgb' ? 3 : 1)
  }

  /** Maps of the brightness curve for a picture `[B, 3, H, W]`. */
  curveMaps(image: Tensor): Tensor {
    return this.brightness.forward(
      this.config.brightness.input === 'rgb' ? image : image.amax({ dim: 1, keepdim: true }),
    )
  }

  /** Curve maps and brightened value of a picture `[B, 3, H, W]`. */
  brighten(image: Tensor): { readonly value: Tensor; readonly maps: Tensor } {
    const maps = this.curveMaps(image)
    return { value: brightnessCurve(image.amax({ dim: 1, keepdim: true }), maps), maps }
  }

  /**
   * Brightness and saturation of the upper branch (Fig. 1).
   *
   * @param maps those of `curveMaps`, where they are known
   * @param ratio of `saturationRatio` for the whole picture, where `image` is a part of it
   */
  upperBranch(
    image: Tensor,
    maps?: Tensor,
    ratio: Tensor = saturationRatio(image, this.config.saturationExponent),
  ): Brightened {
    const { ablation } = this.config
    const [hue, saturation, value] = rgbToHsv(image).unbind({ dim: 1 }) as [Tensor, Tensor, Tensor]
    const adjusted = adjustSaturation(image, ratio)
    const s = ablation === 'noSAAB' ? saturation : adjusted.saturation.squeeze(1)
    const v =
      ablation === 'noBAB' ? value : brightnessCurve(value.unsqueeze(1), maps ?? this.curveMaps(image)).squeeze(1)
    return { image: hsvToRgb(stack([hue, s, v], { dim: 1 })), clamped: adjusted.clamped }
  }

  /** The whole method. @param guide the denoised picture, `[B, 3, H, W]` */
  forward(image: Tensor, guide: Tensor): Tensor {
    const { image: noisy } = this.upperBranch(image)
    switch (this.config.ablation) {
      case 'noFM':
        return noisy
      case 'cascade':
        return this.fusion.forward(noisy, noisy).q
      default:
        return this.fusion.forward(noisy, guide).q
    }
  }
}
