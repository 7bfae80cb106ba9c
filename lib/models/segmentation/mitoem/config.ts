import { z } from 'zod'
import { ConfigError } from '../../../native/errors'
import { VIEW_SETS } from './test-time'

const share = () => z.number().min(0).max(1)
const whole = () => z.number().int().min(0)
const sides = (d: number, h: number, w: number) => z.tuple([whole(), whole(), whole()]).default([d, h, w])
const likely = (value: number, what: string) => share().default(value).describe(`how often: ${what}`)

const AFFINITY_DECODERS: readonly string[] = ['zwatershed', 'waterz', 'multicut']

/** How maps become objects. */
export const DECODERS = ['cc', 'mw', 'iou', 'zwatershed', 'waterz', 'multicut'] as const

export const Config = z.strictObject({
  network: z
    .strictObject({
      kind: z.enum(['u3d', 'u2d']).default('u3d').describe('residual 3D U-Net, or the U-Net of 2015 slice by slice'),
      representation: z
        .enum(['B', 'BC', 'A', 'AC'])
        .default('BC')
        .describe('what is predicted: mask (B), contour (C), affinities (A)'),
      width: z.number().positive().default(1).describe('of the paper’s channels'),
      finalNorm: z.boolean().default(true).describe('batch norm before the sigmoid, as in the release; u3d only'),
    })
    .prefault({}),
  targets: z
    .strictObject({
      erosion: whole().default(1).describe('half side of the window in which objects that touch lose their border'),
      contourHalf: whole().default(2).describe('half side of the window of contours'),
      contourBackground: z.boolean().default(true).describe('whether the border to the background is a contour'),
    })
    .prefault({}),
  training: z
    .strictObject({
      window: sides(32, 256, 256).describe('voxels of a sample: slices, rows, columns; 112, 112, 112 for Lucchi'),
      batchSize: z.number().int().positive().default(4).describe('samples a step'),
      steps: z
        .number()
        .int()
        .positive()
        .optional()
        .describe('of the optimiser; 50,000 for affinities and 100,000 otherwise unless stated'),
      learningRate: z
        .number()
        .positive()
        .optional()
        .describe('of SGD; 0.0005 for affinities and 0.001 otherwise unless stated; 0.01 for Lucchi'),
      warmup: whole().default(1000).describe('steps in which the rate rises from a thousandth'),
      milestones: z.array(whole()).default([30_000, 35_000]).describe('steps at which the rate falls to a tenth'),
      momentum: share().default(0.9).describe('of SGD'),
      weightDecay: z.number().min(0).default(1e-4).describe('L2, for convolutions alone'),
      dice: z.number().min(0).default(0).describe('weight of the soft Dice loss; 1 in the release for Lucchi'),
      chunks: sides(8, 2, 2).describe('overlapping chunks of a large volume that are read one after the other'),
      chunkSteps: z.number().int().positive().default(2500).describe('steps with a chunk'),
      checkpointSteps: z.number().int().positive().default(1000).describe('steps between two checkpoints'),
      seed: whole().default(0).describe('of initial values, samples and augmentation'),
    })
    .prefault({}),
  augmentation: z
    .strictObject({
      enabled: z.boolean().default(true).describe('whether samples are changed at random'),
      rotation: likely(0.5, 'a turn by any angle in the slice'),
      rescale: likely(0.5, 'rows and columns each 0.8 to 1.2 times as large'),
      elastic: likely(0.75, 'a smooth random deformation of all slices alike'),
      grayscale: likely(0.75, 'other contrast, brightness and gamma'),
      missingParts: likely(0.9, 'thick lines without content'),
      missingSection: likely(0.5, 'slices that are left out'),
      misalignment: likely(0.5, 'slices that slip'),
      motionBlur: likely(0.5, 'two slices blurred along a line'),
      cutBlur: likely(0.5, 'a box at a lower resolution'),
      cutNoise: likely(0.75, 'a box with noise'),
      flips: z.boolean().default(true).describe('mirrors and transposes slices'),
      isotropic: z.boolean().default(false).describe('slices may be mirrored and blurred along z too, as for Lucchi'),
      smoothLabels: z.boolean().default(true).describe('smooths the outlines of objects after the changes'),
    })
    .prefault({}),
  inference: z
    .strictObject({
      window: sides(32, 256, 256).describe('voxels that the network sees at a time'),
      stride: sides(16, 128, 128).describe('from window to window'),
      pad: sides(16, 128, 128).describe('mirrored voxels around the volume'),
      views: z
        .enum(VIEW_SETS)
        .default('z-transpose')
        .describe('flips and transposes of each window whose mean is taken'),
      sigma: z.number().positive().default(0.8).describe('of the weight of voxels by their distance from the centre'),
      block: sides(128, 1024, 1024).describe('voxels that are predicted in one piece; bounds the memory'),
    })
    .prefault({}),
  decoding: z
    .strictObject({
      decoder: z
        .enum(DECODERS)
        .optional()
        .describe('components, marker watershed, slices joined by overlap; for affinities zwatershed and its kin'),
      seed: share().optional().describe('mask above which a voxel belongs to a seed or component'),
      contour: share().optional().describe('contour below which it does'),
      foreground: share().default(0.85).describe('mask above which seeds grow'),
      smallest: whole().default(128).describe('voxels of the smallest object'),
      smallestSeed: whole().default(0).describe('voxels of the smallest seed'),
      leastOverlap: share().default(0.25).describe('IoU above which components of neighbouring slices are one object'),
      affinity: z
        .strictObject({
          low: share().default(0.1).describe('weaker affinities are none'),
          high: share().default(0.95).describe('stronger ones always join'),
          size: whole().default(600).describe('zwatershed: voxels below which a basin is merged'),
          merge: share().default(0.3).describe('zwatershed: affinity from which it is'),
          threshold: share().default(0.5).describe('waterz: 1 − mean affinity up to which basins merge'),
        })
        .prefault({}),
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      score: z
        .enum(['size', 'probability'])
        .default('size')
        .describe('what orders the predictions: voxels, as in the release, or the mean of the mask'),
      ranges: z.enum(['released', 'coco']).default('released').describe('which predictions count for a range of sizes'),
    })
    .prefault({}),
})
export type Config = z.output<typeof Config>

