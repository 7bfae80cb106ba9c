// From frames to what flow is computed of: black frame away, camera still, the size of training.
import { setImmediate } from 'node:timers/promises'
import { tvl1 } from '../../../ops'
import { type RunOptions, throwIfCancelled } from '../../../pipeline'
import { cat, stack, type Tensor, tensor, tidy, tidyAsync } from '../../../tensor'
import { flowToBytes, warpPerspective } from '../../../vision'
import { findBlackFrame, hasBlackFrame, removeBlackFrame } from './black-frame'
import type { Config } from './config'
import { withShortSide } from './maps'
import {
  type CameraMotion,
  cameraMotion,
  commonRectangle,
  isGoodMotion,
  type Matrix,
  matrixTensor,
  motionsToCentre,
  multiply,
  type Rectangle,
  smoothMatrices,
} from './stabilise'

/** Frames of a shot, ready for flow. */
export interface PreparedFrames {
  /** `[T, h, w]` float32 in 0–1. */
  readonly grey: Tensor
  /** `[T, 3, h, w]` uint8. */
  readonly colour: Tensor
  /** Why the camera could not be held still, where it was to be. */
  readonly unstable: string | undefined
  readonly camera: CameraMotion | undefined
  /** What was done, for people. */
  readonly notes: readonly string[]
}

const GREY = [0.299, 0.587, 0.114] as const

/**
 * Removes the black frame, moves all frames onto the central one, and brings them to the size of the network.
 *
 * @param frames `[T, 3, H, W]` uint8
 */
export async function prepareFrames(
  frames: Tensor,
  { preparation, input }: Pick<Config, 'preparation' | 'input'>,
  options: RunOptions = {},
): Promise<PreparedFrames> {
  const notes: string[] = []
  const { blackFrame, blackThreshold, stabilise } = preparation
  let scene = frames
  if (blackFrame !== 'keep') {
    const black = findBlackFrame(frames, blackThreshold)
    if (hasBlackFrame(black)) {
      scene = removeBlackFrame(frames, black, blackFrame)
      notes.push(
        `black frame ${blackFrame === 'crop' ? 'cropped' : 'set to zero'}: ${black.top} px above, ${black.bottom} below, ${black.left} left, ${black.right} right`,
      )
    }
  }
  const still = stabilise ? await holdStill(scene, preparation, options) : undefined
  const parts: Tensor[] = []
  for (let t = 0; t < scene.size(0); t++) {
    throwIfCancelled(options.signal, 'prepareFrames')
    // Frames one by one, so that the event loop runs in between.
    await setImmediate()
    parts.push(
      tidy(() => oneFrame(scene.select(0, t), still?.matrices?.[t], still?.rectangle, preparation, input.shortSide)),
    )
  }
  return tidy(() => {
    const all = stack(parts)
    return {
      grey: all.select(1, 0).div(255),
      colour: all.narrow(1, 1, 3).round().clamp({ min: 0, max: 255 }).to('uint8'),
      unstable: still?.reason,
      camera: still?.camera,
      notes: still?.reason === undefined ? notes : [...notes, `camera not held still: ${still.reason}`],
    }
  })
}

interface StillCamera {
  readonly matrices?: readonly Matrix[]
  readonly rectangle?: Rectangle
  readonly reason?: string
  readonly camera?: CameraMotion
}

async function holdStill(scene: Tensor, preparation: Config['preparation'], options: RunOptions): Promise<StillCamera> {
  const total = scene.size(0)
  let done = 0
  const motions = await tidyAsync(async () => {
    const grey = tidy(() => greyOf(scene.to('float32')))
    return motionsToCentre(grey, {
      signal: options.signal,
      onFrame: () => options.onProgress?.({ stage: 'stabilising', done: ++done, total }),
    })
  })
  const good = motions.filter((motion) => isGoodMotion(motion, preparation)).length
  const [height = 0, width = 0] = scene.shape.slice(-2)
  if (good < preparation.goodFrames * total) {
    return { reason: `${good} of ${total} frames were found on the central one` }
  }
  const matrices = smoothMatrices(motions, preparation)
  const rectangle = commonRectangle(matrices, width, height)
  const share = Math.min(
    (rectangle.right - rectangle.left + 1) / width,
    (rectangle.bottom - rectangle.top + 1) / height,
  )
  if (share < preparation.keptSide)
    return { reason: `frames share ${Math.round(100 * Math.max(0, share))} % of a side` }
  return { matrices, rectangle, camera: cameraMotion(matrices, width, height) }
}

function greyOf(rgb: Tensor): Tensor {
  const weights = tensor([...GREY], { device: rgb.device }).reshape([3, 1, 1])
  return rgb.mul(weights).sum({ dim: [-3] })
}

/** Grey and colours of a frame, `[4, h, w]` in 0–255. */
function oneFrame(
  frame: Tensor,
  matrix: Matrix | undefined,
  rectangle: Rectangle | undefined,
  { singleResampling }: Config['preparation'],
  shortSide: number,
): Tensor {
  const rgb = frame.to('float32')
  const planes = cat([greyOf(rgb).unsqueeze(0), rgb])
  if (matrix === undefined || rectangle === undefined) return withShortSide(planes.unsqueeze(0), shortSide).squeeze(0)
  const { left, top } = rectangle
  const [width, height] = [rectangle.right - left + 1, rectangle.bottom - top + 1]
  if (!singleResampling) {
    const cropped = warpPerspective(planes, matrixTensor(matrix)).narrow(1, top, height).narrow(2, left, width)
    return withShortSide(cropped.unsqueeze(0), shortSide).squeeze(0)
  }
  const scale = shortSide / Math.min(width, height)
  const size = [Math.floor(height * scale), Math.floor(width * scale)] as const
  const [sx, sy] = [size[1] / width, size[0] / height]
  const intoCrop = [sx, 0, (0.5 - left) * sx - 0.5, 0, sy, (0.5 - top) * sy - 0.5, 0, 0, 1]
  return warpPerspective(planes, matrixTensor(multiply(intoCrop, matrix)), { size })
}

/** Bytes of flow from each frame to the next, and of the reversed clip. */
export interface DirectedFlow {
  /** `[T − 1, 2, h, w]` uint8. */
  readonly forward: Tensor<'uint8'>
  /** Flow of the reversed frames, in their order. */
  readonly backward: Tensor<'uint8'> | undefined
  /** 95th percentile of the displacement, in pixels. */
  readonly motion: number
}

/**
 * TV-L1 flow of a clip with the solver of the released tool. The reversed clip has its own: flow lies on the grid of
 * the frame it starts from, so backward is not forward negated.
 *
 * @param grey `[T, h, w]` float32 in 0–1
 */
export async function directedFlow(
  grey: Tensor,
  bound: number,
  { both = false, ...options }: RunOptions & { readonly both?: boolean } = {},
): Promise<DirectedFlow> {
  return tidyAsync(async () => {
    const solver = tvl1({ preset: 'opencv24-cuda' })
    const { forward, backward } = await solver.clip(grey, { direction: both ? 'both' : 'forward', ...options })
    return {
      forward: flowToBytes(forward as Tensor, bound),
      backward: backward && flowToBytes(backward.flip([0]), bound),
      motion: motionOf(forward as Tensor),
    }
  })
}

function motionOf(flow: Tensor): number {
  return tidy(() => {
    const lengths = flow
      .square()
      .sum({ dim: [1] })
      .sqrt()
      .flatten()
    const place = Math.max(1, Math.ceil(0.95 * lengths.numel))
    return lengths.kthvalue(place)[0].item() as number
  })
}
