import { readFileSync } from 'node:fs'

interface Order {
  readonly n: number
  readonly seed: number
  readonly order: number[]
}

interface EpochOrder extends Order {
  readonly epoch: number
}

/** Made by tools/reference/data-order.py. */
export const order = JSON.parse(readFileSync(new URL('../../fixtures/data/order.json', import.meta.url), 'utf8')) as {
  readonly permutations: readonly [EpochOrder, EpochOrder, ...EpochOrder[]]
  readonly replacement: readonly Order[]
  readonly uniforms: readonly { readonly seed: number; readonly values: readonly number[] }[]
  readonly sampleSeeds: readonly { seed: number; epoch: number; index: number; value: number }[]
  readonly split: Order
  readonly distributed: readonly { n: number; replicas: number; dropLast: boolean; parts: number[][] }[]
}
