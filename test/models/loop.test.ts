// What holds for every system, one test each.
import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readSafetensors } from '../../lib/io'
import { type Module, skipInit } from '../../lib/nn'
import {
  configFields,
  isTrainable,
  loadNetworks,
  mergeConfigs,
  type ParameterCount,
  parseConfig,
  SYNTHETIC,
  type System,
  type SystemCard,
  type SystemEntry,
  saveSystemWeights,
  TASK_NAMES,
  trainable,
  trainSystem,
} from '../../lib/pipeline'
import { SYSTEMS } from '../../lib/registry.generated'
import { capture, manualSeed, noGrad, type Tensor, tidyAsync } from '../../lib/tensor'
import { CheckedSignal } from '../support/count-checks'
import { liveTensors, liveTensorsDownTo } from '../support/live-tensors'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()
const MODELS = new URL('../../lib/models/', import.meta.url)
const entries = Object.entries(SYSTEMS) as [name: string, entry: SystemEntry][]

test('the registry holds every folder of lib/models', () => {
  const folders = (url: URL) =>
    readdirSync(url, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  const places = folders(MODELS).flatMap((family) =>
    folders(new URL(`${family}/`, MODELS)).map((name) => ({ name, family })),
  )
  const cards = entries.map(([, { card }]) => ({ name: card.name, family: card.family }))
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
  expect(cards.sort(byName)).toEqual(places.sort(byName))
})

describe.each(entries)('%s', (name, entry) => {
  const card: SystemCard = entry.card
  const load = async (): Promise<System> => trainable((await entry.load()).system, name)
  const tinyConfig = (system: System) => parseConfig(system.config, system.tiny, name)

  test('its card is complete, and its page is there', () => {
    expect(card.name).toBe(name)
    expect(TASK_NAMES).toContain(card.task)
    expect(card.summary).toMatch(/^[^.]{20,160}$/)
    expect(card.paper.year).toBeGreaterThan(2005)
    expect(card.untrained || card.parameters.length > 0).toBe(true)
    expect(existsSync(new URL(`${card.family}/${name}/README.md`, MODELS))).toBe(true)
  })

  test('every option has a default or may be missing, and says what it is', async () => {
    const { config } = (await entry.load()).system
    expect(config.safeParse({}).success).toBe(true)
    for (const field of configFields(config)) expect(field.description, field.key).not.toBe('')
  })

  test.each(card.parameters)('$network has $count parameters', async (count) => {
    const system = await load()
    await tidyAsync(async () => {
      const config = parseConfig(system.config, count.config ?? {}, name)
      using model = skipInit(() => system.create(config))
      expect(partOf(model, count).parameterCount()).toBe(count.count)
    })
  })

  if (!card.untrained) {
    test('gives finite values, captured too, and a gradient for every parameter', async () => {
      const system = await load()
      const before = await liveTensors()
      await tidyAsync(async () => {
        manualSeed(1)
        const config = tinyConfig(system)
        using model = system.create(config).eval()
        const { inputs, run } = system.probe(model, config)
        const output = run(...inputs)
        expect(output.isfinite().all().item()).toBe(true)
        output.square().mean().backward()
        const size = (grad: Tensor | null) => grad?.abs().sum().toNumber() ?? 0
        const without = [...model.namedParameters()].filter(
          ([, { grad }]) => !(size(grad) > 0 && size(grad) < Infinity),
        )
        expect(without.map(([parameter]) => parameter)).toEqual([])
        using captured = capture((...tensors: Tensor[]) => noGrad(() => run(...tensors)))
        captured.sync(...inputs)
        expect(captured.sync(...inputs).equal(noGrad(() => run(...inputs)))).toBe(true)
        model.zeroGrad()
      })
      expect(await liveTensorsDownTo(before)).toBe(before)
    })

    test('is the same after a round trip through its weights, which another system refuses', async () => {
      const system = await load()
      await tidyAsync(async () => {
        const config = tinyConfig(system)
        using model = system.create(config)
        const path = folder(`${name}.safetensors`)
        await saveSystemWeights(path, name, config, model)
        const loaded = await loadNetworks(system, { weights: path, device: 'cpu' })
        using again = loaded.model
        expect(loaded.config).toEqual(config)
        for (const [key, tensor] of model.stateDict()) expect(again.stateDict().get(key)?.equal(tensor), key).toBe(true)
        const other = { ...system, card: { ...system.card, name: 'another-system' } }
        await expect(loadNetworks(other, { weights: path })).rejects.toThrow(`is of ${name}`)
      })
    })

    test('a training that was interrupted and resumed ends with the same weights, and can be evaluated', async () => {
      const system = await load()
      const before = await liveTensors()
      await tidyAsync(async () => {
        const common = { data: SYNTHETIC, config: system.tiny, device: 'cpu', progress: false } as const
        const whole = new CheckedSignal()
        const one = await trainSystem(system, { ...common, folder: folder(`${name}-one`), signal: whole.signal })
        for (const [key, value] of Object.entries(one.values)) expect(value, key).toBeTypeOf('number')
        const cut = new CheckedSignal(Math.ceil(whole.checks / 2))
        const interrupted = { ...common, folder: folder(`${name}-two`) }
        await expect(trainSystem(system, { ...interrupted, signal: cut.signal })).rejects.toThrow(/cancel|abort/i)
        await expect(trainSystem(system, interrupted)).rejects.toThrow(/holds a run/)
        const two = await trainSystem(system, { ...interrupted, resume: true })
        const [a, b] = [await readSafetensors(one.weights), await readSafetensors(two.weights)]
        for (const [key, tensor] of a) expect(b.get(key)?.equal(tensor), key).toBe(true)

        const { model, config } = await loadNetworks(system, { weights: one.weights, device: 'cpu' })
        using judged = model
        const note = () => {}
        const evaluation = await system.evaluate({ model: judged, config, data: SYNTHETIC, device: 'cpu', note })
        expect(evaluation.samples).toBeGreaterThan(0)
        for (const [key, value] of Object.entries(evaluation.metrics)) expect(value, key).toBeTypeOf('number')
      })
      expect(await liveTensorsDownTo(before)).toBe(before)
    })
  }

  if (card.untrained) {
    test('has nothing to train, and can be evaluated on made-up data', async () => {
      const { system } = await entry.load()
      expect(() => trainable(system, 'train')).toThrow(/no parameters/)
      const before = await liveTensors()
      await tidyAsync(async () => {
        if (isTrainable(system)) throw new Error('the card says untrained')
        const config = parseConfig(system.config, system.tiny, name)
        const evaluation = await system.evaluate({ config, data: SYNTHETIC, device: 'cpu', note: () => {} })
        expect(evaluation.samples).toBeGreaterThan(0)
        for (const [key, value] of Object.entries(evaluation.metrics)) expect(value, key).toBeTypeOf('number')
      })
      expect(await liveTensorsDownTo(before)).toBe(before)
    })
  }

  test('refuses an unknown key of its config by name', async () => {
    const { system } = await entry.load()
    const wrong = mergeConfigs(system.tiny, { noSuchKey: 1 })
    expect(() => parseConfig(system.config, wrong, name)).toThrow(/noSuchKey is no key; the nearest is/)
  })
})

function partOf(model: Module, { part = '' }: ParameterCount): Module {
  const found = [...model.namedModules()].find(([key]) => key === part)
  if (found === undefined) throw new Error(`there is no part '${part}'`)
  return found[1]
}
