import { ArgumentError } from '../native/errors'
import { tensor } from '../tensor/creation'
import { stack } from '../tensor/ops.generated'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import { checkFlow } from './check-flow'

/**
 * Steps between the six primary hues of Middlebury's wheel: red to yellow, yellow to green, green to cyan, cyan to blue,
 * blue to magenta, magenta to red. There are more where the eye tells hues apart best.
 */
const TRANSITIONS = [
  { steps: 15, channel: 1, rising: true },
  { steps: 6, channel: 0, rising: false },
  { steps: 4, channel: 2, rising: true },
  { steps: 11, channel: 1, rising: false },
  { steps: 13, channel: 0, rising: true },
  { steps: 6, channel: 2, rising: false },
] as const

/** Vectors longer than the largest are shown at this share of their hue's brightness. */
const OUT_OF_RANGE = 0.75

/** The 55 hues of the wheel as `[55, 3]` of red, green and blue in 0–255; the first is red. */
export function middleburyWheel(): readonly (readonly number[])[] {
  const colour = [255, 0, 0]
  return TRANSITIONS.flatMap(({ steps, channel, rising }) => {
    const hues = Array.from({ length: steps }, (_, step) => {
      const level = Math.floor((255 * step) / steps)
      return colour.with(channel, rising ? level : 255 - level)
    })
    colour[channel] = rising ? 255 : 0
    return hues
  })
}

export interface FlowColourOptions {
  /** Length in pixels that is shown at full saturation; the longest known vector unless stated. */
  readonly maxLength?: number | undefined
  /** `[H, W]` bool, false where the flow is unknown and shown black. NaN and |value| > 1e9 are unknown always. */
  readonly valid?: Tensor | undefined
}

/**
 * Shows a flow by Middlebury's colour code (Baker et al., IJCV 2011): hue says the direction (right red, down yellow,
 * left blue, up violet), saturation the length; zero is white, unknown black, and vectors longer than `maxLength` dark.
 *
 * @param flow `[2, H, W]` floating point in pixels
 * @returns `[3, H, W]` uint8 on the device of the flow
 * @throws ShapeError, DTypeError when flow and mask are none
 * @throws ArgumentError when `maxLength` is not positive
 */
export function flowToColour(flow: Tensor, { maxLength, valid }: FlowColourOptions = {}): Tensor<'uint8'> {
  checkFlow('flowToColour', flow, valid)
  if (maxLength !== undefined && !(maxLength > 0 && maxLength < Number.POSITIVE_INFINITY)) {
    throw new ArgumentError(`flowToColour: maxLength is ${maxLength}; it must be a positive number of pixels`)
  }
  return tidy(() => {
    const [u, v] = flow.detach().to('float32').unbind() as [Tensor, Tensor]
    const readable = u.abs().le(1e9).logicalAnd(v.abs().le(1e9))
    const known = valid === undefined ? readable : readable.logicalAnd(valid)
    const length = u.hypot(v).where(known, 0)
    const radius = length.div(maxLength ?? longest(length))
    const hue = hueOf(u.where(known, 0), v.where(known, 0))
    const saturated = radius.mul(hue.neg().add(255)).neg().add(255)
    const colour = saturated.where(radius.le(1), hue.mul(OUT_OF_RANGE))
    return colour.floor().where(known, 0).to('uint8') as Tensor<'uint8'>
  })
}

/** The largest length, or 1 for a flow of zeros. */
function longest(length: Tensor): Tensor {
  const largest = length.amax()
  return largest.where(largest.gt(0), 1)
}

/** Fully saturated colour `[3, H, W]` of each direction, between the two neighbours on the wheel. */
function hueOf(u: Tensor, v: Tensor): Tensor {
  const wheel = wheelOn(u.device)
  const hues = wheel.size(1)
  // The angle of the opposite vector goes from −180° to 180°, the position from the first hue to the last. The published
  // code ends one hue short of red, so motion a little above "right" is (255, 0, 43): kept, for equal pictures.
  const position = v
    .neg()
    .atan2(u.neg())
    .div(Math.PI)
    .add(1)
    .mul((hues - 1) / 2)
  const below = position.floor()
  const share = position.sub(below)
  const index = below.to('int64')
  const next = index.add(1).remainder(hues)
  const channel = (c: number) => {
    const colours = wheel.select(0, c)
    return colours.take(index).mul(share.neg().add(1)).add(colours.take(next).mul(share))
  }
  return stack([channel(0), channel(1), channel(2)])
}

/** The wheel as `[3, 55]` float32. */
function wheelOn(device: Device): Tensor {
  return tensor(middleburyWheel(), { device }).transpose(0, 1)
}
