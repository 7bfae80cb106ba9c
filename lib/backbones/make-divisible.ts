/**
 * The nearest multiple of `divisor`, at least one of it and not below nine tenths of `value`: how the MobileNet
 * networks and their followers round widths (Sandler et al. 2018).
 */
export function makeDivisible(value: number, divisor = 8): number {
  const nearest = Math.max(divisor, Math.floor((value + divisor / 2) / divisor) * divisor)
  return nearest < 0.9 * value ? nearest + divisor : nearest
}
