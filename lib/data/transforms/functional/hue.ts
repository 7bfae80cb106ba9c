import { ArgumentError } from '../../../native/errors'
import { stack, type Tensor, tensor } from '../../../tensor'
import type { Like } from '../kinds'
import { dispatch } from './dispatch'
import { convertPixels } from './dtype'
import { greyOrRgb } from './pixels'

/**
 * Turns all colours around the colour wheel, by way of HSV.
 *
 * @param hueFactor from −0.5 to 0.5 turns; 0 leaves the image as it is
 * @throws ArgumentError for a factor outside of this range
 */
export function adjustHue<T extends Tensor>(input: T, hueFactor: number): Like<T> {
  checkHue('adjustHue: hueFactor', hueFactor)
  return dispatch('adjustHue', input, {
    image(image) {
      if (greyOrRgb('adjustHue', image) === 1 || image.numel === 0) return image
      const { hue, saturation, value } = rgbToHsv(convertPixels(image, 'float32'))
      const turned = hue.add_(hueFactor).remainder_(1)
      return convertPixels(hsvToRgb(turned, saturation, value), image.dtype)
    },
  })
}

/** The factor, if it is at most half a turn. */
export function checkHue(name: string, factor: number): number {
  if (factor >= -0.5 && factor <= 0.5) return factor
  throw new ArgumentError(`${name} is ${factor}; it must be from -0.5 to 0.5 turns of the colour wheel`)
}

interface Hsv {
  readonly hue: Tensor
  readonly saturation: Tensor
  readonly value: Tensor
}

/** Hue in turns, saturation and value, each `[..., H, W]` from 0 to 1. Greys have hue and saturation 0. */
function rgbToHsv(image: Tensor): Hsv {
  const [least, most] = image.aminmax({ dim: -3 })
  const range = most.sub(least)
  const grey = most.eq(least)
  const saturation = range.div(most.maskedFill(grey, 1))
  // How far each channel is from the largest, in parts of the range.
  const distance = most.unsqueeze(-3).sub(image).div(range.maskedFill(grey, 1).unsqueeze(-3))
  const [r, g, b] = [distance.select(-3, 0), distance.select(-3, 1), distance.select(-3, 2)]
  const redLargest = most.eq(image.select(-3, 0))
  const greenLargest = most.eq(image.select(-3, 1))
  const fromBlue = g.add(4).sub_(r)
  const sixths = b.sub(g).where(redLargest, r.add(2).sub_(b).where(greenLargest, fromBlue))
  return {
    hue: sixths
      .mul(1 / 6)
      .add_(1)
      .fmod_(1),
    saturation,
    value: most,
  }
}

/** For each sixth of the wheel which of (value, p, q, t) is red, green and blue. */
const CHANNEL_OF_SECTOR = [
  [0, 2, 1, 1, 3, 0],
  [3, 0, 0, 2, 1, 1],
  [1, 1, 3, 0, 0, 2],
]

function hsvToRgb(hue: Tensor, saturation: Tensor, value: Tensor): Tensor {
  const sixths = hue.mul(6)
  const sector = sixths.floor()
  const part = sixths.sub_(sector).mul_(saturation)
  const unsaturated = saturation.neg().add_(1)
  const shade = (factor: Tensor) => factor.mul(value).clamp_({ min: 0, max: 1 })
  const p = shade(unsaturated)
  const q = shade(part.neg().add_(1))
  const t = shade(part.add(unsaturated))
  const index = sector.to('int64').remainder_(6)
  const channels = CHANNEL_OF_SECTOR.map((places) =>
    tensor(places, { dtype: 'int64', device: hue.device }).indexSelect(0, index.flatten()).reshape(index.shape),
  )
  return stack([value, p, q, t], { dim: -3 }).gather(-3, stack(channels, { dim: -3 }))
}
