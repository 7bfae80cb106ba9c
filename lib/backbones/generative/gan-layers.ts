// What the networks of pix2pix, CycleGAN and SPADE share: norms by name and first values.
import { ArgumentError } from '../../native/errors'
import {
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Identity,
  InstanceNorm2d,
  init,
  type Layer,
  Linear,
  type Module,
} from '../../nn'
import { oneOf } from '../../nn/options'

/** Batch norm with learnt scale and shift, instance norm without, or no norm. */
export type GanNorm = 'batch' | 'instance' | 'none'

/** The layer of a norm; one that changes nothing for none. @throws ArgumentError for another name */
export function ganNorm(name: string, norm: GanNorm, channels: number): Layer {
  oneOf(`${name}: norm`, norm, ['batch', 'instance', 'none'])
  if (norm === 'batch') return new BatchNorm2d(channels)
  return norm === 'instance' ? new InstanceNorm2d(channels) : new Identity()
}

/** Convolutions and linear layers by `weight`, without biases; batch norms around 1, as these networks begin. */
function initialise(network: Module, fill: (layer: Conv2d | ConvTranspose2d | Linear) => void): void {
  for (const module of network.modules()) {
    if (module instanceof Conv2d || module instanceof ConvTranspose2d || module instanceof Linear) {
      fill(module)
      if (module.bias) init.zeros_(module.bias)
    } else if (module instanceof BatchNorm2d && module.weight && module.bias) {
      init.normal_(module.weight, { mean: 1, std: 0.02 })
      init.zeros_(module.bias)
    }
  }
}

/** First values of pix2pix and CycleGAN: normal with a deviation of 0.02. */
export function initialiseNormal(network: Module): void {
  initialise(network, ({ weight }) => init.normal_(weight, { std: 0.02 }))
}

/** First values of SPADE: Glorot's normal ones with a gain of 0.02. */
export function initialiseXavier(network: Module): void {
  initialise(network, ({ weight }) => init.xavierNormal_(weight, { gain: 0.02 }))
}

/** @throws ArgumentError unless every value is a whole number of 1 or more */
export function checkCounts(name: string, values: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(values)) {
    if (Number.isSafeInteger(value) && value >= 1) continue
    throw new ArgumentError(`${name}: ${key} is ${value}; it must be a whole number of 1 or more`)
  }
}
