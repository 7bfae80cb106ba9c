// Actions from the arrow of time: the trained network with a new last layer (Section 5).
import { freezeUntil } from '../../../backbones'
import { DataLoader, type Dataset } from '../../../data'
import { ArgumentError, ConfigError } from '../../../native/errors'
import { functional as F, type Parameter, type StateDict } from '../../../nn'
import { MultiStepLR, SGD } from '../../../optim'
import { type RunOptions, throwIfCancelled } from '../../../pipeline'
import { capture, noGrad, stack, type Tensor, tensor, tidy, tidyAsync } from '../../../tensor'
import { type FitResult, Trainer } from '../../../train'
import { chunkLayout } from './chunks'
import type { ClipSource } from './clips'
import type { Config } from './config'
import { randomView, randomWhole } from './data'
import { createNetwork, TCam } from './model'
import { ArrowPredictor } from './predict'

/** What fine-tuning changes: the last layer, all that follows the fusion, or all. */
export const REGIMES = ['last', 'after_fusion', 'all'] as const
export type Regime = (typeof REGIMES)[number]

/** The parameters that a regime trains, and how to undo it. */
export interface FrozenNetwork {
  readonly trained: Parameter[]
  unfreeze(): void
}

/** Freezes what a regime does not train: it gets no gradients and behaves as in evaluation, whatever `train()` says. */
export function freezeForRegime(model: TCam, regime: Regime): FrozenNetwork {
  const until = { last: 'classifier', after_fusion: 'trunk', all: undefined }[regime]
  const frozen = until === undefined ? undefined : freezeUntil(model, until)
  return {
    trained: model.parameters().filter(({ requiresGrad }) => requiresGrad),
    unfreeze: () => frozen?.unfreeze(),
  }
}

/** A clip that plays forward, of a known action. */
export interface ActionClip extends ClipSource {
  /** Number of the action, from 0. */
  readonly action: number
}

/**
 * A network for actions with the weights of one for the arrow of time; the last layer is new.
 *
 * @param config that of the trained network; dropout becomes 0.9 after the first convolution of the classifier and 0.8
 *   after the others, as two-stream networks have it
 * @param arrow state of the trained network; from first values unless given
 */
export function actionNetwork(config: Config, actions: number, arrow?: StateDict): TCam {
  const model = createNetwork(config, actions)
  if (!(model instanceof TCam)) {
    throw new ConfigError(
      "actionNetwork: alexnet has no part after a fusion; set network.trunk to 'vgg16' or 'resnet50'",
    )
  }
  const { conv6, conv7, conv8 } = model.classifier
  for (const [unit, p] of [
    [conv6, 0.9],
    [conv7, 0.8],
    [conv8, 0.8],
  ] as const)
    unit?.setDropout(p)
  if (arrow !== undefined) {
    const entries = arrow instanceof Map ? [...arrow] : Object.entries(arrow)
    model.loadStateDict(new Map(entries.filter(([name]) => !name.startsWith('fc.'))), { strict: false })
  }
  return model
}

/** Where torchvision's VGG-16 without batch norm has its convolutions, stage by stage. */
const VGG16_CONVOLUTIONS = [
  [0, 2],
  [5, 7],
  [10, 12, 14],
  [17, 19, 21],
  [24, 26, 28],
] as const

/**
 * First values from ImageNet for the convolutions of the trunk: those of VGG-16 without batch norm, the first one's
 * filters a mean over red, green and blue for each channel of flow.
 *
 * @param state of torchvision's `vgg16`
 */
export function initialiseFromImageNet(model: TCam, state: ReadonlyMap<string, Tensor>): void {
  const own = model.stateDict()
  noGrad(() =>
    tidy(() => {
      for (const [stage, layers] of VGG16_CONVOLUTIONS.entries()) {
        for (const [i, layer] of layers.entries()) {
          for (const part of ['weight', 'bias'] as const) {
            const target = own.get(`trunk.conv${stage + 1}.${i}.conv.${part}`)
            const source = state.get(`features.${layer}.${part}`)
            if (target === undefined || source === undefined) {
              throw new ArgumentError(
                `initialiseFromImageNet: features.${layer}.${part} is missing; give the state of vgg16`,
              )
            }
            const isFirst = stage === 0 && i === 0 && part === 'weight'
            target.copy_(isFirst ? source.mean({ dim: [1], keepdim: true }).expandAs(target) : source)
          }
        }
      }
    }),
  )
}

