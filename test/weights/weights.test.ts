import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { backboneNames } from '../../lib/backbones'
import {
  adaptState,
  bestFit,
  describeFit,
  listWeights,
  localWeights,
  parseRenameRule,
  pullWeights,
  rankFits,
  renameState,
  reverseRules,
  verifyWeights,
  type WeightsEntry,
  weightsEntries,
  weightsEntry,
} from '../../lib/weights'
import { corrupting, serveFile, well } from '../support/file-server'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()

describe('the table of weights', () => {
  test('has what torchvision publishes, with the digits of its names', () => {
    expect(weightsEntry('resnet18.imagenet1k_v1')).toEqual({
      name: 'resnet18.imagenet1k_v1',
      network: 'resnet18',
      task: 'image-classification',
      url: 'https://download.pytorch.org/models/resnet18-f37072fd.pth',
      file: 'resnet18-f37072fd.pth',
      sha256Prefix: 'f37072fd',
      licence: 'BSD-3-Clause',
      layout: 'torchvision',
    })
    expect(weightsEntry('resnet50').name).toBe('resnet50.imagenet1k_v2')
    expect(weightsEntry('raft_large').name).toBe('raft_large.c_t_skht_v2')
    expect(weightsEntry('shufflenet_v2_x1_0').sha256Prefix).toBe('5666bf0f80')
  })

  test('tells each file apart, by https, with a checksum wherever a name or an address holds one', () => {
    const entries = weightsEntries()
    expect(entries.length).toBeGreaterThan(130)
    expect(new Set(entries.map(({ file }) => file)).size).toBe(entries.length)
    for (const { name, network, url, sha256, sha256Prefix, layout } of entries) {
      expect(name.startsWith(`${network}.`)).toBe(true)
      expect(url).toMatch(/^https:\/\//)
      if (layout === 'torchvision') expect(url).toContain(`-${sha256Prefix}.pth`)
      if (layout === 'openai-clip') expect(url).toContain(`/${sha256}/`)
    }
    expect(weightsEntry('clip_vit_b_32').layout).toBe('transformers')
    expect(weightsEntry('gpt2').file).toBe('gpt2.webtext.safetensors')
  })

  test('is of networks that the registry has', () => {
    const names: readonly string[] = backboneNames()
    expect(weightsEntries().filter(({ network }) => !names.includes(network))).toEqual([])
  })

  test('names the nearest when there are none of a name', () => {
    expect(() => weightsEntry('resnet49.imagenet1k_v1')).toThrow(/the nearest names are resnet/)
  })
})

describe('pullWeights', () => {
  const CONTENT = Buffer.from('weights')
  const entryAt = (url: string, more: Partial<WeightsEntry> = {}): WeightsEntry => ({
    ...{ name: 'net.data', network: 'net', task: 'features', url, file: 'net.pth', licence: 'MIT', layout: 'own' },
    ...more,
  })

  test('fetches once into the cache, and verifies against what is published or what came', async () => {
    const server = await serveFile(CONTENT, well)
    const env = { VISION_NATIVE_CACHE: folder('cache') }
    const entry = entryAt(server.url)
    expect(await localWeights(entry, { env })).toBeUndefined()
    await expect(verifyWeights(entry, { env })).rejects.toThrow(/run `npx vision-native weights pull net\.data`/)
    expect(server.requests).toHaveLength(0)

    const path = join(folder('cache'), 'weights', 'net.pth')
    const pulled = await pullWeights(entry, { env })
    expect(pulled).toEqual({ name: 'net.data', path, bytes: 7, sha256: server.sha256, from: 'network' })
    expect((await pullWeights(entry, { env })).from).toBe('cache')
    expect(server.requests).toHaveLength(1)
    expect(await localWeights(entry, { env })).toBe(path)

    const published = entryAt(server.url, { sha256Prefix: server.sha256.slice(0, 8) })
    expect(await verifyWeights(entry, { env })).toMatchObject({ ok: true, against: 'pulled' })
    expect(await verifyWeights(published, { env })).toMatchObject({ ok: true, against: 'published-prefix' })
    writeFileSync(path, 'weightz')
    expect(await verifyWeights(entry, { env })).toMatchObject({ ok: false, problem: /when it was pulled/ as never })
    expect(await verifyWeights(published, { env })).toMatchObject({ ok: false })
    await server.close()
  })

  test('takes files from the mirror alone where there is one, and checks them', async () => {
    const server = await serveFile(CONTENT, corrupting)
    const mirror = folder('mirror')
    mkdirSync(mirror)
    const env = { VISION_NATIVE_CACHE: folder('empty'), VISION_NATIVE_WEIGHTS_MIRROR: mirror }
    const entry = entryAt(server.url, { sha256: server.sha256 })
    await expect(pullWeights(entry, { env })).rejects.toThrow(
      /the mirror VISION_NATIVE_WEIGHTS_MIRROR=.* has no net\.pth/,
    )
    writeFileSync(join(mirror, 'net.pth'), 'other')
    await expect(pullWeights(entry, { env })).rejects.toThrow(/the published one is/)
    writeFileSync(join(mirror, 'net.pth'), CONTENT)
    expect(await pullWeights(entry, { env })).toMatchObject({ from: 'mirror', path: join(mirror, 'net.pth') })
    expect(server.requests).toHaveLength(0)
    await server.close()
  })

  test('is not what listing does', async () => {
    const env = { VISION_NATIVE_CACHE: folder('nothing'), HTTPS_PROXY: 'socks5://refused' }
    const listed = await listWeights({ env })
    expect(listed.every(({ path }) => path === undefined)).toBe(true)
    expect(() => readFileSync(folder('nothing'))).toThrow()
  })
})

describe('adaptState', () => {
  const at = (...shape: number[]) => ({ shape })
  const shared = at(7, 2)
  const network = new Map([
    ['embed.weight', shared],
    ['norm.weight', at(2)],
    ['norm.bias', at(2)],
    ['decoder.embed.weight', shared],
  ])
  const file = new Map([
    ['bert.embed.weight', at(7, 2)],
    ['bert.norm.gamma', at(2)],
    ['bert.norm.beta', at(2)],
    ['head.bias', at(7)],
  ])

  test('finds an encoder in a model with a head, by its old names, a shared tensor once', () => {
    const found = adaptState(file, network)
    expect(found?.prefix).toBe('bert.')
    expect(found?.unused).toEqual(['head.bias'])
    expect([...(found?.state ?? [])].map(([name, { shape }]) => [name, shape])).toEqual([
      ['embed.weight', [7, 2]],
      ['norm.weight', [2]],
      ['norm.bias', [2]],
    ])
  })

  test('finds nothing where a tensor is missing or of another shape', () => {
    expect(adaptState(new Map([...file].slice(0, 2)), network)).toBeUndefined()
    expect(adaptState(new Map([...file, ['bert.norm.beta', at(3)]]), network)).toBeUndefined()
    expect(adaptState(new Map(), network)).toBeUndefined()
  })
})

describe('renameState', () => {
  const state = new Map([
    ['module.blocks.0.attn.weight', 1],
    ['module.blocks.10.attn.weight', 2],
    ['module.head.weight', 3],
  ])
  const rules = [parseRenameRule('module.blocks.*.attn.*=layers.*.attention.*'), parseRenameRule('module.*=*')]

  test('takes the first rule that fits, and is undone by the table read backwards', () => {
    const renamed = renameState(state, rules)
    expect([...renamed]).toEqual([
      ['layers.0.attention.weight', 1],
      ['layers.10.attention.weight', 2],
      ['head.weight', 3],
    ])
    expect([...renameState(renamed, reverseRules(rules))]).toEqual([...state])
  })

  test('refuses what could not be told apart, or not be undone', () => {
    const collide = new Map([
      ['a.w', 1],
      ['b.w', 2],
    ])
    expect(() =>
      renameState(collide, [
        ['a.*', 'c.*'],
        ['b.*', 'c.*'],
      ]),
    ).toThrow(/'a\.w' and 'b\.w' would both become 'c\.w'/)
    const half = new Map([
      ['module.w', 1],
      ['bare.w', 2],
    ])
    expect(() => renameState(half, [['module.*', '*']])).toThrow(
      /'bare\.w' becomes 'bare\.w', which the rules read backwards/,
    )
  })

  test.each(['a', 'a=b=c', '=b', 'a.*=b'])('refuses the rule %j', (rule) => {
    expect(() => parseRenameRule(rule)).toThrow(/^rename: /)
  })
})

describe('bestFit', () => {
  const shape = (...lengths: number[]) => ({ shape: lengths })
  const network = (head: number, prefix = '') =>
    new Map([
      [`${prefix}conv.weight`, shape(8, 3, 3, 3)],
      [`${prefix}conv.bias`, shape(8)],
      [`${prefix}head.weight`, shape(head, 8)],
    ])
  const candidate = (name: string, state: ReadonlyMap<string, { shape: number[] }>) => ({
    name,
    shapes: () => new Map([...state].map(([key, { shape }]) => [key, shape])),
  })
  const candidates = [
    candidate('other', new Map([['x', shape(5)]])),
    candidate('ten', network(10)),
    candidate('deeper', new Map([...network(10), ['more.weight', shape(4, 4)]])),
  ]

  test('knows a network by its names and shapes', () => {
    const fit = bestFit(network(10), candidates)
    expect(fit).toEqual({ name: 'ten', byName: 1, byShape: 1, missing: 0, unexpected: 0, misshaped: [] })
    expect(describeFit(fit)).toBe("it is a checkpoint of 'ten'")
  })

  test('knows it with another head, and under other names', () => {
    expect(describeFit(bestFit(network(7), candidates))).toBe(
      "it fits 'ten' with other options: head.weight has another shape",
    )
    expect(describeFit(bestFit(network(10, 'model.'), candidates))).toMatch(
      /^it has the shapes of 'ten' under other names/,
    )
    const [first, second] = rankFits(new Map([...network(10)].slice(0, 2)), candidates)
    expect([first?.name, first?.missing, second?.name]).toEqual(['ten', 1, 'deeper'])
    expect(describeFit(first)).toBe(
      "of the known networks 'ten' fits best: 67 % of the tensors agree, 1 are missing, 0 unexpected",
    )
  })

  test('says when there is none', () => {
    expect(bestFit(new Map([['y', shape(9, 9)]]), candidates)).toBeUndefined()
    expect(describeFit(undefined)).toMatch(/none of the known networks/)
  })
})
