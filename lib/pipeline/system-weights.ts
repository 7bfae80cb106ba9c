// Weights of a system: a safetensors file that says which system, variant and options it is of.
import { existsSync } from 'node:fs'
import type { z } from 'zod'
import { readSafetensors, readSafetensorsMetadata, writeSafetensors } from '../io'
import { ConfigError, FormatError } from '../native/errors'
import type { Module } from '../nn'
import { skipInit } from '../nn'
import { type Device, resolveDevice, tidyAsync } from '../tensor'
import { type ConfigSchema, mergeConfigs, parseConfig } from './config'
import type { LoadOptions } from './pipeline'

const SYSTEM_KEY = 'vision-native.system'
const CONFIG_KEY = 'vision-native.config'

/** What makes a network of a system: part of `System`, so that a pipeline can name it before the system is whole. */
export interface Networks<S extends ConfigSchema, M extends Module> {
  readonly card: { readonly name: string; readonly selfTraining?: boolean; readonly untrained?: boolean }
  readonly config: S
  create(config: z.output<S>): M
}

/** A network that is ready to run. */
export interface LoadedNetworks<S extends ConfigSchema, M extends Module> {
  readonly model: M
  readonly config: z.output<S>
  readonly device: Device
  /** Whether the parameters are someone's weights, rather than initial values. */
  readonly trained: boolean
}

/**
 * Writes the weights of a system with its name and options, whole or not at all.
 *
 * @param options `alignment` of the tensors, see `writeSafetensors`
 */
export async function saveSystemWeights(
  path: string,
  name: string,
  config: unknown,
  model: Module,
  { alignment }: { readonly alignment?: number } = {},
): Promise<void> {
  const metadata = { [SYSTEM_KEY]: name, [CONFIG_KEY]: JSON.stringify(config) }
  await writeSafetensors(path, Object.fromEntries(model.stateDict()), { metadata, alignment })
}

/**
 * The networks of a system in evaluation mode: of the options that the weights were trained with, and `options.config`
 * over them.
 *
 * @throws ConfigError when there are no weights and the system cannot do without, or when they are another system's
 * @throws ShapeError when they do not fit the options
 */
export async function loadNetworks<S extends ConfigSchema, M extends Module>(
  networks: Networks<S, M>,
  { weights, config: over, device: wanted = 'auto' }: LoadOptions<S>,
): Promise<LoadedNetworks<S, M>> {
  const { name, selfTraining = false, untrained = false } = networks.card
  const { device } = resolveDevice(wanted)
  if (weights === undefined || weights === 'random') {
    if (weights === undefined && !selfTraining && !untrained) {
      throw new ConfigError(
        `${name}: there are no weights; pass weights: a file that \`vision-native train ${name}\` wrote, or 'random' for a trial whose results mean nothing`,
      )
    }
    const config = parseConfig(networks.config, over ?? {}, name)
    return { model: networks.create(config).to(device).eval(), config, device, trained: false }
  }
  return tidyAsync(async () => {
    const stored = await storedConfig(networks, weights)
    const config = parseConfig(networks.config, mergeConfigs(stored, over), name)
    const model = skipInit(() => networks.create(config))
    try {
      model.loadStateDict(await readSafetensors(weights))
    } catch (error) {
      model.dispose()
      throw error
    }
    return { model: model.to(device).eval(), config, device, trained: true }
  })
}

/** The options that weights were trained with. */
async function storedConfig<S extends ConfigSchema>(networks: Networks<S, Module>, path: string): Promise<unknown> {
  const { name } = networks.card
  if (!existsSync(path)) {
    throw new ConfigError(
      `${name}: there is no file ${path}; weights are a file that \`vision-native train ${name}\` wrote`,
    )
  }
  const { metadata } = await readSafetensorsMetadata(path)
  const system = metadata[SYSTEM_KEY]
  if (system !== name) {
    const whose = system === undefined ? 'does not say of which system it is' : `is of ${system}`
    throw new ConfigError(`${name}: ${path} ${whose}; weights are a file that \`vision-native train ${name}\` wrote`)
  }
  try {
    return JSON.parse(metadata[CONFIG_KEY] ?? '{}')
  } catch (cause) {
    throw new FormatError(`${name}: the config in ${path} is no JSON`, { cause })
  }
}
