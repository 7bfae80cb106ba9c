import { z } from 'zod'

/** The networks of YOLOv5; those with a 6 look at a fourth level, of stride 64. */
export const BASES = ['n', 's', 'm', 'l', 'x', 'n6', 's6', 'm6', 'l6', 'x6'] as const

const share = () => z.number().min(0).max(1)
const side = () => z.number().int().min(32).multipleOf(32)
const anchor = z.tuple([z.number().positive(), z.number().positive()])

export const Config = z.strictObject({
  network: z
    .strictObject({
      base: z.enum(BASES).default('s').describe('YOLOv5 of this size; the paper takes s for COCO and l6 for TT-100K'),
      upsampling: z.enum(['cau', 'nearest']).default('cau').describe('how the neck doubles maps; nearest is YOLOv5'),
      attention: z.enum(['csa', 'none']).default('csa').describe('in front of the head; none is YOLOv5'),
      window: z.number().int().min(3).default(5).describe('side of the window that CAU weighs'),
      compressed: z.number().int().positive().default(64).describe('channels that CAU predicts its weights from'),
      post: z.enum(['conv', 'none']).default('conv').describe('whether a convolution follows CAU'),
    })
    .prefault({}),
  classes: z
    .union([z.number().int().positive(), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe("names of the classes, or how many there are; the data's unless stated, and COCO's 80 without data"),
  anchors: z
    .array(z.array(anchor).min(1))
    .optional()
    .describe("widths and heights in pixels for each level; COCO's unless stated, or fitted to the data"),
  size: side().default(640).describe('side of the square that pictures are fitted into'),
  crop: side()
    .optional()
    .describe(
      'larger pictures are cut into squares of this side: at random to train, overlapping to find; 1280 for TT-100K',
    ),
  overlap: z
    .number()
    .int()
    .min(0)
    .default(512)
    .describe('of neighbouring squares; objects up to this size are whole in one'),
  inference: z
    .strictObject({
      scoreThreshold: share().default(0.25).describe('least probability of an object'),
      iouThreshold: share().default(0.45).describe('overlap above which the less probable of two boxes is dropped'),
      maxDetections: z.number().int().positive().default(300).describe('objects of a picture, at most'),
    })
    .prefault({}),
  evaluation: z
    .strictObject({
      scoreThreshold: share().default(0.001).describe('least probability of an object'),
      iouThreshold: share().default(0.6).describe("as for inference; YOLOv5's table of COCO was made with 0.65"),
      perCrop: z.boolean().default(false).describe('judges squares of larger pictures one by one, without merging'),
    })
    .prefault({}),
  training: z
    .strictObject({
      epochs: z.number().int().positive().default(300).describe('passes over the training pictures'),
      batchSize: z.number().int().positive().default(8).describe('pictures of a forward pass'),
      nominalBatch: z.number().int().positive().default(64).describe('pictures of a step of the optimiser, about'),
      learningRate: z.number().positive().default(0.01).describe('of SGD, after the warm-up'),
      finalRate: share().optional().describe('share of it at the end; 0.01 for n and s, 0.1 for larger networks'),
      momentum: z.number().min(0).lt(1).default(0.937).describe("Nesterov's"),
      weightDecay: z.number().min(0).default(5e-4).describe('of weights of convolutions'),
      warmupEpochs: z.number().min(0).default(3).describe('epochs in which the learning rate rises'),
      warmupSteps: z.number().int().min(0).default(100).describe('the same in batches, at least'),
      averageDecay: share().default(0.9999).describe('of the moving average of the weights; 0 for none'),
      averageRamp: z.number().positive().default(2000).describe('steps over which the decay rises'),
      fitAnchors: z.boolean().default(true).describe('fits anchors to the data where those given fit badly'),
      boxGain: z.number().min(0).default(0.05).describe('weight of the boxes in the loss'),
      classGain: z.number().min(0).optional().describe('weight of classes; 0.5 for n and s, 0.3 for larger networks'),
      objectnessGain: z.number().min(0).optional().describe('weight of objectness; 1 for n and s, 0.7 for larger'),
      gainSize: z
        .number()
        .positive()
        .optional()
        .describe('side that the weight of objectness is for: it goes with (side / 640)²; size unless stated'),
      mosaic: share().default(1).describe('probability of a mosaic of four pictures'),
      mixup: share().optional().describe('probability that two mosaics are mixed; 0 for n and s, 0.1 for larger'),
      hue: share().default(0.015).describe('largest change'),
      saturation: share().default(0.7).describe('largest change'),
      value: share().default(0.4).describe('largest change'),
      translate: share().default(0.1).describe('largest shift as a share of the side'),
      scale: z.number().min(0).lt(1).optional().describe('largest change of size; 0.5 for n and s, 0.9 for larger'),
      flip: share().default(0.5).describe('probability of a mirror image; 0 where left and right differ, as for signs'),
      seed: z.number().int().min(0).default(0).describe('of initial values, order and augmentation'),
    })
    .prefault({}),
})
export type Config = z.output<typeof Config>

/** For tests: training takes seconds. */
export const tiny = {
  network: { base: 'n', compressed: 8 },
  size: 64,
  training: { epochs: 2, batchSize: 4, nominalBatch: 4, warmupSteps: 2, warmupEpochs: 0, gainSize: 640 },
} as const satisfies z.input<typeof Config>

/** What the paper, after YOLOv5, sets by the size of the network. */
export function sizeDefaults({ network, training, size }: Config) {
  const small = network.base.startsWith('n') || network.base.startsWith('s')
  const { finalRate, classGain, objectnessGain, mixup, scale, gainSize } = training
  return {
    finalRate: finalRate ?? (small ? 0.01 : 0.1),
    classGain: classGain ?? (small ? 0.5 : 0.3),
    objectnessGain: objectnessGain ?? (small ? 1 : 0.7),
    mixup: mixup ?? (small ? 0 : 0.1),
    scale: scale ?? (small ? 0.5 : 0.9),
    gainSize: gainSize ?? size,
  }
}
