// What the soak does again and again: calls that succeed, calls that are stopped, and calls that fail as they should.
import { join } from 'node:path'
import { encodeImage, loadPth, readImage, readSafetensors, savePth, writeSafetensors } from '../../lib/io'
import { LowLightEnhancer } from '../../lib/models/enhancement/fusion-low-light-enhancement'
import { VisionNativeError } from '../../lib/native/errors'
import { BatchNorm2d, Conv2d, Linear, Module, MSELoss, ReLU, Sequential } from '../../lib/nn'
import { bm3dAsync, tvl1 } from '../../lib/ops'
import { Adam } from '../../lib/optim'
import { capture, keep, noGrad, ones, rand, type Tensor, tidy, tidyAsync, zeros } from '../../lib/tensor'
import { ROOT } from '../run'

/** One kind of work; never run twice at a time. */
export interface Work {
  readonly name: string
  readonly run: (random: () => number) => Promise<void>
}

class SmallNetwork extends Module {
  readonly features = new Sequential(new Conv2d(3, 16, 3, { padding: 1 }), new BatchNorm2d(16), new ReLU())
  readonly head = new Linear(16, 4)

  forward(x: Tensor): Tensor {
    return this.head.forward(this.features.forward(x).mean({ dim: [2, 3] }))
  }
}

const PHOTOGRAPH = join(ROOT, 'examples/data/rubberwhale1.png')
const BATCHES = [1, 2, 3, 4] as const

/**
 * Everything that is done, ready to run.
 *
 * @param folder where files may be written
 */
export async function allWork(folder: string): Promise<readonly Work[]> {
  const inference = new SmallNetwork().eval()
  const infer = capture((x: Tensor) => noGrad(() => inference.forward(x)), { optimize: true })
  const learner = new SmallNetwork()
  const optimizer = new Adam(learner.parameters(), { lr: 1e-3 })
  const criterion = new MSELoss()
  const train = (x: Tensor, y: Tensor): Tensor => {
    optimizer.zeroGrad()
    const loss = criterion.forward(learner.forward(x), y)
    loss.backward()
    optimizer.step()
    return loss.detach()
  }
  // The state of the optimiser is made before the step is captured.
  tidy(() => void train(rand([4, 3, 16, 16]), zeros([4, 4])))
  const trainCaptured = capture(train)
  const enhancer = await LowLightEnhancer.load({ weights: 'random', device: 'cpu' })
  const pick = <T>(items: readonly T[], random: () => number): T => items[Math.floor(random() * items.length)] as T

  return [
    {
      name: 'operators',
      run: async (random) => {
        tidy(() => {
          const size = pick([8, 32, 96, 128], random)
          const [a, b] = [rand([size, size]), rand([size, size])]
          for (let i = 0; i < 20; i++)
            a.matmul(b)
              .relu()
              .add(1)
              .sum({ dim: [0] })
        })
      },
    },
    {
      name: 'captured inference',
      run: (random) =>
        tidyAsync(async () => void (await (await infer(rand([pick(BATCHES, random), 3, 32, 32]))).data())),
    },
    {
      name: 'training',
      run: async (random) => {
        const [x, y] = [rand([4, 3, 16, 16]), rand([4, 4])]
        if (random() < 0.5) tidy(() => void train(x, y))
        else (await trainCaptured(x, y)).dispose()
        x.dispose()
        y.dispose()
      },
    },
    {
      name: 'pipeline',
      run: (random) =>
        tidyAsync(async () => {
          using result = await enhancer.run(rand([3, pick([48, 64], random), 64]))
          await result.toBuffer('jpg')
        }),
    },
    {
      name: 'pictures',
      run: (random) =>
        tidyAsync(async () => {
          const image = await readImage(PHOTOGRAPH, { dtype: pick(['uint8', 'float32'] as const, random) })
          await encodeImage(image.narrow(1, 0, 128).narrow(2, 0, 128), pick(['png', 'jpg', 'webp'] as const, random))
        }),
    },
    {
      name: 'files',
      run: (random) =>
        tidyAsync(async () => {
          const path = join(folder, random() < 0.5 ? 'state.safetensors' : 'state.pth')
          const state = learner.stateDict()
          if (path.endsWith('.pth')) {
            await savePth(path, state)
            await loadPth(path)
          } else {
            await writeSafetensors(path, state)
            await readSafetensors(path)
          }
        }),
    },
    {
      name: 'aborted calls',
      run: (random) =>
        tidyAsync(async () => {
          const { signal } = timer(random() * 8)
          const frame = rand([128, 128])
          const call = pick(
            [
              () => tvl1().pair(frame, frame, { signal }),
              () => bm3dAsync(frame, { sigma: 0.1, signal }),
              () => infer.run([rand([4, 3, 32, 32])], { signal }),
              () => enhancer.run(rand([3, 64, 64]), { signal }),
            ] as const,
            random,
          )
          await expectError('Cancelled', call, true)
        }),
    },
    {
      name: 'errors',
      run: (random) =>
        tidyAsync(() => {
          const [kind, call] = pick(
            [
              ['Shape', async () => ones([2, 3]).matmul(ones([2, 3]))],
              ['OutOfMemory', async () => zeros([2 ** 42])],
              ['Disposed', async () => gone().add(1)],
              ['Format', () => readImage(Buffer.from('no picture'))],
              ['Argument', () => readImage(join(folder, 'absent.png'))],
              ['Format', () => loadPth(Buffer.alloc(600, 7))],
              ['Shape', () => enhancer.run(rand([5, 64, 64]))],
            ] as const,
            random,
          )
          return expectError(kind, call, false)
        }),
    },
  ]
}

/** A leak for the soak to find: a tensor of a quarter of a megabyte that nobody frees. */
export function leak(): void {
  leaked.push(keep(ones([2 ** 16])))
}

const leaked: Tensor[] = []

function gone(): Tensor {
  const tensor = ones([1])
  tensor.dispose()
  return tensor
}

/** @param mayEnd whether the call may also end as if nothing had been asked: it was quicker */
async function expectError(
  kind: VisionNativeError['kind'],
  call: () => Promise<unknown>,
  mayEnd: boolean,
): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (VisionNativeError.is(error, kind)) return
    throw error
  }
  if (!mayEnd) throw new Error(`soak: an error of kind ${kind} was expected, and the call succeeded`)
}

function timer(ms: number): AbortController {
  const controller = new AbortController()
  setTimeout(() => controller.abort(new Error('enough')), ms)
  return controller
}
