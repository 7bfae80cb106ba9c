import { z } from 'zod'

/** The networks of the paper's Tables 2 and 3. */
export const BACKBONES = ['c3d', 'resnet3d-18', 'i3d-50', 'slowonly-50'] as const
export type Backbone = (typeof BACKBONES)[number]

const count = (value: number) => z.number().int().positive().default(value)
const rate = () => z.number().positive()

const stage = (what: string) =>
  z
    .strictObject({
      epochs: z.number().int().min(0).default(100).describe(`epochs ${what}; 0 leaves the stage out`),
      learningRate: rate()
        .optional()
        .describe('of SGD after the warm-up; 0.001 for c3d and 0.008 for the others unless stated'),
    })
    .prefault({})

export const Config = z.strictObject({
  network: z
    .strictObject({
      backbone: z.enum(BACKBONES).default('c3d').describe('which network; the paper calls resnet3d-18 I3D, 18 layers'),
      precision: z
        .enum(['binary', 'float', 'packed'])
        .default('binary')
        .describe('convolutions of one bit, the float network, or a trained one of one bit as it was exported'),
      shortcut: z.boolean().default(true).describe('around convolutions of one bit; false is the ablation'),
      sign2: z.boolean().default(true).describe('bias, PReLU and bias behind them; false is the ablation'),
      scale: z
        .enum(['mean-abs', 'none'])
        .default('mean-abs')
        .describe("of the signs of an output channel's weights while training; none is the paper's Eq. 1"),
      estimator: z
        .enum(['quadratic', 'clip'])
        .default('quadratic')
        .describe('what stands for the derivative of sign: 2 − 2|x| within ±1, or 1'),
      downsample: z.enum(['conv', 'avgpool']).default('conv').describe('how shortcuts of ResNets halve a map'),
      width: z.number().positive().max(1).default(1).describe('share of the channels, for trials'),
      hidden: count(4096).describe("width of C3D's fc6 and fc7"),
      dropout: z.number().min(0).lt(1).default(0.5).describe("after C3D's fc6 and fc7"),
    })
    .prefault({}),
  classes: z
    .union([z.number().int().min(2), z.array(z.string().min(1)).min(2)])
    .optional()
    .describe("names of the actions, or how many there are; the data's unless stated, and 101 without data"),
  input: z
    .strictObject({
      frames: z.number().int().positive().optional().describe('of a clip; 16 for c3d and 8 for the others'),
      interval: z
        .number()
        .int()
        .positive()
        .optional()
        .describe('frames from one to the next; c3d 1, slowonly-50 2, others 4'),
      shortSide: z
        .number()
        .int()
        .positive()
        .optional()
        .describe('of a frame before it is cropped; c3d 128, others 256'),
      size: z.number().int().min(8).optional().describe('side of the crop; c3d 112, others 224'),
      normalisation: z
        .enum(['sports1m', 'imagenet', 'unit'])
        .optional()
        .describe("0–255 less Sports-1M's mean (c3d), ImageNet's mean and deviation (others), or 0–1"),
    })
    .prefault({}),
  data: z
    .strictObject({
      split: z
        .union([z.literal(1), z.literal(2), z.literal(3)])
        .default(1)
        .describe('which official split, where the data has split lists'),
      testShare: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.2)
        .describe('of each class, at random, where it has none; 4:1 in the paper for HMDB51'),
      splitSeed: z.number().int().min(0).default(0).describe('of that choice'),
    })
    .prefault({}),
  training: z
    .strictObject({
      real: stage('of floats behind a clip to ±1, or of the float network'),
      activations: stage('of signs of activations, weights still float'),
      binary: stage('of signs of both'),
      warmupEpochs: z.number().min(0).default(10).describe('epochs of each stage in which the learning rate rises'),
      batchSize: count(16).describe('clips a step'),
      momentum: z.number().min(0).lt(1).default(0.9).describe('of SGD'),
      weightDecay: z
        .number()
        .min(0)
        .default(5e-4)
        .describe('of weights; in the last stage none of those that are signs, never of biases, norms and slopes'),
      pretrained: z
        .string()
        .optional()
        .describe("file of first weights: C3D's of Sports-1M, or a ResNet of images for the others"),
      reestimate: z.number().int().min(0).default(200).describe('batches that norms are measured on at the end'),
      flip: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe('probability of a mirrored clip; 0 where left and right differ'),
      prefetch: count(2).describe('batches that are decoded ahead'),
      seed: z.number().int().min(0).default(0).describe('of initial values and samples'),
    })
    .prefault({}),
  inference: z
    .strictObject({
      clips: z
        .number()
        .int()
        .positive()
        .optional()
        .describe('of a video, evenly spaced; 10 for c3d and 4 for the others'),
      batchSize: count(4).describe('clips that run together'),
    })
    .prefault({}),
  synthetic: z
    .strictObject({
      clips: count(256).describe('made-up clips for training'),
      testClips: count(128).describe('made-up clips for tests'),
      square: count(5).describe('side of the square that moves, in pixels'),
      noise: z.number().min(0).default(0.1).describe('deviation of the noise; black is 0 and white 1'),
    })
    .prefault({}),
})
export type Config = z.output<typeof Config>

/** For tests: training takes seconds. */
export const tiny = {
  network: { width: 0.125, hidden: 32, dropout: 0.2 },
  input: { shortSide: 16, size: 16, normalisation: 'imagenet' },
  training: {
    real: { epochs: 1, learningRate: 0.02 },
    activations: { epochs: 1, learningRate: 0.005 },
    binary: { epochs: 2, learningRate: 0.005 },
    ...{ warmupEpochs: 0, batchSize: 4, reestimate: 2, flip: 0 },
  },
  inference: { clips: 2 },
  synthetic: { clips: 8, testClips: 4 },
} as const satisfies z.input<typeof Config>

/** How clips are taken from videos and made ready. */
export interface InputPlan {
  readonly frames: number
  readonly interval: number
  readonly shortSide: number
  readonly size: number
  readonly normalisation: 'sports1m' | 'imagenet' | 'unit'
  /** Clips of a video in tests. */
  readonly clips: number
}

const C3D_INPUT: InputPlan = {
  ...{ frames: 16, interval: 1, shortSide: 128, size: 112, normalisation: 'sports1m', clips: 10 },
}
const I3D_INPUT: InputPlan = {
  ...{ frames: 8, interval: 4, shortSide: 256, size: 224, normalisation: 'imagenet', clips: 4 },
}

const INPUTS: Readonly<Record<Backbone, InputPlan>> = {
  c3d: C3D_INPUT,
  'resnet3d-18': I3D_INPUT,
  'i3d-50': I3D_INPUT,
  'slowonly-50': { ...I3D_INPUT, interval: 2 },
}

/** What the paper sets by the network. */
export function inputPlan({ network, input, inference }: Pick<Config, 'network' | 'input' | 'inference'>): InputPlan {
  const usual = INPUTS[network.backbone]
  return {
    frames: input.frames ?? usual.frames,
    interval: input.interval ?? usual.interval,
    shortSide: input.shortSide ?? usual.shortSide,
    size: input.size ?? usual.size,
    normalisation: input.normalisation ?? usual.normalisation,
    clips: inference.clips ?? usual.clips,
  }
}

/** The learning rate of a stage. */
export function stageRate({ network, training }: Config, name: 'real' | 'activations' | 'binary'): number {
  return training[name].learningRate ?? (network.backbone === 'c3d' ? 0.001 : 0.008)
}
