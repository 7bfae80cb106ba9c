import { mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { alexnet, createBackbone, LAYOUTS, squeezenet1_1 } from '../../lib/backbones'
import { convert } from '../../lib/cli/convert'
import { loadNetworkWeights } from '../../lib/cli/network-weights'
import { loadPth, readSafetensors, savePth, stateDictOf } from '../../lib/io'
import { skipInit } from '../../lib/nn'
import { ones, type Tensor, tidyAsync } from '../../lib/tensor'
import { runCli } from '../support/cli'
import { fillWithHash } from '../support/hash-weights'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()
const env = () => ({ VISION_NATIVE_CACHE: folder('cache'), VISION_NATIVE_WEIGHTS_MIRROR: folder('mirror') })

describe('vision-native weights', () => {
  test('lists the table', async () => {
    const { code, stdout } = await runCli(['weights', 'list', 'resnet50', '--json'], { env: env() })
    expect(code).toBe(0)
    const names = JSON.parse(stdout).weights.map(({ name }: { name: string }) => name)
    expect(names).toContain('resnet50.imagenet1k_v2')
    expect(names.every((name: string) => name.includes('resnet50'))).toBe(true)
  })

  test('refuses a file of the mirror that is not the published one, and says what is not there', async () => {
    mkdirSync(folder('mirror'), { recursive: true })
    writeFileSync(folder('mirror', 'resnet18-f37072fd.pth'), 'not these')
    const pull = await runCli(['weights', 'pull', 'resnet18', '--json'], { env: env() })
    expect(pull.code).toBe(1)
    expect(JSON.parse(pull.stdout).error.message).toMatch(/the published one begins with f37072fd/)
    const verify = await runCli(['weights', 'verify', '--json'], { env: env() })
    expect(verify.code).toBe(1)
    expect(JSON.parse(verify.stdout).verified).toMatchObject([{ name: 'resnet18.imagenet1k_v1', ok: false }])
  })

  test('converts .pth to .safetensors and back with other names', async () => {
    vi.spyOn(console, 'log').mockReturnValue()
    await tidyAsync(async () => {
      await savePth(folder('a.pth'), new Map([['module.fc.weight', ones([2, 3])]]))
      const rename = ['module.fc.*=head.*', 'module.*=*']
      expect(await convert(folder('a.pth'), folder('a.safetensors'), { rename })).toBe(0)
      expect([...(await readSafetensors(folder('a.safetensors'))).keys()]).toEqual(['head.weight'])
      expect(await convert(folder('a.safetensors'), folder('b.pth'), { rename, reverse: true })).toBe(0)
      const state = stateDictOf(await loadPth(folder('b.pth')))
      expect(state.get('module.fc.weight')?.equal(ones([2, 3]))).toBe(true)
      await expect(convert(folder('a.pth'), folder('a.npy'), {})).rejects.toThrow(/is to end in \.safetensors/)
      await expect(convert(folder('a.pth'), folder('c.pth'), { layout: 'keras' })).rejects.toThrow(/no layout 'keras'/)
    })
    vi.restoreAllMocks()
  })

  test('are loaded into the network they are of; of another one it is said which', async () => {
    await tidyAsync(async () => {
      const network = skipInit(() => squeezenet1_1())
      fillWithHash(network)
      const file = folder('squeezenet1_1-b8a52dc0.pth')
      await savePth(file, network.stateDict())
      const other = skipInit(() => squeezenet1_1())
      expect(await loadNetworkWeights('squeezenet1_1', other, file, 'test')).toBeUndefined()
      expect(
        [...other.stateDict()].every(([name, tensor]) => tensor.equal(network.stateDict().get(name) as Tensor)),
      ).toBe(true)
      await expect(
        loadNetworkWeights(
          'alexnet',
          skipInit(() => alexnet()),
          file,
          'test',
        ),
      ).rejects.toThrow(/holds no weights of alexnet: it is a checkpoint of 'squeezenet1_1'/)
    })
  })

  test('are loaded under the names of their publisher too', async () => {
    await tidyAsync(async () => {
      const network = skipInit(() => createBackbone('deit_tiny_patch16_224'))
      fillWithHash(network)
      const file = folder('deit.pth')
      await savePth(file, new Map([['model', LAYOUTS['vit-timm'].toPublished(network.stateDict())]]))
      const other = skipInit(() => createBackbone('deit_tiny_patch16_224'))
      expect(await loadNetworkWeights('deit_tiny_patch16_224', other, file, 'test')).toBe('vit-timm')
      expect(
        [...other.stateDict()].every(([name, tensor]) => tensor.equal(network.stateDict().get(name) as Tensor)),
      ).toBe(true)
    })
  })

  test('are named with the command that fetches them when they are not here', async () => {
    const args = ['features', 'examples/data/rubberwhale1.png', '-o', folder('f.safetensors'), '--model', 'resnet50']
    const { code, stderr } = await runCli(args, { env: { VISION_NATIVE_CACHE: folder('cache') } })
    expect(code).toBe(2)
    expect(stderr).toMatch(/run `vision-native weights pull resnet50\.imagenet1k_v2`/)
  })
})
