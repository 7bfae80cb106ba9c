import { z } from 'zod'

/** What the network sees: flow, frames, or differences of frames. */
export const MODALITIES = ['flow', 'rgb', 'd-rgb'] as const
export type Modality = (typeof MODALITIES)[number]

const count = (value: number) => z.number().int().positive().default(value)

export const Config = z.strictObject({
  network: z
    .strictObject({
      trunk: z
        .enum(['vgg16', 'resnet50', 'alexnet'])
        .default('vgg16')
        .describe('convolutions that all chunks share; alexnet takes one chunk and has no map of evidence'),
      modality: z.enum(MODALITIES).default('flow').describe('what the network sees'),
      maps: count(20).describe('flow maps (or frames) in all chunks together'),
      chunks: count(2).describe('chunks of maps, fused after the trunk'),
      overlap: z.number().min(0).max(0.9).default(0).describe('share of a chunk that the next one sees too'),
      classifierConvs: z.number().int().min(1).max(3).default(3).describe('3 in the paper, 2 in the released model'),
      normOrder: z
        .enum(['norm-relu', 'relu-norm'])
        .default('norm-relu')
        .describe('of batch norm and ReLU; the released model has relu-norm'),
      dropout: z.number().min(0).lt(1).default(0.5).describe('after each convolution of the classifier'),
      width: z.number().positive().max(1).default(1).describe('share of the channels, for trials; VGG-16 only'),
    })
    .prefault({}),
  input: z
    .strictObject({
      shortSide: z.number().int().min(16).default(256).describe('of the flow, in pixels'),
      crop: z.number().int().min(16).default(224).describe('side of what the network sees'),
      bound: z.number().positive().default(20).describe('largest displacement that a byte of flow holds, in pixels'),
    })
    .prefault({}),
  preparation: z
    .strictObject({
      blackFrame: z.enum(['crop', 'zero', 'keep']).default('crop').describe('what is done with a black frame'),
      blackThreshold: z
        .number()
        .min(0)
        .max(255)
        .default(12)
        .describe('mean of a row or column below which it is black'),
      shotFrames: z.number().int().min(11).default(41).describe('frames of a shot'),
      largestChange: z
        .number()
        .positive()
        .default(25)
        .describe('mean change of a colour between frames, of 255, above which there is a cut'),
      stabilise: z.boolean().default(true).describe('moves frames onto the central one'),
      leastInliers: count(30).describe('points that must agree in a frame'),
      largestResidual: z.number().positive().default(0.25).describe('mean squared error of these points, in px²'),
      goodFrames: z.number().min(0).max(1).default(0.9).describe('share of the frames that must be so'),
      keptSide: z.number().min(0).max(1).default(0.6).describe('share of each side that must stay after cropping'),
      singleResampling: z.boolean().default(false).describe('warps, crops and resizes in one step instead of two'),
      leastMotion: z
        .number()
        .min(0)
        .default(1)
        .describe('95th percentile of the displacement in px below which a clip is left out of training'),
      files: z.enum(['png', 'jpg']).default('png').describe('how flow is stored; jpg has the quality 95'),
      testShare: z.number().min(0).lt(1).default(0.3).describe('of the videos of a folder'),
    })
    .prefault({}),
  data: z
    .strictObject({
      forwardLabel: z
        .union([z.literal(0), z.literal(1)])
        .default(0)
        .describe('label of forward in lists; 0 in the released ones'),
    })
    .prefault({}),
  training: z
    .strictObject({
      epochs: count(20).describe('epochs'),
      updates: count(5000).describe('steps of the optimiser an epoch'),
      batchSize: count(32).describe('samples a pass'),
      accumulate: count(3).describe('passes a step'),
      firstLearningRate: z.number().positive().default(1e-2).describe('of SGD in the first epoch'),
      learningRate: z.number().positive().default(1e-3).describe('of SGD afterwards'),
      momentum: z.number().min(0).lt(1).default(0.9).describe('of SGD'),
      weightDecay: z.number().min(0).default(5e-4).describe('L2 on all parameters'),
      flip: z.number().min(0).max(1).default(0.5).describe('probability of a mirrored sample'),
      workers: z.number().int().min(0).default(0).describe('threads that read samples'),
      seed: z.number().int().min(0).default(0).describe('of initial values and samples'),
    })
    .prefault({}),
  inference: z
    .strictObject({
      groups: count(10).describe('groups of maps, evenly spaced, that vote'),
      crops: z
        .union([z.literal(1), z.literal(5)])
        .default(5)
        .describe('5 positions, or the centre alone'),
      flip: z.boolean().default(true).describe('takes the mirrored views too'),
      confidence: z.number().min(0).lt(0.5).default(0.1).describe('distance from ½ beyond which a group votes'),
      fullFrame: z.boolean().default(false).describe('shows evidence in the whole frame instead of its central crop'),
    })
    .prefault({}),
  synthetic: z
    .strictObject({
      clips: count(200).describe('made-up clips for training, each in both directions'),
      testClips: count(100).describe('made-up clips for tests'),
      discs: count(3).describe('discs on the table'),
      friction: z.number().min(0).default(0.15).describe('loss of speed a frame; 0 is the same in both directions'),
      flow: z.enum(['exact', 'tvl1']).default('exact').describe('known flow, or that of drawn frames'),
    })
    .prefault({}),
})
export type Config = z.output<typeof Config>

/** For tests: training takes seconds. */
export const tiny = {
  network: { maps: 10, width: 0.0625 },
  input: { shortSide: 32, crop: 32 },
  training: { epochs: 2, updates: 4, batchSize: 4, accumulate: 2 },
  inference: { groups: 2 },
  synthetic: { clips: 8, testClips: 4 },
} as const satisfies z.input<typeof Config>
