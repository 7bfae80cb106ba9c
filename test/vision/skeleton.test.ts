import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { connectedComponents } from '../../lib/ops'
import { type Tensor, tensor, tidy, zeros } from '../../lib/tensor'
import { skeletonize3d } from '../../lib/vision'

const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]
const skeletonLength = (volume: Tensor) => Number(skeletonize3d(volume).sum().item())

/** By tools/reference/skeleton3d.py. */
const REFERENCE: { shape: number[]; cases: { mask: string; skeleton: string }[] } = JSON.parse(
  readFileSync(new URL('../fixtures/vision/skeleton3d.json', import.meta.url), 'utf8'),
)

function unpacked(hex: string, shape: readonly number[]): Tensor {
  const bytes = Buffer.from(hex, 'hex')
  const count = shape.reduce((product, size) => product * size, 1)
  return tensor(
    Uint8Array.from({ length: count }, (_, i) => ((bytes[i >> 3] ?? 0) >> (7 - (i & 7))) & 1),
    { shape },
  )
}

describe('skeletons', () => {
  test.each(REFERENCE.cases)('are those of scikit-image, and one voxel of each piece that it loses', (one) => {
    tidy(() => {
      const [mask, reference] = [unpacked(one.mask, REFERENCE.shape), unpacked(one.skeleton, REFERENCE.shape)]
      const found = skeletonize3d(mask)
      expect(found.dtype).toBe('bool')
      const pieces = (x: Tensor) => Number(connectedComponents(x, { connectivity: 26 }).count.item())
      expect(pieces(found)).toBe(pieces(mask))
      expect(numbers(found.logicalAnd(reference.ne(0)))).toEqual(numbers(reference))
      const more = numbers(found.sum())[0] ?? 0
      expect(more - (numbers(reference.sum())[0] ?? 0)).toBe(pieces(mask) - pieces(reference))
    })
  })

  test('keep rings, cavities and pieces, and thin what is thick', () => {
    tidy(() => {
      const shape = [9, 25, 25]
      const place = (i: number) => [Math.floor(i / 625) - 4, (Math.floor(i / 25) % 25) - 12, (i % 25) - 12] as const
      const where = (rule: (z: number, y: number, x: number) => boolean) =>
        tensor(
          Uint8Array.from({ length: 9 * 625 }, (_, i) => (rule(...place(i)) ? 1 : 0)),
          { shape },
        )
      const ring = where((z, y, x) => (Math.hypot(y, x) - 8) ** 2 + z ** 2 <= 6)
      const thin = skeletonize3d(ring)
      const length = Number(thin.sum().item())
      expect(length).toBeGreaterThan(40)
      expect(length).toBeLessThan(60)
      // Every voxel of a closed line has two neighbours.
      const values = numbers(thin)
      const neighbours = values.flatMap((value, i) => {
        if (value === 0) return []
        const [z, y, x] = place(i)
        return [
          values.filter((other, j) => {
            if (other === 0 || j === i) return false
            const [a, b, c] = place(j)
            return Math.max(Math.abs(a - z), Math.abs(b - y), Math.abs(c - x)) === 1
          }).length,
        ]
      })
      expect(Math.min(...neighbours)).toBe(2)
      const ball = where((z, y, x) => Math.hypot(z, y, x) <= 4)
      expect(skeletonLength(ball)).toBeLessThanOrEqual(2)
      expect(skeletonLength(where(() => false))).toBe(0)
      expect(() => skeletonize3d(zeros([3, 3]))).toThrow(/the mask is \[D, H, W\]/)
    })
  })
})
