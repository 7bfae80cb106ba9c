/** Numbers by name. */
export type Values = Readonly<Record<string, number>>

/** A line of the log: some steps of training, or the end of an epoch. */
export type TrainingRecord = StepRecord | EpochRecord

export interface StepRecord {
  readonly kind: 'step'
  /** Steps of the optimiser so far. */
  readonly step: number
  /** Whole epochs so far: 0 in the first. */
  readonly epoch: number
  /** Mean since the last record. */
  readonly loss: number
  readonly learningRate: number
  /** Norm of the gradients before clipping, where they are clipped. */
  readonly gradNorm?: number | undefined
  /** Further values that the loss function gave, as means since the last record. */
  readonly values?: Values | undefined
}

export interface EpochRecord {
  readonly kind: 'epoch'
  readonly step: number
  /** Epochs so far. */
  readonly epoch: number
  /** Mean over the epoch. */
  readonly loss: number
  readonly learningRate: number
  readonly values?: Values | undefined
  readonly validation?: Values | undefined
  readonly seconds: number
  readonly samplesPerSecond: number
  /** Share of the time in which training waited for data, 0–1. */
  readonly waitShare: number
}
