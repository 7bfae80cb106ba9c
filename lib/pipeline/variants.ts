// Ablations: variants of a system trained alike on one data set, each in a folder of its own.
import { join } from 'node:path'
import { tidyAsync } from '../tensor'
import { throwIfCancelled } from './pipeline'
import type { DataOptions, TrainRequest } from './system'

export interface CompareOptions<Config, Variant extends string> extends DataOptions {
  readonly config: Config
  /** Each variant's run has a folder in it. */
  readonly folder: string
  readonly resume?: boolean
  readonly progress?: boolean
  /** All unless stated. */
  readonly variants?: readonly Variant[]
}

/**
 * Rows of an ablation table, one variant after the other.
 *
 * @param variants what each changes of the network's options
 * @param judge trains a variant and gives its row
 * @throws CancelledError
 */
export async function compareNetworks<Config extends { readonly network: object }, Variant extends string, Row>(
  variants: Readonly<Record<Variant, Partial<Config['network']>>>,
  options: CompareOptions<Config, Variant>,
  judge: (variant: Variant, request: TrainRequest<Config>) => Promise<Row>,
): Promise<Row[]> {
  const { config, folder, signal, resume = false, progress = false } = options
  const rows: Row[] = []
  for (const variant of options.variants ?? (Object.keys(variants) as Variant[])) {
    throwIfCancelled(signal, 'compareVariants')
    const own: Config = { ...config, network: { ...config.network, ...variants[variant] } }
    const request = {
      ...options,
      config: own,
      folder: join(folder, variant.replaceAll(/[ +]+/g, '-')),
      resume,
      progress,
    }
    rows.push(await tidyAsync(() => judge(variant, request)))
  }
  return rows
}
