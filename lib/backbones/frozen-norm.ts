import { FrozenBatchNorm2d, type FrozenNormOptions, type Layer } from '../nn'
import type { NormLayer } from './resnet'

/** Whether norms are frozen, and what is added to their variance where that is not the default 1e-5. */
export type FrozenNorm = boolean | Pick<FrozenNormOptions, 'eps'>

/** What makes the norms of a body, where they are frozen. */
export function frozenNormLayer(frozenNorm: FrozenNorm): NormLayer | undefined {
  if (frozenNorm === false) return undefined
  return (channels): Layer => new FrozenBatchNorm2d(channels, frozenNorm === true ? {} : frozenNorm)
}
