import type { Fault } from './findings'
import type { TargetName } from './registry'

/** What a parent tells its child. */
export interface Assignment {
  readonly targets: readonly TargetName[]
  readonly seed: number
  /** Of each target. */
  readonly seconds: number
  /** Of each target, when that comes first. */
  readonly inputs: number
  readonly journal: string
  /** Where findings go. */
  readonly folder: string
  /** Bytes of tensors. */
  readonly memoryLimit: number
  readonly planted: Fault | undefined
}

/** How a child ends when the fault is its own, such as a mutator's. */
export const BROKEN = 70
