// A trained network of one bit as it is deployed: its weights as bits, its norms folded.
import { ConfigError } from '../../../native/errors'
import { skipInit } from '../../../nn'
import { loadNetworks, saveSystemWeights } from '../../../pipeline'
import { noGrad, tidy, tidyAsync } from '../../../tensor'
import { card } from './card'
import { Config } from './config'
import { type ActionNetwork, createNetwork } from './model'
import { BinaryUnit, ConvNorm, PackedUnit } from './units'

/** Where tensors begin in a packed file: a multiple of this, so that it can be mapped and read by whole cache lines. */
const ALIGNMENT = 64

/** The config of the packed network. */
export function packedConfig(config: Config): Config {
  return { ...config, network: { ...config.network, precision: 'packed' } }
}

/**
 * The network for inference: bits in place of weights, norms folded into a multiply-add or into the convolution before
 * them. It is a copy, on the device of the network.
 *
 * @throws ConfigError when the network is not one of one bit, or is in the middle of its training
 */
export function packNetwork(model: ActionNetwork, config: Config): ActionNetwork {
  if (config.network.precision !== 'binary') {
    throw new ConfigError(
      `packNetwork: the network is ${config.network.precision}; only one of network.precision=binary can be packed`,
    )
  }
  const wasTraining = model.training
  try {
    model.eval()
    return noGrad(() => tidy(() => filled(model, config)))
  } finally {
    model.train(wasTraining)
  }
}

function filled(model: ActionNetwork, config: Config): ActionNetwork {
  const packed = skipInit(() => createNetwork(packedConfig(config)))
    .to(model.classifier.weight.device)
    .eval()
  const state = model.stateDict()
  const sources = new Map(model.namedModules())
  const folded: string[] = []
  for (const [name, target] of packed.namedModules()) {
    const source = sources.get(name)
    if (target instanceof PackedUnit && source instanceof BinaryUnit) {
      if (source.conv.stage !== 'binary') {
        throw new ConfigError(
          `packNetwork: ${name} is in the stage '${source.conv.stage}'; train the stage 'binary' first`,
        )
      }
      target.conv.loadStateDict(source.toPacked().stateDict())
    } else if (target instanceof ConvNorm && source instanceof ConvNorm) {
      target.conv.loadStateDict(source.fused().stateDict())
    } else continue
    folded.push(`${name}.`)
  }
  for (const [name, tensor] of packed.stateDict()) {
    const value = state.get(name)
    if (value !== undefined && !folded.some((prefix) => name.startsWith(prefix))) tensor.copy_(value)
  }
  return packed
}

/** Writes a packed network, whole or not at all; the pipeline loads it as it loads any weights. */
export async function savePacked(path: string, packed: ActionNetwork, config: Config): Promise<void> {
  await saveSystemWeights(path, card.name, packedConfig(config), packed, { alignment: ALIGNMENT })
}

/**
 * Packs the weights that training wrote.
 *
 * @param weights a file that `vision-native train` wrote
 * @param path the packed file, `.safetensors`
 * @throws ConfigError when the weights are not those of a network of one bit
 */
export async function exportPacked(weights: string, path: string): Promise<void> {
  await tidyAsync(async () => {
    const { model, config } = await loadNetworks(
      { card, config: Config, create: createNetwork },
      { weights, device: 'cpu' },
    )
    using trained = model
    using packed = packNetwork(trained, config)
    await savePacked(path, packed, config)
  })
}
