// StyleGAN2 with the names of rosinality's stylegan2-pytorch, whose filters for enlarging hold the factor 4 of the zeros.
import { Layout, type LayoutChange, type LayoutRule, layer, leading } from './layout'

/** Filters before a larger size are multiplied by the pixels that each one becomes. */
const ENLARGING: LayoutChange = {
  toPublished: (own) => own.mul(4),
  fromPublished: (published) => published.div(4),
}

/** A bias `[C]` that is published as `[1, C, 1, 1]`. */
const AS_IMAGE: LayoutChange = {
  toPublished: (own) => own.reshape([1, -1, 1, 1]),
  fromPublished: (published) => published.flatten(),
}

function modulated(own: string, published: string): LayoutRule[] {
  return [
    [`${own}.weight`, `${published}.conv.weight`, leading(1)],
    ...layer(`${own}.affine`, `${published}.conv.modulation`),
  ]
}

/** @param noise the number of its stored noise @param kernel where its filter is published, if it is */
function styled(own: string, published: string, noise: number, kernel: string | null): LayoutRule[] {
  const filter = `${own}.resample_filter`
  return [
    ...modulated(own, published),
    [`${own}.bias`, `${published}.activate.bias`],
    [`${own}.noise_strength`, `${published}.noise.weight`, leading(1)],
    [`${own}.noise_const`, `noises.noise_${noise}`, leading(2)],
    kernel === null ? [filter, null] : [filter, kernel, ENLARGING],
  ]
}

function colours(own: string, published: string): LayoutRule[] {
  return [...modulated(own, published), [`${own}.bias`, `${published}.bias`, AS_IMAGE]]
}

/** Sides after the first, up to the largest published. */
const SIDES = [8, 16, 32, 64, 128, 256, 512, 1024]

/** `StyleGAN2Generator` without labels; the average of w is published beside the state, as `latent_avg`. */
export const STYLEGAN2_ROSINALITY = new Layout('stylegan2-rosinality', [
  ...Array.from({ length: 8 }, (_, i) => layer(`mapping.fc${i}`, `style.${i + 1}`)).flat(),
  ['mapping.w_avg', null],
  ['synthesis.b4.const', 'input.input', leading(1)],
  ['synthesis.b4.resample_filter', null],
  ...styled('synthesis.b4.conv1', 'conv1', 0, null),
  ...colours('synthesis.b4.torgb', 'to_rgb1'),
  ...SIDES.flatMap((side, i): LayoutRule[] => {
    const own = `synthesis.b${side}`
    return [
      ...styled(`${own}.conv0`, `convs.${2 * i}`, 2 * i + 1, `convs.${2 * i}.conv.blur.kernel`),
      ...styled(`${own}.conv1`, `convs.${2 * i + 1}`, 2 * i + 2, null),
      ...colours(`${own}.torgb`, `to_rgbs.${i}`),
      [`${own}.resample_filter`, `to_rgbs.${i}.upsample.kernel`, ENLARGING],
    ]
  }),
])

function discriminator(resolution: number): Layout {
  const blocks = Array.from({ length: Math.log2(resolution) - 2 }, (_, i) => ({
    own: `b${resolution / 2 ** i}`,
    published: `convs.${i + 1}`,
  }))
  const unfiltered = (own: string, published: string): LayoutRule[] => [
    [`${own}.weight`, `${published}.0.weight`],
    [`${own}.bias`, `${published}.1.bias`],
    [`${own}.resample_filter`, null],
  ]
  return new Layout(`stylegan2-discriminator-${resolution}-rosinality`, [
    ...unfiltered(`b${resolution}.fromrgb`, 'convs.0'),
    ...blocks.flatMap(({ own, published }): LayoutRule[] => [
      [`${own}.resample_filter`, null],
      ...unfiltered(`${own}.conv0`, `${published}.conv1`),
      [`${own}.conv1.resample_filter`, `${published}.conv2.0.kernel`],
      [`${own}.conv1.weight`, `${published}.conv2.1.weight`],
      [`${own}.conv1.bias`, `${published}.conv2.2.bias`],
      [`${own}.skip.resample_filter`, `${published}.skip.0.kernel`],
      [`${own}.skip.weight`, `${published}.skip.1.weight`],
    ]),
    ...unfiltered('b4.conv', 'final_conv'),
    ...layer('b4.fc', 'final_linear.0'),
    ...layer('b4.out', 'final_linear.1'),
  ])
}

/** `StyleGAN2Discriminator` of images of 256; its blocks are numbered from the largest size. */
export const STYLEGAN2_DISCRIMINATOR_256_ROSINALITY = discriminator(256)
export const STYLEGAN2_DISCRIMINATOR_1024_ROSINALITY = discriminator(1024)
