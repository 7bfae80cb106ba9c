import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readSafetensors } from '../../lib/io'
import type { Tensor } from '../../lib/tensor'

const path = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

interface Facts {
  readonly clip: readonly { readonly maxNorm: number; readonly normType: string; readonly total: number }[]
  readonly scaler: readonly {
    readonly optimiser: 'Adam' | 'RMSprop'
    readonly scales: readonly number[]
    readonly state: Readonly<Record<string, number>>
  }[]
  readonly autocast: Readonly<Record<'bfloat16' | 'float16', Readonly<Record<string, string>>>>
}

/** Made by tools/reference/optim_extras.py. */
export const FACTS: Facts = JSON.parse(readFileSync(path('extras.json'), 'utf8'))

export async function readExtras(): Promise<(name: string) => Tensor> {
  const tensors = await readSafetensors(path('extras.safetensors'))
  return (name) => {
    const tensor = tensors.get(name)
    if (tensor === undefined) throw new Error(`the fixture has no ${name}`)
    return tensor
  }
}

/** Largest difference, relative to values above 1. */
export function deviation(actual: Tensor, expected: Tensor): number {
  if (String(actual.shape) !== String(expected.shape)) return Number.POSITIVE_INFINITY
  const [a, b] = [actual.detach().to('float64'), expected.to('float64')]
  return a
    .sub(b)
    .abs()
    .div(b.abs().clamp({ min: 1 }))
    .max()
    .toNumber()
}
