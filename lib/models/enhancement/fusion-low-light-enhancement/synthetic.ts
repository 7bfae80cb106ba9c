// A made-up scene in closed form, dark and noisy: what the method is to find out is known.
import { type Tensor, tensor } from '../../../tensor'

/** Red, green and blue of the scene at each pixel of a square picture: `[3, n, n]` in 0–1. */
export function scene(n: number): Tensor<'float32'> {
  const light = (x: number, y: number): number => {
    if (x < 0.5 && y < 0.5) return 0.25 + 0.5 * (Math.floor((x * n) / 4 + 1e-9) % 2)
    if (x >= 0.5 && y < 0.5) return 0.2 + 0.2 * y + ((x - 0.75) ** 2 + (y - 0.25) ** 2 < 0.03 ? 0.5 : 0)
    return x < 0.5 ? 0.3 + 0.4 * (checker(x * n, y * n) % 2) : 0.2 + 0.6 * x * y
  }
  const checker = (column: number, row: number) => Math.floor(column / 8 + 1e-9) + Math.floor(row / 8 + 1e-9)
  const planes: [number[], number[], number[]] = [[], [], []]
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const [x, y] = [column / n, row / n]
      const l = light(x, y)
      planes[0].push(0.95 * l)
      planes[1].push(0.8 * l + 0.1 * x)
      planes[2].push(0.6 * l + 0.2 * (1 - y))
    }
  }
  return tensor(planes.flat(), { shape: [3, n, n], dtype: 'float32' })
}

/** Normal numbers that a seed decides on every machine: `[3, n, n]`. */
export function noise(n: number, seed: number): Tensor<'float32'> {
  const count = 3 * n * n
  const uniform = (i: number): number => {
    let a = (Math.imul(i, 2654435761) + seed) >>> 0
    for (let round = 0; round < 2; round++) a = Math.imul(a ^ (a >>> 16), 0x45d9f3b) >>> 0
    return (((a ^ (a >>> 16)) >>> 0) + 0.5) / 2 ** 32
  }
  const normal = (j: number) => Math.sqrt(-2 * Math.log(uniform(j))) * Math.cos(2 * Math.PI * uniform(count + j))
  return tensor(
    Array.from({ length: count }, (_, j) => normal(j)),
    { shape: [3, n, n], dtype: 'float32' },
  )
}

/** A picture of the synthetic data set. */
export interface SyntheticPicture {
  /** `[3, n, n]` in 0–1. */
  readonly dark: Tensor<'float32'>
  /** What the dark picture would be without noise, in good light. */
  readonly bright: Tensor<'float32'>
}

/** The scene and its mirror images at a fifth of its brightness, with noise of σ = 2/255. */
export function syntheticPicture(index: number, n: number): SyntheticPicture {
  const base = scene(n)
  const turned = [base, base.flip([2]), base.flip([1]), base.transpose(1, 2)][index % 4] as Tensor<'float32'>
  const dark = turned
    .mul(0.2)
    .add(noise(n, 100 + index).mul(2 / 255))
    .clamp({ min: 0, max: 1 })
  return { dark: dark as Tensor<'float32'>, bright: turned.clone() as Tensor<'float32'> }
}
