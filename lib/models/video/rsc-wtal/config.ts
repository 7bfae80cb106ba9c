import { z } from 'zod'

/** The localizers that the consistency is added to. */
export const HOSTS = ['ham-net', 'cola', 'co2-net'] as const
export type Host = (typeof HOSTS)[number]

/** The data sets of the paper: each has its own pooling, weights and schedule. */
export const VARIANTS = ['thumos14', 'activitynet1.2'] as const
export type Variant = (typeof VARIANTS)[number]

const count = () => z.number().int().positive()
const weight = () => z.number().min(0)

export const Config = z.strictObject({
  host: z.enum(HOSTS).default('co2-net').describe('the localizer'),
  variant: z.enum(VARIANTS).default('thumos14').describe('the data set whose network, weights and schedule are taken'),
  classes: z
    .union([count(), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe("names of the actions, or how many there are; the data's unless stated, and the variant's without data"),
  features: count().default(1024).describe('values of a segment in each stream; those of I3D are 1024'),
  rsc: z
    .strictObject({
      projection: z
        .enum(['rgb', 'flow', 'both', 'none'])
        .default('rgb')
        .describe('which features are projected (Table 4); none is the host alone'),
      regions: count().default(4).describe('parts of a video whose similarities are compared, H'),
      form: z
        .enum(['rows', 'eq4'])
        .default('rows')
        .describe('distances of rows, as in the released code, or of all entries, as in Eq. 4'),
      weight: weight().optional().describe("of the consistency in the loss; the host's unless stated, 0 for none"),
    })
    .prefault({}),
  training: z
    .strictObject({
      steps: count().optional().describe("steps of the optimiser; the host's unless stated"),
      epochs: count().optional().describe('passes over the videos, in place of steps'),
      batchSize: count().optional().describe("videos of a step; the host's unless stated"),
      learningRate: z.number().positive().optional().describe("of Adam; the host's unless stated"),
      weightDecay: weight().optional().describe("L2 penalty on all parameters; the host's unless stated"),
      segments: count().optional().describe("segments that are drawn of a video; the host's unless stated"),
      topK: count().optional().describe("a class's score is the mean of the best 1/topK of segments; the host's"),
      keep: z
        .enum(['last', 'best'])
        .default('last')
        .describe('which weights are the result; best is by mAP on the test videos, as CoLA and CO2-Net report'),
      keepEvery: count().optional().describe("steps between two tests for keep=best; the host's unless stated"),
      seed: z
        .number()
        .int()
        .min(0)
        .optional()
        .describe("of initial values, order and sampling; the host's unless stated"),
    })
    .prefault({}),
  inference: z
    .strictObject({
      classThreshold: z.number().min(0).max(1).optional().describe("least score of a class; the host's unless stated"),
      margin: weight().default(0.25).describe('of the surroundings of a proposal, as a share of its length'),
      classWeight: weight().default(0.2).describe("of the class's score in that of a proposal"),
      sigma: z.number().positive().default(0.3).describe('of soft suppression (HAM-Net, CO2-Net)'),
      overlap: z.number().min(0).max(1).default(0.6).describe('from which a proposal is dropped (CoLA)'),
      most: count().optional().describe('proposals of a video, at most; all unless stated'),
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      overlaps: z
        .array(z.number().gt(0).max(1))
        .min(1)
        .optional()
        .describe('from which a proposal is right; 0.1:0.1:0.7 for THUMOS14, 0.5:0.05:0.95 for ActivityNet1.2'),
      units: z
        .enum(['seconds', 'segments'])
        .default('seconds')
        .describe('segments: as in the code of CO2-Net, with the truth rounded to whole segments'),
    })
    .prefault({}),
  video: z
    .strictObject({
      fps: z.number().positive().default(25).describe('frames a second that are looked at; 16 of them are a segment'),
      rgbWeights: z
        .string()
        .optional()
        .describe("weights of I3D for colour: a .pt, .pth or .safetensors file, or 'random'; needed for videos"),
      flowWeights: z.string().optional().describe('the same for optical flow'),
      shortSide: count().min(193).default(256).describe('of the frames, in pixels'),
      crop: count().min(193).default(224).describe('side of the central square that I3D sees'),
      solver: z
        .enum(['opencv-cpu', 'opencv24-cuda', 'opencv-cuda', 'ipol'])
        .default('opencv24-cuda')
        .describe('preset of TV-L1'),
      bound: z.number().positive().default(20).describe('displacement in pixels at which flow is clipped'),
      bytes: z.boolean().default(false).describe('rounds flow to bytes first, as features from pictures of flow do'),
    })
    .prefault({}),
  synthetic: z
    .strictObject({
      classes: count().default(4).describe('actions of made-up videos'),
      videos: count().default(40).describe('made-up videos for training'),
      testVideos: count().default(40).describe('made-up videos for tests'),
      segments: z.tuple([count(), count()]).default([40, 80]).describe('least and most segments of a made-up video'),
      noise: weight().default(0.5).describe('of both streams'),
      clutter: weight().default(2).describe('of the background in the colour stream, against the action'),
      likeness: z.number().min(0).max(1).default(0).describe('share of an action that all actions have, in flow'),
      scenes: count().default(6).describe('backgrounds that all classes share'),
      seed: z.number().int().min(0).default(0).describe('of the videos'),
    })
    .prefault({}),
})
export type Config = z.output<typeof Config>

/** For tests: training takes seconds. */
export const tiny = {
  host: 'co2-net',
  features: 16,
  training: { steps: 6, batchSize: 8, segments: 24, learningRate: 1e-3, keepEvery: 3 },
  synthetic: { classes: 3, videos: 10, testVideos: 4, segments: [24, 40] },
} as const satisfies z.input<typeof Config>

/** What the three papers, and this one's code, set by host and data set. */
interface HostSettings {
  readonly steps: number | undefined
  readonly epochs: number | undefined
  readonly batchSize: number
  readonly learningRate: number
  readonly weightDecay: number
  readonly segments: number
  readonly topK: number
  /** `topK` of inference. */
  readonly testTopK: number
  readonly keepEvery: number
  readonly seed: number
  readonly classThreshold: number
  readonly rscWeight: number
}

const SETTINGS: Readonly<Record<Host, Readonly<Record<Variant, HostSettings>>>> = {
  'ham-net': {
    thumos14: {
      ...{ steps: undefined, epochs: 100, batchSize: 20, learningRate: 1e-5, weightDecay: 1e-3, segments: 500 },
      ...{ topK: 10, testTopK: 10, keepEvery: 100, seed: 0, classThreshold: 0.2, rscWeight: 0.2 },
    },
    'activitynet1.2': {
      ...{ steps: undefined, epochs: 20, batchSize: 20, learningRate: 1e-5, weightDecay: 1e-3, segments: 80 },
      ...{ topK: 20, testTopK: 20, keepEvery: 100, seed: 0, classThreshold: 0.2, rscWeight: 1 },
    },
  },
  cola: {
    thumos14: {
      ...{ steps: 6000, epochs: undefined, batchSize: 16, learningRate: 1e-4, weightDecay: 5e-4, segments: 750 },
      ...{ topK: 5, testTopK: 5, keepEvery: 100, seed: 0, classThreshold: 0.2, rscWeight: 1 },
    },
    'activitynet1.2': {
      ...{ steps: 8000, epochs: undefined, batchSize: 256, learningRate: 1e-4, weightDecay: 5e-4, segments: 50 },
      ...{ topK: 10, testTopK: 10, keepEvery: 500, seed: 0, classThreshold: 0.1, rscWeight: 1 },
    },
  },
  'co2-net': {
    thumos14: {
      ...{ steps: 5000, epochs: undefined, batchSize: 10, learningRate: 5e-5, weightDecay: 1.4e-3, segments: 500 },
      ...{ topK: 7, testTopK: 10, keepEvery: 200, seed: 1234, classThreshold: 0.2, rscWeight: 30 },
    },
    'activitynet1.2': {
      ...{ steps: 22_000, epochs: undefined, batchSize: 10, learningRate: 3e-5, weightDecay: 5e-4, segments: 60 },
      ...{ topK: 5, testTopK: 10, keepEvery: 200, seed: 3552, classThreshold: 0.2, rscWeight: 0.01 },
    },
  },
}

/** The settings of a config: its own over those of the host. */
export function settingsOf({ host, variant, training, inference, rsc }: Config): HostSettings {
  const paper = SETTINGS[host][variant]
  const { steps, epochs } = training.steps || training.epochs ? training : paper
  return {
    ...paper,
    ...{ steps, epochs },
    batchSize: training.batchSize ?? paper.batchSize,
    learningRate: training.learningRate ?? paper.learningRate,
    weightDecay: training.weightDecay ?? paper.weightDecay,
    segments: training.segments ?? paper.segments,
    topK: training.topK ?? paper.topK,
    keepEvery: training.keepEvery ?? paper.keepEvery,
    seed: training.seed ?? paper.seed,
    classThreshold: inference.classThreshold ?? paper.classThreshold,
    rscWeight: rsc.projection === 'none' ? 0 : (rsc.weight ?? paper.rscWeight),
  }
}

/** Names of the classes by their numbers. */
export function classNames({ classes, variant }: Pick<Config, 'classes' | 'variant'>): readonly string[] {
  if (typeof classes === 'object') return classes
  const total = classes ?? (variant === 'thumos14' ? 20 : 100)
  return Array.from({ length: total }, (_, i) => `class ${i}`)
}

/** Overlaps at which proposals are judged. */
export function overlapsOf({ evaluation, variant }: Pick<Config, 'evaluation' | 'variant'>): readonly number[] {
  const range = (from: number, step: number, total: number) =>
    Array.from({ length: total }, (_, i) => Math.round(100 * (from + i * step)) / 100)
  return evaluation.overlaps ?? (variant === 'thumos14' ? range(0.1, 0.1, 7) : range(0.5, 0.05, 10))
}
