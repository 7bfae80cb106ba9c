// A system's own weights: safetensors with its name and its options inside.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { Linear, type Module, Sequential } from '../../../lib/nn'
import { loadNetworks, saveSystemWeights } from '../../../lib/pipeline'
import { tidyAsync } from '../../../lib/tensor'
import { safetensorsHeader } from '../formats'
import { bytes, json, text, within } from '../mutators'
import type { Target } from '../target'

const networks = {
  card: { name: 'fuzzed' },
  config: z.strictObject({
    width: z.int().min(1).max(64).default(3),
    layers: z.array(z.int().min(1).max(64)).max(4).default([2]),
  }),
  create: ({ width, layers }: { readonly width: number; readonly layers: readonly number[] }): Module =>
    new Sequential(...layers.map((out, i) => new Linear(layers[i - 1] ?? width, out))),
}

async function saved(): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'vision-native-fuzz-'))
  try {
    const path = join(folder, 'weights.safetensors')
    const config = { width: 3, layers: [4, 2] }
    await tidyAsync(() => saveSystemWeights(path, 'fuzzed', config, networks.create(config)))
    return readFileSync(path)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const inHeader = (inner: ReturnType<typeof json>) => within(safetensorsHeader, inner)

export const weights: Target = {
  corpus: [await saved()],
  mutators: [bytes(), inHeader(json('vision-native.config', 'vision-native.system', '{"width":5}')), inHeader(text())],
  read: async (_, path) => {
    const { model } = await loadNetworks(networks, { weights: path, device: 'cpu' })
    model.dispose()
  },
}
