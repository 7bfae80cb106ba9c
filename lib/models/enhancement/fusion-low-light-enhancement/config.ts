import { z } from 'zod'

/** What of the method is used: all of it, or one of the paper's ablations. */
export const ABLATIONS = ['none', 'noBAB', 'noSAAB', 'noFM', 'cascade'] as const

const stage = (epochs: number) => ({
  epochs: z.number().int().positive().default(epochs).describe('passes over the training pictures'),
  learningRate: z.number().positive().default(1e-4).describe('of Adam'),
  batchSize: z.number().int().positive().default(8).describe('crops a step'),
})

export const Config = z.strictObject({
  ablation: z.enum(ABLATIONS).default('none').describe('leaves out a part of the method, as in the paper'),
  saturationExponent: z
    .number()
    .min(0)
    .default(1)
    .describe('of the ratio of means in the saturation; 1 is the paper, 0 leaves colours as they are'),
  brightness: z
    .strictObject({
      input: z.enum(['value', 'rgb']).default('value').describe('what the curve is estimated from'),
    })
    .prefault({}),
  denoising: z
    .strictObject({
      sigma: z
        .number()
        .positive()
        .max(1)
        .optional()
        .describe('of the noise in 0–1; estimated for each picture unless stated'),
    })
    .prefault({}),
  training: z
    .strictObject({
      crop: z.number().int().min(16).multipleOf(16).default(512).describe('side of the crops, where pictures allow it'),
      seed: z.number().int().min(0).default(0).describe('of initial values, crops and masks'),
      brightness: z
        .strictObject({
          ...stage(200),
          exposure: z.number().min(0).max(1).default(0.6).describe('mean that 16 × 16 regions are to have'),
          exposureNorm: z.enum(['absolute', 'square']).default('absolute').describe('absolute is the paper'),
          smoothness: z.number().min(0).default(200).describe("weight of the curve maps' total variation"),
          weightDecay: z.number().min(0).default(1e-4).describe('L2, in Adam'),
          clipNorm: z.number().positive().default(0.1).describe('largest norm of the gradients'),
        })
        .prefault({}),
      fusion: z
        .strictObject({
          ...stage(100),
          reconstruction: z.number().min(0).default(1).describe('weight of the neighbour loss'),
          regularisation: z.number().min(0).default(1).describe('weight of its regularisation'),
        })
        .prefault({}),
    })
    .prefault({}),
  adaptation: z
    .strictObject({
      brightnessSteps: z
        .number()
        .int()
        .positive()
        .default(200)
        .describe('steps on the picture itself, where there are no weights'),
      fusionSteps: z
        .number()
        .int()
        .positive()
        .default(300)
        .describe('steps on the picture itself, where there are no weights'),
      learningRate: z.number().positive().default(1e-3).describe('of both'),
      crop: z.number().int().min(16).multipleOf(16).default(128).describe('side of the crops'),
      batchSize: z.number().int().positive().default(2).describe('crops a step'),
    })
    .prefault({}),
})
export type Config = z.output<typeof Config>

/** For tests: training takes seconds. */
export const tiny = {
  training: { crop: 32, brightness: { epochs: 2, batchSize: 2 }, fusion: { epochs: 2, batchSize: 2 } },
  adaptation: { brightnessSteps: 4, fusionSteps: 4, crop: 32, batchSize: 1 },
} as const satisfies z.input<typeof Config>
