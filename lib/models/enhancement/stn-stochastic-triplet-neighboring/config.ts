import { z } from 'zod'

/** The paper's method, and those it is compared with. */
export const METHODS = ['stn', 'nb2nb', 'n2n', 'n2c', 'nr2n', 'r2r'] as const
export type Method = (typeof METHODS)[number]

/** Ranges of the mixing weight that the paper tries (Fig. 5); it finds the last best. */
export const MIXING_RANGES = [
  [-3, -2],
  [-2, -1],
  [-1, 0],
  [0, 1],
  [1, 2],
] as const

export const Config = z.strictObject({
  method: z
    .enum(METHODS)
    .default('stn')
    .describe('stn is the paper; nb2nb ignores the third neighbour; n2n, n2c, nr2n, r2r are its other baselines'),
  mixing: z
    .strictObject({
      low: z.number().default(1).describe('least weight of the second neighbour; that of the third is 1 minus it'),
      high: z.number().default(2).describe('largest weight of the second neighbour'),
      shared: z.boolean().default(false).describe('one weight for all channels of a pixel'),
    })
    .refine(({ low, high }) => low <= high, { message: 'low must not be above high' })
    .prefault({}),
  network: z
    .strictObject({
      channels: z
        .union([z.literal(1), z.literal(3)])
        .default(3)
        .describe('of the pictures: 3 colour, 1 grey'),
      width: z.number().int().positive().default(48).describe('channels of the encoder; the decoder has twice as many'),
      initScale: z.number().positive().default(0.1).describe('factor of the first weights; small data need 1'),
    })
    .prefault({}),
  noise: z
    .strictObject({
      sigma: z
        .number()
        .positive()
        .default(25)
        .describe('of the noise added to clean data, on 0–255; nr2n and r2r must know it of noisy data too'),
    })
    .prefault({}),
  data: z
    .strictObject({
      crop: z.number().int().min(64).multipleOf(64).default(128).describe('side of the crops, one for each picture'),
      train: z.number().int().positive().optional().describe('training pictures, all unless stated; sets are nested'),
      test: z.number().int().positive().optional().describe('test pictures, all unless stated; sets are nested'),
      score: z
        .enum(['crop', 'whole'])
        .default('crop')
        .describe('test on crops from the middle, as the paper, or on whole pictures'),
      noisySuffix: z.string().min(1).default('_real').describe('ends the names of noisy pictures'),
      cleanSuffix: z.string().min(1).default('_mean').describe('ends the names of clean ones beside them'),
    })
    .prefault({}),
  training: z
    .strictObject({
      epochs: z.number().int().positive().default(200).describe('passes over the crops'),
      batchSize: z.number().int().positive().default(4).describe('crops a step'),
      learningRate: z
        .number()
        .positive()
        .default(1e-3)
        .describe('of Adam; halved after 20, 40, 60 and 80 % of the epochs'),
      regularisation: z.number().min(0).default(2).describe('weight of the regularisation in the last epoch'),
      seed: z.number().int().min(0).default(0).describe('of first weights, crops, noise, order and neighbours'),
      validateEvery: z.number().int().positive().default(1).describe('epochs between two scores of the test pictures'),
      sampleEpochs: z
        .array(z.number().int().positive())
        .default([50, 100, 150, 200])
        .describe('epochs after which test pictures are written (Fig. 3)'),
    })
    .prefault({}),
  adaptation: z
    .strictObject({
      steps: z
        .number()
        .int()
        .positive()
        .default(1000)
        .describe('on the pictures themselves, where there are no weights'),
      learningRate: z
        .number()
        .positive()
        .default(1e-3)
        .describe('of Adam; halved after 20, 40, 60 and 80 % of the steps'),
      crop: z.number().int().min(64).multipleOf(64).default(128).describe('side of the crops'),
      batchSize: z.number().int().positive().default(4).describe('crops a step, one of each picture at most'),
      initScale: z.number().positive().default(1).describe('factor of the first weights'),
    })
    .prefault({}),
  inference: z
    .strictObject({
      tile: z.number().int().min(64).multipleOf(32).default(512).describe('side of the pieces of large pictures'),
      halo: z
        .number()
        .int()
        .min(0)
        .multipleOf(32)
        .default(128)
        .describe('overlap of the pieces; from 128 on the result is that of the whole picture'),
    })
    .prefault({}),
})
export type Config = z.output<typeof Config>

/** For tests: training takes seconds. */
export const tiny = {
  network: { width: 4, initScale: 1 },
  data: { crop: 64, train: 4, test: 2 },
  training: { epochs: 2, batchSize: 2, sampleEpochs: [] },
  adaptation: { steps: 4, crop: 64 },
} as const satisfies z.input<typeof Config>
