import sharp from 'sharp'
import { ArgumentError, FormatError } from '../native/errors'
import type { FlowField } from './flow-field'
import { decodePixels } from './image-decode'
import type { SourceBytes } from './source'

/** A step of 1/64 px; 2^15 stands for 0. */
const STEPS = 64
const ZERO = 2 ** 15
const LARGEST = 2 ** 16 - 1

/**
 * KITTI's flow PNG (Menze & Geiger, CVPR 2015): 16-bit RGB with R = 64 u + 2^15, G = 64 v + 2^15, and B = 0 where the
 * flow is unknown.
 *
 * @throws FormatError when the PNG is damaged, too large, or not 16-bit RGB
 */
export async function decodeKitti(source: SourceBytes, maxPixels: number | undefined): Promise<FlowField> {
  const { width, height, samples } = await decodePixels(source, { alpha: false, maxPixels })
  if (!(samples instanceof Uint16Array)) {
    throw new FormatError(
      `${source.name} is an 8-bit PNG; KITTI's flow is a 16-bit RGB PNG. To read a picture, use readImage`,
    )
  }
  const count = width * height
  const vectors = new Float32Array(2 * count)
  const valid = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    if (samples[3 * i + 2] === 0) continue
    vectors[i] = ((samples[3 * i] as number) - ZERO) / STEPS
    vectors[count + i] = ((samples[3 * i + 1] as number) - ZERO) / STEPS
    valid[i] = 1
  }
  return { width, height, vectors, valid }
}

/** The bytes of a KITTI flow PNG. @throws ArgumentError when a known component is outside its ±512 px */
export async function encodeKitti({ width, height, vectors, valid }: FlowField): Promise<Uint8Array> {
  const count = width * height
  const samples = new Uint16Array(3 * count)
  for (let i = 0; i < count; i++) {
    if (valid[i] !== 1) continue
    for (let c = 0; c < 2; c++) {
      const value = vectors[c * count + i] as number
      const level = Math.round(value * STEPS) + ZERO
      if (!(level >= 0 && level <= LARGEST)) {
        throw new ArgumentError(
          `writeFlow: ${c === 0 ? 'u' : 'v'} at x ${i % width}, y ${Math.floor(i / width)} is ${value} px; a KITTI PNG ` +
            'holds −512 to 511.98 px; write a .flo file, or mark it unknown in { valid }',
        )
      }
      samples[3 * i + c] = level
    }
    samples[3 * i + 2] = 1
  }
  return sharp(samples, { raw: { width, height, channels: 3 }, limitInputPixels: false })
    .toColourspace('rgb16')
    .png()
    .toBuffer()
}
