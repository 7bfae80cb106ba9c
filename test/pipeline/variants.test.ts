import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compareNetworks } from '../../lib/pipeline'

const VARIANTS = { base: { width: 1 }, '+ A + B': { extra: true } } as const
const options = {
  ...{ config: { network: { width: 2, extra: false }, steps: 5 }, folder: 'runs' },
  ...{ data: 'synthetic', device: 'cpu' as const, note: () => {} },
}

test('each variant has its change of the network and its own folder; some alone when asked', async () => {
  const seen = await compareNetworks(VARIANTS, options, async (variant, { config, folder, resume }) => {
    return { variant, config, folder, resume }
  })
  expect(seen).toEqual([
    {
      variant: 'base',
      config: { network: { width: 1, extra: false }, steps: 5 },
      folder: join('runs', 'base'),
      resume: false,
    },
    {
      variant: '+ A + B',
      config: { network: { width: 2, extra: true }, steps: 5 },
      folder: join('runs', '-A-B'),
      resume: false,
    },
  ])
  const one = { ...options, variants: ['base'] as const }
  expect(await compareNetworks(VARIANTS, one, async (variant) => variant)).toEqual(['base'])
  const stopped = { ...options, signal: AbortSignal.abort() }
  await expect(compareNetworks(VARIANTS, stopped, async (variant) => variant)).rejects.toThrow(
    /compareVariants: cancelled/,
  )
})
