import type { Monitor } from './options'

/** Whether a watched value still gets better. */
export class Improvement {
  best: number | null = null
  /** Values since the best one. */
  since = 0

  constructor(
    readonly monitor: Monitor,
    readonly minDelta = 0,
  ) {}

  /** Takes a value; true when it is the best so far. NaN never is. */
  judge(value: number): boolean {
    const gain = this.best === null ? Number.POSITIVE_INFINITY : value - this.best
    const better = (this.monitor.mode === 'max' ? gain : this.best === null ? gain : -gain) > this.minDelta
    if (better && !Number.isNaN(value)) {
      this.best = value
      this.since = 0
      return true
    }
    this.since += 1
    return false
  }
}
