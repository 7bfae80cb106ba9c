// What holds for every network of the registry, one test each.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type BackboneName, backboneNames, createBackbone } from '../../lib/backbones'
import { LAYOUTS, type LayoutName, loadPublished } from '../../lib/backbones/layouts'
import { loadPth, readSafetensors, savePth, stateDictOf, writeSafetensors } from '../../lib/io'
import { type Module, skipInit } from '../../lib/nn'
import { capture, noGrad, Tensor, tidy, tidyAsync } from '../../lib/tensor'
import { isUnused, runNetwork } from './backbone-runs'
import { fillStateWithHash, hashIntegers, hashTensor, type Spreads } from './hash-weights'
import { liveTensors, liveTensorsDownTo } from './live-tensors'

const FOLDER = new URL('../fixtures/backbones/', import.meta.url)

/** Names and shapes of a published network. */
interface ReferenceState {
  readonly name: string
  readonly parameters: number
  readonly total_parameters: number
  readonly tensors: readonly (readonly [name: string, shape: readonly number[]])[]
}

interface InputSpec {
  readonly shape: readonly number[]
  readonly high?: number
  readonly spread?: number
  readonly centre?: number
}

/** A network that PyTorch ran; tools/reference/backbones wrote what it gave. */
interface Case {
  readonly network: BackboneName
  readonly options: object
  /** Whose names the reference has, where they are not the network's own. */
  readonly layout?: LayoutName
  /** Of weights, where not the usual ones. */
  readonly spreads?: Spreads
  readonly inputs: readonly InputSpec[]
  readonly parameters?: number
  readonly outputs: readonly {
    readonly shape: readonly number[]
    readonly norm: number
    readonly first: readonly number[]
  }[]
}

/** Largest difference from PyTorch, relative to the root mean square of the output. */
const TOLERANCE = 1e-4

const references = new Map<string, ReferenceState>(
  gunzipSync(readFileSync(new URL('state-dicts.ndjson.gz', FOLDER)))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ReferenceState)
    .map((state) => [state.name, state]),
)

/** Every case of the fixtures, by name. */
export const CASES: ReadonlyMap<string, Case> = new Map(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => Object.entries(JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Record<string, Case>)),
)

/** Names in the registry that no case runs. */
export function networksWithoutCase(): string[] {
  const run = new Set([...CASES.values()].map(({ network }) => network))
  return backboneNames().filter((name) => !run.has(name))
}

/** The published lists that no case compares. */
export function referencesWithoutCase(): string[] {
  return [...references.keys()].filter((name) => !CASES.has(name))
}

/** Scalars of a case's network, as published, or as it has them where no list is. */
export function sizeOf(name: string): number {
  return references.get(name)?.total_parameters ?? CASES.get(name)?.parameters ?? 0
}

/** Tests of every case that `chosen` picks. */
export function testBackbones(chosen: (name: string) => boolean): void {
  for (const [name, each] of CASES) if (chosen(name)) testBackbone(name, each)
}

const makerOf = (each: Case) => () => skipInit(() => createBackbone(each.network, each.options)) as Module

/** The network's tensors with the reference's names. */
function publishedState(each: Case, network: Module): ReadonlyMap<string, Tensor> {
  return each.layout ? LAYOUTS[each.layout].toPublished(network.stateDict()) : network.stateDict()
}

/** One test for every published list: names, shapes and counts, of networks of any size. */
export function testPublishedNames(): void {
  for (const [name, reference] of references) {
    test(`${name} has the names, shapes and counts of the published network`, () => {
      const each = CASES.get(name)
      if (each === undefined) throw new Error(`no case makes '${name}'`)
      tidy(() => {
        // Freed at once: together they are more than the memory.
        using network = makerOf(each)()
        const own = [...publishedState(each, network)].map(([key, { shape }]) => `${key} [${shape}]`)
        const expected = reference.tensors.map(([key, shape]) => `${key} [${shape}]`)
        // Names of another layout are in the order of our own.
        expect(each.layout ? own.sort() : own).toEqual(each.layout ? expected.sort() : expected)
        expect(network.parameterCount()).toBe(reference.total_parameters)
        expect(network.parameterCount({ trainable: true })).toBe(reference.parameters)
      })
    })
  }
}

