// The paper's figure, and the authors' checkpoints.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  ActionFinder,
  Comparison,
  Config,
  compareLocalizers,
  createLocalizer,
  HOSTS,
  loadPublishedLocalizer,
  syntheticVideos,
} from '../../../lib/models/video/rsc-wtal'
import { rand, type Tensor, tidy, tidyAsync, zeros } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()

describe('the comparison', () => {
  test('has the truth, proposals that do not overlap, and the activation of each localizer', () =>
    tidyAsync(async () => {
      const config = Config.parse({
        ...{ features: 16, classes: ['action 0', 'action 1'], synthetic: { classes: 2 } },
        inference: { classThreshold: 0.01 },
      })
      const [video] = syntheticVideos(config, 'test')
      if (video === undefined) throw new Error('there are no videos')
      const hosts = (['ham-net', 'cola'] as const).map((host) => ({ ...config, host }))
      const localizers = hosts.map((each) => ({
        ...{ name: each.host, finder: new ActionFinder(createLocalizer(each).eval(), each, 'cpu') },
      }))
      const label = video.actions[0]?.label ?? ''
      const comparison = await compareLocalizers(video, label, localizers)
      expect(comparison.truth).toEqual(video.actions.filter((each) => each.label === label).map((each) => each.segment))
      expect(comparison.rows.map(({ name }) => name)).toEqual(['ham-net', 'cola'])
      for (const { proposals, activation } of comparison.rows) {
        expect(activation.length).toBe(video.length)
        const sorted = [...proposals].sort((a, b) => a.segment[0] - b.segment[0])
        for (const [i, { segment }] of sorted.entries()) {
          expect(segment[0]).toBeGreaterThanOrEqual(sorted[i - 1]?.segment[1] ?? 0)
        }
      }
      await comparison.toFile(folder('figure.svg'))
      expect(readFileSync(folder('figure.svg'), 'utf8')).toMatch(/truth[\s\S]*cola/)
      await comparison.toFile(folder('figure.json'))
      expect(JSON.parse(readFileSync(folder('figure.json'), 'utf8')).rows.length).toBe(2)
      await expect(comparison.toFile(folder('figure.txt'))).rejects.toThrow(/is not \.svg, \.png or \.json/)
      await expect(compareLocalizers(video, 'sleep', localizers)).rejects.toThrow(/'sleep' is no action of ham-net/)
      for (const { finder } of localizers) {
        finder.dispose()
        finder.model.dispose()
      }
    }))

  test('draws a localizer that found nothing', async () => {
    const empty = new Comparison('v', 'run', 10, [[1, 2]], [{ name: 'none', proposals: [], activation: [0, 0] }])
    expect(await empty.plot().toSvg()).toMatch(/run in v/)
  })
})

describe("the authors' checkpoints", () => {
  /** Names as the released code writes them. */
  const released = {
    'ham-net': [
      'net.classifier.0.weight',
      'net.classifier.5.bias',
      'net.attention.4.weight',
      'net.proj_net.sequential.2.bias',
    ],
    cola: ['actionness_module.f_embed.0.weight', 'actionness_module.f_cls.0.weight', 'proj_net.sequential.0.weight'],
    'co2-net': [
      ...['vAttn.channel_conv.0.weight', 'fAttn.bit_wise_attn.0.bias', 'vAttn.attention.5.weight'],
      ...['fusion.0.weight', 'classifier.4.bias', 'proj_net.sequential.0.weight'],
    ],
  } as const

  test.each(HOSTS)('of %s are loaded by their names', (host) =>
    tidy(() => {
      const config = Config.parse({ host, features: 8, classes: 3 })
      using model = createLocalizer(config)
      using source = createLocalizer(config)
      const state = new Map<string, Tensor>()
      for (const [name, tensor] of source.stateDict()) {
        const below = name.replace(/^net\./, '')
        state.set(host === 'ham-net' ? `net.${below}` : below, tensor)
      }
      for (const name of released[host]) expect([...state.keys()]).toContain(name)
      if (host === 'co2-net') state.set('feat_encoder.0.weight', zeros([2]))
      loadPublishedLocalizer(model, state, host)
      const x = rand([1, 20, 16])
      expect(model.eval().forward(x).activation.equal(source.eval().forward(x).activation)).toBe(true)
      state.set('classifier.9.weight', zeros([1]))
      expect(() => loadPublishedLocalizer(model, state, host)).toThrow(/classifier\.9\.weight/)
      using plain = createLocalizer(Config.parse({ host, features: 8, classes: 3, rsc: { projection: 'none' } }))
      expect(() => loadPublishedLocalizer(plain, state, host)).toThrow(/has no projections/)
    }),
  )
})
