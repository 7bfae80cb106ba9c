import { z } from 'zod'

const positive = z.number().positive()
const count = z.int().positive()

export const Config = z.strictObject({
  magnification: z
    .number()
    .min(0)
    .default(20)
    .describe('how many times larger motions of the band become: 20 to 400 in the paper; 1 leaves them as they are'),
  band: z
    .tuple([z.number().min(0), positive])
    .optional()
    .describe('frequencies to magnify, [low, high] in Hz, such as [1.6, 1.8]'),
  filter: z
    .enum(['auto', 'butterworth', 'ideal', 'fir', 'minus-mean', 'none'])
    .default('auto')
    .describe(
      'along time: first-order Butterworth band-pass, ideal or FIR band-pass of `band`; displacement from the mean; auto: Butterworth where there is a band, else from the mean',
    ),
  taps: z.int().min(3).default(61).describe('length of the FIR filter in frames, odd'),
  motion: z
    .strictObject({
      levels: count.default(2).describe('finest scales of the pyramid that motion is measured in'),
      sigma: positive.default(3).describe('standard deviation of the window of equal motion, px'),
      radius: count.default(9).describe('the window is 2 · radius + 1 pixels wide'),
      gradients: z
        .enum(['reference', 'per-frame'])
        .default('reference')
        .describe(
          'amplitudes and phase gradients of the first frame, or of each frame (the literal text, 3 times slower)',
        ),
      unwrap: z.boolean().default(true).describe('follows phases over time beyond half a wave'),
    })
    .prefault({})
    .describe('measurement'),
  rendering: z
    .strictObject({
      levels: count.optional().describe('scales of the pyramid; ⌊log₂ of the shorter side⌋ − 2 unless stated'),
      orientations: z.int().min(2).default(4).describe('directions of the pyramid'),
      denoise: z
        .number()
        .min(0)
        .default(2)
        .describe('standard deviation over which phases are averaged, in px of each scale; 0: not at all'),
    })
    .prefault({})
    .describe('magnified video'),
  boundary: z
    .enum(['replicate', 'periodic'])
    .default('replicate')
    .describe('beyond the edge of a picture: its edge, without a say in the measurement; or its opposite side'),
  padding: z.int().min(0).default(32).describe('how far the edge is repeated, px'),
  noise: z
    .strictObject({
      bins: count.default(64).describe('points of the noise level function'),
      gradient: positive.default(0.05).describe('pixels with a steeper gradient (of 0–1) are left out'),
      frames: z.int().min(2).default(100).describe('simulated frames that error bars are taken from'),
      seed: z.int().min(0).default(0).describe('of the simulation'),
    })
    .prefault({})
    .describe('error bars'),
  interpolation: z
    .strictObject({
      lambda: positive.default(300).describe('weight of smoothness'),
      largest: positive.default(0.1).describe('variances above, px², count as unknown'),
      clamp: z
        .enum(['eigenvalues', 'components'])
        .default('eigenvalues')
        .describe('what is compared with it; components may leave a covariance that is none'),
    })
    .prefault({})
    .describe('filling in where nothing can be measured'),
  limits: z
    .strictObject({
      memory: positive.default(8).describe('most that maps of a clip may take, GiB'),
      result: positive
        .default(2)
        .describe('most that a result in memory may take, GiB; files are written as they are made'),
    })
    .prefault({})
    .describe('what a clip may ask for'),
})

export type Config = z.output<typeof Config>

/** For tests: few frames are simulated. */
export const tiny = { noise: { frames: 4 } } as const
