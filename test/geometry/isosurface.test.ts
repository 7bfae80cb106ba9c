import { describe, expect, test } from 'vitest'
import { isosurface } from '../../lib/geometry'
import { type Tensor, tensor, tidy, zeros } from '../../lib/tensor'

const numbers = (x: Tensor) => [...(x.to('float64').flatten().dataSync() as Float64Array)]

describe('surfaces', () => {
  const ball = (radius: number) =>
    tensor(
      Float32Array.from({ length: 20 ** 3 }, (_, i) => {
        const distance = Math.hypot(Math.floor(i / 400) - 9.5, (Math.floor(i / 20) % 20) - 9.5, (i % 20) - 9.5)
        return radius - distance
      }),
      { shape: [20, 20, 20] },
    )
  /** Six times the signed volume, and how often each edge is walked in either direction. */
  const measured = ({ vertices, faces }: { vertices: Tensor; faces: Tensor }) => {
    const [points, corners] = [numbers(vertices), numbers(faces)]
    const point = (i: number) => points.slice(3 * i, 3 * i + 3) as [number, number, number]
    const edges = new Map<string, number>()
    let volume = 0
    for (let f = 0; f < corners.length; f += 3) {
      const [p = 0, q = 0, r = 0] = corners.slice(f, f + 3)
      const [[ax, ay, az], [bx, by, bz], [cx, cy, cz]] = [point(p), point(q), point(r)]
      volume += ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
      for (const [from, to] of [
        [p, q],
        [q, r],
        [r, p],
      ])
        edges.set(`${from} ${to}`, (edges.get(`${from} ${to}`) ?? 0) + 1)
    }
    const closed = [...edges].every(([edge, times]) => times === 1 && edges.has(edge.split(' ').reverse().join(' ')))
    const characteristic = points.length / 3 - edges.size / 2 + corners.length / 3
    return { volume: volume / 6, closed, characteristic }
  }

  test('of a ball are closed, turn outwards and hold its volume', () => {
    tidy(() => {
      const { volume, closed, characteristic } = measured(isosurface(ball(7), { level: 0 }))
      expect(closed).toBe(true)
      expect(characteristic).toBe(2)
      expect(Math.abs(volume / ((4 / 3) * Math.PI * 343) - 1)).toBeLessThan(0.02)
      const { volume: scaled } = measured(isosurface(ball(7), { level: 0, spacing: [3, 2, 2] }))
      expect(scaled).toBeCloseTo(12 * volume, 1)
    })
  })

  test('of a mask that fills its volume are closed too; of a ring they have one hole', () => {
    tidy(() => {
      expect(measured(isosurface(zeros([2, 3, 4]).add(1)))).toMatchObject({ closed: true, characteristic: 2 })
      const ring = zeros([3, 5, 5])
      ring.select(0, 1).narrow(0, 1, 3).narrow(1, 1, 3).fill_(1)
      ring.select(0, 1).select(0, 2).select(0, 2).fill_(0)
      expect(measured(isosurface(ring))).toMatchObject({ closed: true, characteristic: 0 })
      expect(isosurface(zeros([2, 2, 2])).faces.shape).toEqual([0, 3])
      expect(() => isosurface(zeros([2, 2]))).toThrow(/the volume is \[D, H, W\]/)
    })
  })
})
