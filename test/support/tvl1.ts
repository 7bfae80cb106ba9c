import { type Tensor, tensor } from '../../lib/tensor'
import { type Field, field } from './tvl1-reference'

/** Numbers in [0, 1) from a seed (xorshift32): tests must see the same images everywhere. */
export function randomNumbers(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b9) | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** Normal numbers by Box and Muller. */
export function normalNumbers(seed: number): () => number {
  const uniform = randomNumbers(seed)
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}

/** Grey level of a texture at any position, fractions included. */
export type Texture = (x: number, y: number) => number

/**
 * A smooth random texture: the waves that white noise has left after a Gaussian of `sigma` px. Mean 127, standard
 * deviation 45. Being a function, it can be moved by any shift without interpolation.
 */
export function texture(sigma: number, seed: number, waves = 150): Texture {
  const normal = normalNumbers(seed)
  const spread = 1 / (2 * Math.SQRT2 * Math.PI * sigma)
  const list = Array.from({ length: waves }, () => [normal() * spread, normal() * spread, normal() * 10] as const)
  return (x, y) => {
    let sum = 0
    for (const [fx, fy, phase] of list) sum += Math.cos(2 * Math.PI * (fx * x + fy * y) + phase)
    return 127 + (45 * sum) / Math.sqrt(waves / 2)
  }
}

export interface Pair {
  readonly first: Field
  readonly second: Field
}

/** A texture and the same moved by (u, v): to the right and down when they are positive. */
export function shifted(surface: Texture, width: number, height: number, u: number, v: number): Pair {
  return { first: field(width, height, surface), second: field(width, height, (x, y) => surface(x - u, y - v)) }
}

/** Rounds through float32, so that reference and kernel see the same image. */
export function asFloat32(f: Field): Field {
  return { ...f, data: Float64Array.from(f.data, (value) => Math.fround(value / 255) * 255) }
}

/** Fields as `[N, H, W]` float32. */
export function stack(fields: readonly Field[], scale = 1): Tensor {
  const [{ width, height }] = fields as [Field]
  const data = new Float32Array(fields.length * width * height)
  fields.forEach((f, n) => {
    for (let i = 0; i < f.data.length; i++) data[n * width * height + i] = (f.data[i] as number) * scale
  })
  return tensor(data, { shape: [fields.length, height, width] })
}

/** Grey levels 0–255 as the float32 frames in 0–1 that the operator takes. */
export function frames(...images: Field[]): Tensor {
  return stack(images, 1 / 255)
}

/** Plane `index` of a contiguous `[…, H, W]` tensor. */
export function plane(t: Tensor, index: number): Field {
  const [height, width] = t.shape.slice(-2) as [number, number]
  const data = t.dataSync() as Float32Array
  return { width, height, data: Float64Array.from(data.subarray(index * width * height, (index + 1) * width * height)) }
}

/** u and v of pair `n` of a flow `[N, 2, H, W]`. */
export function flowOf(flow: Tensor, n = 0): { u: Field; v: Field } {
  return { u: plane(flow, 2 * n), v: plane(flow, 2 * n + 1) }
}

export function largestDifference(a: Field, b: Field): number {
  return a.data.reduce((most, value, i) => Math.max(most, Math.abs(value - (b.data[i] as number))), 0)
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] as number
  return sum / values.length
}

/** The bytes of a tensor, for comparisons bit by bit. */
export function bits(t: Tensor): Uint8Array {
  const data = t.dataSync() as Float32Array
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