export interface FineTuneOptions {
  readonly regime?: Regime
  /** Epochs in all; 10 unless stated. */
  readonly epochs?: number
  /** For the first epochs, 5 unless stated: 1e-3 unless stated, and a tenth of it afterwards. */
  readonly learningRate?: number
  readonly epochsBeforeDrop?: number
  readonly weightDecay?: number
  readonly batchSize?: number
  readonly seed?: number
  readonly folder?: string
  readonly resume?: boolean
  readonly progress?: boolean
  readonly signal?: AbortSignal
}

interface ActionSample {
  readonly x: Tensor
  readonly action: Tensor
}

class ActionWindows implements Dataset<ActionSample> {
  readonly length: number

  constructor(
    readonly clips: readonly ActionClip[],
    readonly config: Config,
  ) {
    this.length = clips.length
  }

  get(index: number): Promise<ActionSample> {
    return tidyAsync(async () => {
      const clip = this.clips[index] as ActionClip
      const layout = chunkLayout(this.config.network)
      const raw = await clip.read(randomWhole(clip.length - layout.span + 1), layout.span)
      return { x: randomView(raw, this.config, layout), action: tensor(BigInt(clip.action)) }
    })
  }
}

/**
 * Trains a network for actions by softmax and cross-entropy: its last layer, all after the fusion, or all of it. Frozen
 * parts keep their statistics and have no dropout.
 */
export async function fineTuneActions(
  model: TCam,
  config: Config,
  clips: readonly ActionClip[],
  options: FineTuneOptions = {},
): Promise<FitResult> {
  const { regime = 'all', epochs = 10, learningRate: lr = 1e-3, epochsBeforeDrop = 5, seed = 0 } = options
  const { weightDecay = 5e-4, batchSize = 32, folder, progress, resume, signal } = options
  const frozen = freezeForRegime(model, regime)
  using optimizer = new SGD(frozen.trained, { lr, momentum: config.training.momentum, weightDecay })
  try {
    const trainer = new Trainer<ActionSample>({
      ...{ model, optimizer, seed, folder, progress },
      loss: ({ x, action }) => F.crossEntropy(model.forward(x), action),
      schedule: new MultiStepLR(optimizer, { milestones: [epochsBeforeDrop], gamma: 0.1 }),
    })
    const loader = new DataLoader(new ActionWindows(clips, config), { batchSize, shuffle: true, seed })
    return await trainer.fit(loader, { epochs, resume, signal })
  } finally {
    frozen.unfreeze()
  }
}

/** Probabilities of the actions of a clip: 25 evenly spaced windows of ten views, a mean of the softmax of all. */
export async function actionScores(
  model: TCam,
  config: Config,
  clip: ClipSource,
  { windows = 25, ...options }: RunOptions & { readonly windows?: number } = {},
): Promise<Float32Array> {
  using predictor = new ArrowPredictor(model, config, model.fc.weight.device)
  using softmax = capture((x: Tensor) => noGrad(() => model.forward(x).softmax(1)))
  const { span } = predictor.layout
  const starts = Array.from({ length: windows }, (_, j) =>
    windows === 1 ? 0 : Math.round((j * (clip.length - span)) / (windows - 1)),
  )
  const sum = new Float32Array(model.classes)
  let count = 0
  for (const start of starts) {
    throwIfCancelled(options.signal, 'actionScores')
    await tidyAsync(async () => {
      const views = predictor.views(await clip.read(start, span))
      const scores = await softmax.run([stack(views).to(model.fc.weight.device)], options)
      const total = (await scores.sum({ dim: [0] }).data()) as Float32Array
      for (const [i, value] of total.entries()) sum[i] = (sum[i] ?? 0) + value
      count += views.length
    })
  }
  return sum.map((value) => value / count)
}
