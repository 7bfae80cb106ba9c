import { type DType, type Tensor, tensor } from '../../../lib/tensor'

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0
  return hash
}

/** Numbers in [−1, 1) that a name decides, `h(name, 0) … h(name, count − 1)` of the card. */
export function hashNoise(name: string, count: number): Float64Array {
  const seed = fnv1a(name)
  return Float64Array.from({ length: count }, (_, i) => {
    let a = (Math.imul(i, 2654435761) + seed) >>> 0
    for (let round = 0; round < 2; round++) a = Math.imul(a ^ (a >>> 16), 0x45d9f3b) >>> 0
    return ((a ^ (a >>> 16)) >>> 0) / 2 ** 31 - 1
  })
}

export function hashTensor(name: string, shape: readonly number[], dtype: DType = 'float32'): Tensor {
  const count = shape.reduce((product, size) => product * size, 1)
  return tensor(hashNoise(name, count), { shape, dtype })
}
