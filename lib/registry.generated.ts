// Written by `npm run generate` from the folders of lib/models.
import { card as _iris_transformer_capsule } from './models/biometrics/iris-transformer-capsule/card'
import { card as _cau_csa_yolov5 } from './models/detection/cau-csa-yolov5/card'
import { card as _fusion_low_light_enhancement } from './models/enhancement/fusion-low-light-enhancement/card'
import { card as _stn_stochastic_triplet_neighboring } from './models/enhancement/stn-stochastic-triplet-neighboring/card'
import { card as _motion_microscopy } from './models/magnification/motion-microscopy/card'
import { card as _mitoem } from './models/segmentation/mitoem/card'
import { card as _arrow_of_time } from './models/video/arrow-of-time/card'
import { card as _binary_3d_bitconv } from './models/video/binary-3d-bitconv/card'
import { card as _rsc_wtal } from './models/video/rsc-wtal/card'
import type { SystemEntry } from './pipeline'
import { systemNamed } from './pipeline/system-named'

/** Every system: what its paper states, and how to load it. */
export const SYSTEMS = {
  'arrow-of-time': {
    card: _arrow_of_time,
    load: () => import('./models/video/arrow-of-time'),
  },
  'binary-3d-bitconv': {
    card: _binary_3d_bitconv,
    load: () => import('./models/video/binary-3d-bitconv'),
  },
  'cau-csa-yolov5': {
    card: _cau_csa_yolov5,
    load: () => import('./models/detection/cau-csa-yolov5'),
  },
  'fusion-low-light-enhancement': {
    card: _fusion_low_light_enhancement,
    load: () => import('./models/enhancement/fusion-low-light-enhancement'),
  },
  'iris-transformer-capsule': {
    card: _iris_transformer_capsule,
    load: () => import('./models/biometrics/iris-transformer-capsule'),
  },
  'mitoem': {
    card: _mitoem,
    load: () => import('./models/segmentation/mitoem'),
  },
  'motion-microscopy': {
    card: _motion_microscopy,
    load: () => import('./models/magnification/motion-microscopy'),
  },
  'rsc-wtal': {
    card: _rsc_wtal,
    load: () => import('./models/video/rsc-wtal'),
  },
  'stn-stochastic-triplet-neighboring': {
    card: _stn_stochastic_triplet_neighboring,
    load: () => import('./models/enhancement/stn-stochastic-triplet-neighboring'),
  },
} as const satisfies Readonly<Record<string, SystemEntry>>

export type SystemName = keyof typeof SYSTEMS

/** What `loadSystem` gives for a name. */
export type SystemOf<N extends SystemName> = Awaited<ReturnType<(typeof SYSTEMS)[N]['load']>>['system']

/**
 * Loads a system by name.
 *
 * @throws ConfigError when there is none of this name; it says the nearest
 * @example
 * const system = await loadSystem('fusion-low-light-enhancement')
 * using pipeline = await system.load({ weights: 'low-light.safetensors' })
 */
export async function loadSystem<N extends SystemName>(name: N): Promise<SystemOf<N>> {
  const { system } = await SYSTEMS[systemNamed(SYSTEMS, name, 'loadSystem') as SystemName].load()
  return system as SystemOf<N>
}
