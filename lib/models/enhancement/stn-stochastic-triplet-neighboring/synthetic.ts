// Made-up scenes, smooth but for the edges of some shapes: what is under the noise is known.
import { RandomStream, Stream } from '../../../data/random'
import { type Tensor, tensor } from '../../../tensor'

interface Shape {
  readonly covers: (x: number, y: number) => boolean
  readonly colour: Plane
}

/** A colour that changes evenly over the picture. */
type Plane = (x: number, y: number, channel: number) => number

/**
 * A scene of a few discs, boxes and half-planes over a sky, each of a colour that changes evenly.
 *
 * @returns `[3, side, side]` in 0–1
 */
export function syntheticScene(seed: number, index: number, side: number): Tensor<'float32'> {
  const random = new RandomStream(seed, index, Stream.Samples)
  const plane = (): Plane => {
    const base = Array.from({ length: 3 }, () => 0.15 + 0.7 * random.uniform())
    const [dx, dy] = [0.3 * (random.uniform() - 0.5), 0.3 * (random.uniform() - 0.5)]
    return (x, y, channel) => (base[channel] ?? 0) + dx * x + dy * y
  }
  const sky = plane()
  const shapes = Array.from({ length: 6 }, (_, i): Shape => {
    const [cx, cy, size, turn] = [random.uniform(), random.uniform(), 0.1 + 0.2 * random.uniform(), random.uniform()]
    const angle = 2 * Math.PI * turn
    const covers = [
      (x: number, y: number) => (x - cx) ** 2 + (y - cy) ** 2 < size ** 2,
      (x: number, y: number) => Math.abs(x - cx) < size && Math.abs(y - cy) < size * (0.3 + turn),
      (x: number, y: number) => (x - 0.5) * Math.cos(angle) + (y - 0.5) * Math.sin(angle) > 0.35,
    ][i % 3] as Shape['covers']
    return { covers, colour: plane() }
  })
  const values = new Float32Array(3 * side * side)
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [column / side, row / side]
      const colour = shapes.findLast(({ covers }) => covers(x, y))?.colour ?? sky
      for (let channel = 0; channel < 3; channel++) {
        values[(channel * side + row) * side + column] = Math.min(1, Math.max(0, colour(x, y, channel)))
      }
    }
  }
  return tensor(values, { shape: [3, side, side] })
}