/** For tests: training takes seconds. */
export const tiny = {
  network: { width: 0.125 },
  training: { window: [4, 32, 32], batchSize: 2, steps: 4, learningRate: 0.05, warmup: 2, checkpointSteps: 2 },
  augmentation: { smoothLabels: false },
  inference: { window: [4, 32, 32], stride: [4, 32, 32], pad: [0, 0, 0], views: 'none' },
  decoding: { smallest: 8 },
} as const satisfies z.input<typeof Config>

/** Decoder and thresholds of the paper's table, where the config does not say others. */
export function decodingOf({ network, decoding }: Config) {
  const affinities = network.representation.startsWith('A')
  const decoder = decoding.decoder ?? (affinities ? 'zwatershed' : network.kind === 'u2d' ? 'cc' : 'mw')
  if (AFFINITY_DECODERS.includes(decoder) !== affinities) {
    throw new ConfigError(
      `mitoem: decoding.decoder ${decoder} is for ${affinities ? 'masks' : 'affinities'}; the network predicts ${network.representation}`,
    )
  }
  const contours = network.representation === 'BC'
  const seed = decoder === 'mw' ? (contours ? 0.9 : 0.98) : 0.8
  const contour = decoder === 'mw' ? 0.8 : 0.5
  return { ...decoding, decoder, seed: decoding.seed ?? seed, contour: decoding.contour ?? contour }
}

/** Steps and learning rate of the representation, where the config does not say others. */
export function scheduleOf({ network, training }: Config): { readonly steps: number; readonly learningRate: number } {
  const affinities = network.representation === 'A'
  return {
    steps: training.steps ?? (affinities ? 50_000 : 100_000),
    learningRate: training.learningRate ?? (affinities ? 5e-4 : 1e-3),
  }
}
