import { z } from 'zod'

/** How test images are divided from those of training, and which of them are compared. */
export const PROTOCOLS = ['polyu', 'iiit-d', 'identities'] as const
export type Protocol = (typeof PROTOCOLS)[number]

const count = (value: number) => z.number().int().positive().default(value)
const share = () => z.number().min(0).max(1)

export const Config = z.strictObject({
  network: z
    .strictObject({
      trunk: z.enum(['resnet18', 'resnet34']).default('resnet18').describe('residual network that both images share'),
      stages: z.number().int().min(1).max(4).default(4).describe('how many of its four stages are used'),
      stemChannels: count(64).describe('channels of its stem; fewer than 64 for trials'),
      channels: count(32).describe('of the maps that are compared'),
      features: z
        .enum(['tokens', 'chunks', 'none'])
        .default('tokens')
        .describe('what the transformer relates: learnt tokens, pooled chunks, or there is no transformer'),
      tokens: count(4).describe('tokens of an image; a square number for chunks'),
      encoderLayers: z.number().int().min(1).default(1).describe('transformer layers over the tokens of both images'),
      decoderLayers: z.number().int().min(1).default(4).describe('transformer layers that bring tokens back to pixels'),
      heads: count(8).describe('of each attention'),
      headDim: count(8).describe('features of a head'),
      difference: z
        .enum(['magnitude', 'normalize-channel', 'normalize-map'])
        .default('magnitude')
        .describe(
          'how the maps of both images become one: |a − b|, or brought to length 1 at each pixel or as a whole',
        ),
      matcher: z
        .enum(['capsules', 'linear'])
        .default('capsules')
        .describe('what judges the difference; linear is the paper’s ablation'),
      kernelDepth: z
        .union([z.literal(3), z.literal(16)])
        .default(3)
        .describe('components of a capsule that a vote sees: 3 as printed, or all'),
      routingBias: z.boolean().default(true).describe('learns what is added to routed capsules'),
      couplingGain: z
        .enum(['positions', 'none'])
        .default('positions')
        .describe('multiplies couplings by the number of positions; none is the printed equation, which hardly learns'),
      routingIterations: count(3).describe('of both routings'),
      detachRouting: z.boolean().default(false).describe('takes couplings for constants in the backward pass'),
    })
    .refine(({ features, tokens }) => features !== 'chunks' || Number.isInteger(Math.sqrt(tokens)), {
      message: 'must be a square number where features are chunks',
      path: ['tokens'],
    })
    .prefault({}),
  input: z
    .strictObject({
      size: z
        .number()
        .int()
        .min(32)
        .default(256)
        .refine((size) => Number.isInteger(Math.log2(size)), 'must be a power of two')
        .describe('side of the square that strips are resized to'),
      kind: z
        .enum(['auto', 'eye', 'strip'])
        .default('auto')
        .describe('what pictures show: auto takes those four times as wide as high for strips'),
    })
    .prefault({}),
  normalisation: z
    .strictObject({
      height: z.number().int().min(32).multipleOf(32).default(64).describe('of a strip, from pupil to sclera'),
      width: z.number().int().min(32).multipleOf(32).default(512).describe('of a strip, around the pupil'),
      enhance: z.boolean().default(true).describe('takes uneven light away and equalises the contrast'),
      channel: z
        .enum(['red', 'green', 'grey'])
        .default('red')
        .describe('of colour pictures; brown irises show most in red'),
      smoothness: z
        .number()
        .positive()
        .default(0.015)
        .describe('of relative total variation, before circles are sought'),
      scale: z.number().positive().default(3).describe('σ of the texture that it takes away, in pixels'),
      iterations: count(3).describe('of relative total variation'),
      least: share().default(0.1).describe('least radius of an iris, as a share of the shorter side'),
      most: share().default(0.6).describe('largest radius of an iris, as a share of the shorter side'),
    })
    .prefault({}),
  data: z
    .strictObject({
      protocol: z
        .enum(PROTOCOLS)
        .default('polyu')
        .describe('polyu and iiit-d as in the paper; identities keeps whole eyes for the test'),
      domains: z
        .tuple([z.string().min(1), z.string().min(1)])
        .optional()
        .describe('names of both domains; VIS and NIR, or in the order of the data, unless stated'),
      subjects: z.number().int().positive().optional().describe('only the first subjects; 140 for polyu'),
      testShare: share().default(0.3).describe('of the eyes, for identities'),
    })
    .prefault({}),
  training: z
    .strictObject({
      epochs: count(100).describe('passes over the images of the first domain'),
      batchSize: z.number().int().min(2).default(32).describe('pairs, half of them genuine'),
      learningRate: z.number().positive().default(1e-3).describe('of SGD'),
      momentum: z.number().min(0).lt(1).default(0.99).describe('of SGD'),
      weightDecay: z.number().min(0).default(5e-4).describe('L2 on all parameters'),
      absentWeight: z.number().min(0).default(0.5).describe('λₘ, of classes that are not there'),
      reconstruction: z.number().min(0).default(0.1).describe('λᵣ, of the reconstructed difference'),
      shift: z.number().int().min(0).default(8).describe('largest circular shift of a strip, in columns'),
      trunkWeights: z
        .string()
        .optional()
        .describe(
          'first values of the trunk: a file of torchvision’s network, or a name such as resnet18.imagenet1k_v1',
        ),
      seed: z.number().int().min(0).default(0).describe('of initial values and pairs'),
    })
    .prefault({}),
  inference: z
    .strictObject({
      threshold: z
        .number()
        .default(0.5)
        .describe('least score of the same eye; training sets it where it can validate'),
      falseAcceptRate: share().default(0.01).describe('of the operating point that training sets the threshold for'),
      score: z
        .enum(['genuine', 'difference'])
        .default('genuine')
        .describe('length of the genuine capsule, or that less the length of the other'),
      rotations: z
        .array(z.number().int())
        .min(1)
        .default([0])
        .describe('circular shifts of the second strip, of which the best score counts; [-8, 0, 8] searches'),
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      genuinePairs: z
        .enum(['upper', 'all'])
        .optional()
        .describe('instances i < j, or all; upper for polyu and all otherwise unless stated'),
      imposters: z
        .number()
        .int()
        .positive()
        .optional()
        .describe('imposter pairs, drawn by the seed; all unless stated'),
      batchSize: count(32).describe('pairs compared at a time'),
    })
    .prefault({}),
  synthetic: z
    .strictObject({
      identities: z.number().int().min(2).default(40).describe('made-up eyes for training'),
      testIdentities: z.number().int().min(2).default(20).describe('other made-up eyes for the test'),
      instances: count(3).describe('images of an eye in each domain'),
      noise: z.number().min(0).default(0.5).describe('σ of the noise where the texture’s is 1'),
      blur: z.number().min(0).default(1).describe('σ of the second domain’s blur, in pixels'),
      gamma: z.number().positive().default(1.6).describe('of the second domain'),
      rotation: z.number().int().min(0).default(2).describe('largest rotation of an instance, in columns'),
      lids: share().default(0.25).describe('share of the turn, and of the rows, that the upper lid covers'),
    })
    .prefault({}),
})
export type Config = z.output<typeof Config>

/** For tests: training takes seconds. */
export const tiny = {
  network: { stemChannels: 8, decoderLayers: 1 },
  input: { size: 32 },
  normalisation: { height: 32, width: 64 },
  training: { epochs: 2, batchSize: 4, shift: 1 },
  evaluation: { imposters: 8 },
  synthetic: { identities: 4, testIdentities: 3, instances: 2 },
} as const satisfies z.input<typeof Config>
