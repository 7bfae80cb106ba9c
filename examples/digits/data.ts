import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import { affineGridGenerator, gridSampler, rand, stack, type Tensor, tensor } from '@lab/vision-native'
import { stratifiedSplit, TensorDataset } from '@lab/vision-native/data'

const FILE = new URL('../data/digits.csv.gz', import.meta.url)

/** UCI's handwritten digits: 1,797 grey images of 8 × 8 in 0–16, split so that both parts hold all classes alike. */
export async function loadDigits({ testShare, seed }: { testShare: number; seed: number }) {
  const rows = gunzipSync(await readFile(FILE))
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number))
  const labels = rows.map((row) => row[64] ?? -1)
  const images = tensor(
    rows.flatMap((row) => row.slice(0, 64)),
    { shape: [rows.length, 1, 8, 8] },
  ).div(16)
  const all = new TensorDataset(images, tensor(labels.map(BigInt)))
  const [train, test] = stratifiedSplit(all, labels, { fractions: [1 - testShare, testShare], seed })
  return { train, test }
}

/** Turns each image by up to 10°, scales it by up to 10 % and moves it by up to half a pixel. */
export function augment(images: Tensor): Tensor {
  const [count = 0] = images.shape
  const uniform = (most: number) =>
    rand([count], { device: images.device })
      .mul(2 * most)
      .sub(most)
  const [angle, scale, dx, dy] = [uniform(Math.PI / 18), uniform(0.1).add(1), uniform(0.125), uniform(0.125)]
  const [cos, sin] = [angle.cos().mul(scale), angle.sin().mul(scale)]
  const rows = [stack([cos, sin.neg(), dx], { dim: 1 }), stack([sin, cos, dy], { dim: 1 })]
  const grid = affineGridGenerator(stack(rows, { dim: 1 }), [...images.shape], false)
  return gridSampler(images, grid, 0, 0, false)
}
