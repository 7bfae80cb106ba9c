import { ConfigError } from '../../../native/errors'
import type { Module } from '../../../nn'
import { noGrad, randn, tidy } from '../../../tensor'
import { BitC3d } from './c3d'
import { type Config, inputPlan } from './config'
import { BitResNet3d, I3D_50, SLOW_ONLY_50 } from './resnet3d'
import { Sign2, type Stage, StagedBinaryConv3d } from './units'

/** A network for actions: `features` and `classify` are its `forward`. */
export type ActionNetwork = BitC3d | BitResNet3d

const DEPTHS = { 'resnet3d-18': 18, 'i3d-50': I3D_50, 'slowonly-50': SLOW_ONLY_50 } as const

/**
 * The network of a config, with first values of its own.
 *
 * @throws ConfigError when clips are too short or small for it
 */
export function createNetwork(config: Config): ActionNetwork {
  const { backbone, width, hidden, dropout, ...plan } = config.network
  const { frames, size, shortSide } = inputPlan(config)
  const classes = classNames(config).length
  if (size > shortSide) {
    throw new ConfigError(`binary-3d-bitconv: input.size ${size} is larger than input.shortSide ${shortSide}`)
  }
  if (backbone !== 'c3d') return new BitResNet3d(DEPTHS[backbone], { ...plan, classes, width })
  if (frames < 16 || size < 16) {
    throw new ConfigError(
      `binary-3d-bitconv: clips of ${frames} frames of ${size} × ${size} vanish in the pools of c3d; it takes 16 frames of 16 × 16 or more`,
    )
  }
  return new BitC3d({ ...plan, classes, frames, size, width, hidden, dropout })
}

/** Names of the actions: those of the config, or numbers. */
export function classNames({ classes = 101 }: Pick<Config, 'classes'>): readonly string[] {
  if (typeof classes !== 'number') return classes
  return Array.from({ length: classes }, (_, i) => `action ${i + 1}`)
}

/** Sets what all convolutions of one bit do, see `Stage`. */
export function setStage(model: Module, stage: Stage): void {
  for (const module of model.modules()) if (module instanceof StagedBinaryConv3d) module.stage = stage
}

/**
 * Draws shifts with which the signs of all units fall on both sides, as training leaves them: in a new network what is
 * positive adds up from block to block, and signs that are all +1 give no gradient to shifts. For checks.
 */
export function spreadSigns(model: Module): void {
  noGrad(() =>
    tidy(() => {
      for (const module of model.modules()) {
        if (module instanceof StagedBinaryConv3d) module.bias?.copy_(randn([module.inChannels]).mul(0.3).sub(0.4))
        if (!(module instanceof Sign2)) continue
        module.bias1.fill_(-0.5)
        module.bias2.copy_(randn(module.bias2.shape).sub(1))
      }
    }),
  )
}
