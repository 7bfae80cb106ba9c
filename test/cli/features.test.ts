import { describe, expect, test, vi } from 'vitest'
import { resnet18 } from '../../lib/backbones'
import { features as runFeatures } from '../../lib/cli/features'
import { readSafetensors, readSafetensorsMetadata, writeSafetensors } from '../../lib/io'
import { skipInit } from '../../lib/nn'
import { tidyAsync } from '../../lib/tensor'
import { runCli } from '../support/cli'
import { fillWithHash } from '../support/hash-weights'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()
const PHOTOS = ['examples/data/rubberwhale1.png', 'examples/data/rubberwhale2.png']

describe('vision-native features', () => {
  test('writes a row for each photograph, from weights in a file', async () => {
    await tidyAsync(async () => {
      const model = skipInit(() => resnet18())
      fillWithHash(model)
      await writeSafetensors(folder('weights.safetensors'), model.stateDict())
      const output = folder('features.safetensors')
      const printed = vi.spyOn(console, 'log').mockReturnValue()
      const options = { model: 'resnet18', weights: folder('weights.safetensors'), output, batchSize: 16, json: true }
      expect(await runFeatures(PHOTOS, options, { signal: new AbortController().signal })).toBe(0)
      const summary = JSON.parse(String(printed.mock.calls[0]?.[0]))
      expect(summary).toMatchObject({ model: 'resnet18', layer: 'avgpool', shape: [2, 512], images: PHOTOS })
      printed.mockRestore()
      const features = (await readSafetensors(output)).get('features')
      expect(features?.shape).toEqual([2, 512])
      expect(features?.isfinite().all().item()).toBe(true)
      expect((await readSafetensorsMetadata(output)).metadata.images).toBe(JSON.stringify(PHOTOS))
    })
  })

  test('runs on random weights only when asked, and says so', async () => {
    const args = ['features', ...PHOTOS, '--model', 'resnet18', '-o', folder('random.safetensors')]
    const without = await runCli(args)
    expect(without.code).toBe(2)
    expect(without.stderr).toMatch(/--weights/)
    const random = await runCli([...args, '--weights', 'random', '--layer', 'layer1', '--batch-size', '1'])
    expect(random.code).toBe(0)
    expect(random.stderr).toMatch(/weights are random/)
    expect(random.stdout).toMatch(/features \[2, 64, 56, 56\]: .*random\.safetensors/)
  })

  test.each([
    [['--model', 'resnet19'], /there is no network 'resnet19'; the nearest names are resnet1/],
    [['--model', 'resnet18', '-o', 'features.npy'], /is to end in \.safetensors/],
  ])('ends with 2 on %j', async (args, message) => {
    const { code, stderr } = await runCli(['features', ...PHOTOS, '-o', folder('no.safetensors'), ...args])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})