function testBackbone(name: string, each: Case): void {
  const make = makerOf(each)
  const inputs = () => each.inputs.map((spec, i) => inputTensor(`input${i}`, spec))
  const layout = each.layout && LAYOUTS[each.layout]
  const published = (network: Module) => publishedState(each, network)
  const fill = (network: Module) => fillStateWithHash(published(network), each.spreads)

  describe(name, () => {
    test('gives what PyTorch gives, captured too, and a gradient for every parameter', async () => {
      const before = await liveTensors()
      tidy(() => {
        using network = make().eval()
        fill(network)
        const given = inputs()
        const outputs = tensorsOf(runNetwork(name, network, given))
        expectOutputs(outputs, each)
        const captured = capture((...tensors: Tensor[]) => tensorsOf(runNetwork(name, network, tensors)))
        noGrad(() => {
          captured.sync(...given)
          const replayed = captured.sync(...given)
          // Attention with learnt biases is another kernel where gradients are asked for.
          const same = replayed.every((out, i) => out.equal(outputs[i] as Tensor))
          const eager = same ? outputs : tensorsOf(runNetwork(name, network, given))
          for (const [i, out] of replayed.entries()) expect(out.equal(eager[i] as Tensor)).toBe(true)
        })
        captured.dispose()
        expectGradients(name, network, outputs)
      })
      expect(await liveTensorsDownTo(before)).toBe(before)
    })

    test('is the same after a round trip through .safetensors and .pth', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'backbones-'))
      try {
        await tidyAsync(async () => {
          using network = make()
          fill(network)
          const state = network.stateDict()
          if (layout) expectSameLoaded(make, (other) => loadPublished(other, published(network), layout), state)
          await writeSafetensors(join(folder, 'state.safetensors'), state)
          expectSameState(make, await readSafetensors(join(folder, 'state.safetensors')), state)
          await savePth(join(folder, 'state.pth'), state)
          expectSameState(make, stateDictOf(await loadPth(join(folder, 'state.pth'))), state)
        })
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  })
}

function inputTensor(name: string, { shape, high, spread, centre }: InputSpec): Tensor {
  return high === undefined ? hashTensor(name, shape, spread, centre) : hashIntegers(name, shape, high)
}

/** The tensors of a result, in the order of lists and objects. */
function tensorsOf(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value]
  if (typeof value !== 'object' || value === null) return []
  return (value instanceof Map ? [...value.values()] : Object.values(value)).flatMap(tensorsOf)
}

function expectOutputs(outputs: readonly Tensor[], { outputs: expected }: Case): void {
  expect(outputs.map(({ shape }) => [...shape])).toEqual(expected.map(({ shape }) => shape))
  for (const [i, { norm, first, shape }] of expected.entries()) {
    const values = (outputs[i] as Tensor).detach().to('float64').flatten()
    expect(Math.abs(values.norm().toNumber() - norm)).toBeLessThanOrEqual(TOLERANCE * norm)
    const scale = norm / Math.sqrt(shape.reduce((product, length) => product * length, 1)) || 1
    const got = values.narrow(0, 0, first.length).dataSync() as Float64Array
    const off = first.map((value, k) => Math.abs(value - (got[k] ?? Number.NaN)) / Math.max(scale, Math.abs(value)))
    expect(Math.max(...off)).toBeLessThanOrEqual(TOLERANCE)
  }
}

function expectGradients(name: string, network: Module, outputs: readonly Tensor[]): void {
  const floating = outputs.filter(({ dtype, requiresGrad }) => /^(float|bfloat)/.test(dtype) && requiresGrad)
  floating
    .map((out) => out.square().mean())
    .reduce((sum: Tensor | null, each) => sum?.add(each) ?? each, null)
    ?.backward()
  const wrong = [...network.namedParameters()].filter(([key, { requiresGrad, grad }]) => {
    const should = requiresGrad && !isUnused(name, key)
    return should ? !grad?.isfinite().all().item() : grad !== null
  })
  expect(wrong.map(([key]) => key)).toEqual([])
}

function expectSameState(
  make: () => Module,
  read: Parameters<Module['loadStateDict']>[0],
  state: ReadonlyMap<string, Tensor>,
): void {
  expectSameLoaded(make, (other) => other.loadStateDict(read), state)
}

function expectSameLoaded(make: () => Module, load: (other: Module) => void, state: ReadonlyMap<string, Tensor>): void {
  tidy(() => {
    using other = make()
    load(other)
    const loaded = other.stateDict()
    const different = [...state].filter(([key, value]) => !loaded.get(key)?.equal(value))
    expect(different.map(([key]) => key)).toEqual([])
  })
}
