// Changes of a sample's grey values alone.
import { functional as F } from '../../../nn'
import { rand, stack, type Tensor, tensor, where } from '../../../tensor'
import type { Draws } from './augment'

/** Share of each side that a box has. */
const BOX = 0.4

/** A box at a random place: its first places and sizes. */
function drawBox(shape: readonly number[], draws: Draws): { readonly start: number[]; readonly size: number[] } {
  const size = shape.map((side) => Math.max(1, Math.floor(BOX * side)))
  return { size, start: shape.map((side, axis) => draws.below(side - (size[axis] ?? 1) + 1)) }
}

/** The image with `change` of a random box in its place. */
function changeBox(image: Tensor, draws: Draws, change: (box: Tensor) => Tensor): Tensor {
  const { start, size } = drawBox(image.shape, draws)
  const result = image.clone()
  const box = start.reduce((part, first, axis) => part.narrow(axis, first, size[axis] ?? 1), result)
  box.copy_(change(box.clone()).clamp({ min: 0, max: 1 }))
  return result
}

/** Noise of up to ±0.3 in a box. */
export function cutNoise(image: Tensor, draws: Draws): Tensor {
  return changeBox(image, draws, (box) => box.add(rand(box.shape, { generator: draws.generator }).mul(0.6).sub(0.3)))
}

/** A box at a 2 to 8 times lower resolution, in its slices or along all axes. */
export function cutBlur(image: Tensor, draws: Draws, slicesToo: boolean): Tensor {
  const factor = 2 + 6 * draws.uniform()
  return changeBox(image, draws, (box) => {
    const fewer = (length: number) => Math.max(1, Math.round(length / factor))
    const [d = 1, h = 1, w = 1] = box.shape
    const small = [slicesToo ? fewer(d) : d, fewer(h), fewer(w)] as const
    const resize = (x: Tensor, size: readonly [number, number, number]) =>
      F.interpolate(x, { size, mode: 'trilinear', alignCorners: false })
    return resize(resize(box.unsqueeze(0).unsqueeze(0), small), [d, h, w])
      .squeeze(0)
      .squeeze(0)
  })
}

const MOTION = 11

/** Two slices blurred along rows or columns. */
export function blurMotion(image: Tensor, draws: Draws): Tensor {
  const result = image.clone()
  const across = draws.uniform() < 0.5
  const half = (MOTION - 1) / 2
  for (let i = 0; i < 2; i++) {
    const slice = result.select(0, draws.below(image.size(0)))
    const ends = across ? [half, half, 0, 0] : [0, 0, half, half]
    const padded = F.pad(slice.unsqueeze(0).unsqueeze(0), ends, { mode: 'replicate' })
    slice.copy_(
      F.avgPool2d(padded, across ? [1, MOTION] : [MOTION, 1], { stride: 1 })
        .squeeze(0)
        .squeeze(0),
    )
  }
  return result
}

const THICKNESS = 40

/** Lines of 81 voxels across, filled with the slice's mean: at most one slice in any three. */
export function missingParts(image: Tensor, share: number, draws: Draws): Tensor {
  const [depth = 1, height = 1, width = 1] = image.shape
  const result = image.clone()
  for (let z = 0; z < depth; z++) {
    if (draws.uniform() >= share) continue
    const slice = result.select(0, z)
    slice.copy_(where(thickLine(height, width, draws), slice.mean(), slice))
    z += 2
  }
  return result
}

/** Voxels within 40 steps to a neighbour of a line from side to side. */
function thickLine(height: number, width: number, draws: Draws): Tensor {
  const [down, a, b] = [draws.uniform() < 0.5, draws.uniform(), draws.uniform()]
  const rows = tensor(
    Float32Array.from({ length: height }, (_, y) => y),
    { shape: [height, 1] },
  )
  const columns = tensor(
    Float32Array.from({ length: width }, (_, x) => x),
    { shape: [1, width] },
  )
  const [along, over, length, breadth] = down ? [rows, columns, height, width] : [columns, rows, width, height]
  const slope = ((b - a) * breadth) / length
  const offset = over.sub(along.mul(slope).add(a * breadth)).abs()
  // Steps to a neighbour make a diamond, whose reach beside a line of slope below 1 is its half axis.
  return offset.le(THICKNESS * Math.max(1, Math.abs(slope)))
}

/** Contrast, brightness and gamma anew, of all slices alike or of each. */
export function grayscale(image: Tensor, draws: Draws): Tensor {
  const change = (x: Tensor) => {
    const [contrast, brightness, gamma] = [
      1 + 0.3 * (draws.uniform() - 0.5),
      0.3 * (draws.uniform() - 0.5),
      2 ** (2 * draws.uniform() - 1),
    ]
    return x.mul(contrast).add(brightness).clamp({ min: 0, max: 1 }).pow(gamma)
  }
  return draws.uniform() < 0.5 ? change(image) : stack(image.unbind({ dim: 0 }).map(change))
}
