// Where the evidence is, over the frame: red speaks for forward, blue for backward.
import { functional as F } from '../../../nn'
import { dequantiseFlow } from '../../../ops'
import { cat, full, stack, type Tensor, tidy } from '../../../tensor'
import { drawFlowArrows } from '../../../vision'
import type { Localisation } from './predict'

/** Heat this far from ½ is important. */
export const IMPORTANT = 0.2

/** How much of the colour covers the frame. */
const COVER = 0.5
const ARROW_STEP = 16
/** Drawn pixels for a pixel of motion, so that arrows of two pictures compare. */
const ARROW_SCALE = 3

/** Heat of the whole frame, `[H, W]`: that of the crop at its place, and 0.5 outside. */
export function heatOfFrame({ heat, at, size, frame }: Localisation): Tensor {
  return tidy(() => {
    const large = F.interpolate(heat.unsqueeze(0).unsqueeze(0), { size: [...size], mode: 'bilinear' })
    const whole = full([...frame], 0.5, { device: heat.device })
    whole.narrow(0, at[0], size[0]).narrow(1, at[1], size[1]).copy_(large.squeeze(0).squeeze(0))
    return whole
  })
}

/** Blue over white to red for 0 over 0.5 to 1: `[H, W]` → `[3, H, W]` in 0–1. */
export function blueWhiteRed(heat: Tensor): Tensor {
  return tidy(() => {
    const value = heat.clamp({ min: 0, max: 1 })
    const [below, above] = [value.mul(2).clamp({ max: 1 }), value.neg().add(1).mul(2).clamp({ max: 1 })]
    return stack([below, below.minimum(above), above])
  })
}

/**
 * The frame in grey under the colours of the evidence, with arrows of its flow.
 *
 * @param colour `[3, H, W]` uint8
 * @param bytes flow `[2, H, W]` of the frame in bytes, or undefined for no arrows
 */
export async function evidencePicture(
  colour: Tensor,
  place: Localisation | undefined,
  bytes: Tensor | undefined,
  bound: number,
): Promise<Tensor<'uint8'>> {
  const blended = tidy(() => {
    const picture = colour.to('float32').div(255)
    if (place === undefined) return picture.mul(255).round().to('uint8')
    const grey = picture.mean({ dim: [0], keepdim: true })
    const colours = blueWhiteRed(heatOfFrame(place)).to(colour.device)
    const mixed = cat([grey, grey, grey])
      .mul(1 - COVER)
      .add(colours.mul(COVER))
    return mixed.mul(255).round().to('uint8')
  })
  if (bytes === undefined) return blended as Tensor<'uint8'>
  // A byte of 128 stands for no motion, and means 0.04 px by the formula.
  const flow = tidy(() => dequantiseFlow(bytes, bound).mul(bytes.ne(128)))
  try {
    return await drawFlowArrows(blended, flow, { step: ARROW_STEP, scale: ARROW_SCALE })
  } finally {
    blended.dispose()
    flow.dispose()
  }
}
