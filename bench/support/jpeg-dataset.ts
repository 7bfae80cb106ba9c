// JPEG files decoded, cropped at random, resized and normalised: what a classifier's training reads. For workers too.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Dataset } from '../../lib/data'
import type { Generator } from '../../lib/tensor'
import { rand, type Tensor, tensor, tidy } from '../../lib/tensor'

export interface JpegOptions {
  readonly folder: string
  readonly size: number
  /** Without the crop: the whole picture. */
  readonly whole?: boolean
}

export interface JpegSample {
  readonly image: Tensor
  readonly label: bigint
}

const MEAN = [0.485, 0.456, 0.406]
const STD = [0.229, 0.224, 0.225]

export default function jpegs({ folder, size, whole = false }: JpegOptions): Dataset<JpegSample> {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.jpg'))
    .sort()
  return {
    length: files.length,
    async get(index, context) {
      const source = sharp(join(folder, files[index] ?? ''), { sequentialRead: true })
      const { width, height } = await source.metadata()
      if (!whole) {
        const box = cropOf(width, height, context?.generator)
        source.extract(box).resize(size, size, { fit: 'fill', kernel: 'linear', fastShrinkOnLoad: false })
      }
      const { data, info } = await source.raw().toBuffer({ resolveWithObject: true })
      const image = tidy(() => {
        const pixels = tensor(data, { shape: [info.height, info.width, 3] }).permute([2, 0, 1])
        const [mean, std] = [tensor(MEAN, { shape: [3, 1, 1] }), tensor(STD, { shape: [3, 1, 1] })]
        return pixels.to('float32').div_(255).sub_(mean).div_(std).contiguous()
      })
      return { image, label: BigInt(index % 10) }
    },
  }
}

/** torchvision's RandomResizedCrop.get_params: 8 to 100 % of the area, aspect 3/4 to 4/3, ten tries, else the centre. */
function cropOf(width: number, height: number, generator: Generator | undefined) {
  const draws = tidy(() => rand([10, 4], { generator }).dataSync()) as Float32Array
  for (let i = 0; i < draws.length; i += 4) {
    const [u, v, x, y] = Array.from(draws.subarray(i, i + 4)) as [number, number, number, number]
    const area = width * height * (0.08 + 0.92 * u)
    const aspect = Math.exp(Math.log(3 / 4) + v * (Math.log(4 / 3) - Math.log(3 / 4)))
    const w = Math.round(Math.sqrt(area * aspect))
    const h = Math.round(Math.sqrt(area / aspect))
    if (w < 1 || h < 1 || w > width || h > height) continue
    return {
      left: Math.floor(x * (width - w + 1)),
      top: Math.floor(y * (height - h + 1)),
      width: w,
      height: h,
    }
  }
  const side = Math.min(width, height)
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), width: side, height: side }
}
