import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readSafetensors } from '../../lib/io/safetensors'
import type { Module } from '../../lib/nn/module'
import { arange, type DType, manualSeed, stack, type Tensor, tidy } from '../../lib/tensor'
import { isTensor, TENSORS } from '../../lib/tensor/handle'
import { checkGradients, exceptionOf } from './layer-gradients'

/**
 * Layers against PyTorch. A fixture of test/fixtures/nn, written by tools/reference/nn_*.py, holds for each case the
 * inputs, the state, and what PyTorch gave in float64: outputs, gradients of inputs and parameters, buffers afterwards.
 * Inputs and state are float32 numbers, so a run in either dtype starts from equal values.
 */

export interface LayerCase {
  /** The export that is tested, then what is special: `LSTM bidirectional`. */
  readonly name: string
  /** Undefined for a function. */
  readonly make?: (() => Module) | undefined
  /** The outputs, nested as they come. */
  readonly run: (module: Module, inputs: readonly Tensor[]) => unknown
}

/** A case of a module, which `run` calls with the fixture's inputs: by default as `forward(...inputs)`. */
export function layerCase<M extends Module & { forward(...inputs: never[]): unknown }>(
  name: string,
  make: () => M,
  run: (module: M, ...inputs: Tensor[]) => unknown = (module, ...inputs) => module.forward(...(inputs as never[])),
): LayerCase {
  return { name, make, run: (module, inputs) => run(module as M, ...inputs) }
}

/** A case of a function. */
export function functionCase(name: string, run: (...inputs: Tensor[]) => unknown): LayerCase {
  return { name, run: (_, inputs) => run(...inputs) }
}

/**
 * A group of tests for the cases of one fixture: values and gradients against PyTorch's in float64 and float32, and
 * gradients against differences. Each case of the fixture must be tested.
 */
export function testLayerCases(fixture: string, cases: readonly LayerCase[]): void {
  describe(`as PyTorch: ${fixture}`, () => {
    test('has a test for each case of the fixture', () => {
      const tested = new Set(cases.map(({ name }) => name))
      expect([...tested].sort()).toEqual([...caseNames(fixture)].sort())
    })

    for (const dtype of ['float64', 'float32'] as const) {
      test.each(cases)(`$name in ${dtype}`, async (layer) => {
        const expected = await caseParts(fixture, layer.name)
        try {
          tidy(() => checkCase(layer, expected, dtype))
        } finally {
          for (const tensor of expected.values()) tensor.dispose()
        }
      })
    }

    test.each(cases.filter(({ name }) => exceptionOf(name) === undefined))('$name by differences', async (layer) => {
      const stored = await caseParts(fixture, layer.name)
      try {
        tidy(() => {
          const { module, leaves } = prepare(layer, stored, 'float64')
          const inputs = leaves.filter((leaf) => leaf.requiresGrad)
          if (inputs.length + (module?.parameters().length ?? 0) === 0) return
          checkGradients(module, inputs, () => flatten(layer.run(module as Module, leaves.map(strided))))
        })
      } finally {
        for (const tensor of stored.values()) tensor.dispose()
      }
    })
  })
}

/** A test that a layer begins with the very numbers that PyTorch draws, which are in first-values.safetensors. */
export function testFirstValues(name: string, seed: number, make: () => Module): void {
  test(`${name} begins as in PyTorch with seed ${seed}`, async () => {
    const expected = await caseParts('first-values', name)
    manualSeed(seed)
    const state = make().stateDict()
    expect([...state.keys()].map((key) => `state|${key}`).sort()).toEqual([...expected.keys()].sort())
    for (const [key, value] of state) expectClose(value, expected.get(`state|${key}`) as Tensor, 'float32', key)
  })
}

/** Names of the cases in a fixture. The first word of each is an export. */
export function caseNames(fixture: string): Set<string> {
  return new Set(keysOf(fixture).map((key) => key.slice(0, key.indexOf('|'))))
}

/** `input|0`, `state|weight`, `output|0`, `inputGrad|0`, `stateGrad|weight`, `after|running_mean` of one case. */
export async function caseParts(fixture: string, name: string): Promise<Map<string, Tensor>> {
  const names = keysOf(fixture).filter((key) => key.startsWith(`${name}|`))
  if (names.length === 0) throw new Error(`${fixture} has no case '${name}'; add it to its script in tools/reference`)
  const tensors = await readSafetensors(fixturePath(fixture), { names })
  return new Map([...tensors].map(([key, tensor]) => [key.slice(name.length + 1), tensor]))
}

function keysOf(fixture: string): string[] {
  const bytes = readFileSync(fixturePath(fixture))
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString())
  return Object.keys(header).filter((key) => key !== '__metadata__')
}

/** Largest difference from PyTorch so far, by dtype; relative where a number is above 1. */
export const largestDeviation: Record<string, number> = {}

const TOLERANCE = { float64: 1e-10, float32: 1e-5 } as const

function fixturePath(fixture: string): string {
  return new URL(`../fixtures/nn/${fixture}.safetensors`, import.meta.url).pathname
}

function ofKind(parts: ReadonlyMap<string, Tensor>, kind: string): [name: string, tensor: Tensor][] {
  return [...parts]
    .filter(([key]) => key.startsWith(`${kind}|`))
    .map(([key, tensor]): [string, Tensor] => [key.slice(kind.length + 1), tensor])
    .sort(([a], [b]) => (kind === 'state' ? 0 : a.localeCompare(b, 'en', { numeric: true })))
}

/** The module with the fixture's state, and the inputs; those that PyTorch gave a gradient require one. */
function prepare(
  layer: LayerCase,
  expected: ReadonlyMap<string, Tensor>,
  dtype: keyof typeof TOLERANCE,
): { module: Module | undefined; leaves: Tensor[] } {
  const module = layer.make?.().to(dtype)
  module?.loadStateDict(new Map(ofKind(expected, 'state')))
  const leaves = ofKind(expected, 'input').map(([index, values]) => {
    const leaf = isFloating(values) ? values.to({ dtype, copy: true }) : values
    return expected.has(`inputGrad|${index}`) ? leaf.requiresGrad_() : leaf
  })
  return { module, leaves }
}

function checkCase(layer: LayerCase, expected: ReadonlyMap<string, Tensor>, dtype: keyof typeof TOLERANCE): void {
  const { module, leaves } = prepare(layer, expected, dtype)
  const outputs = flatten(layer.run(module as Module, leaves.map(strided)))

  const close = (actual: Tensor, key: string) => expectClose(actual, expected.get(key) as Tensor, dtype, key)
  const wanted = ofKind(expected, 'output')
  expect(outputs.length, 'number of outputs').toBe(wanted.length)
  for (const [index, output] of outputs.entries()) close(output, `output|${index}`)
  for (const [name, value] of module?.namedBuffers() ?? [])
    if (expected.has(`after|${name}`)) close(value, `after|${name}`)

  const differentiable = outputs.filter((output) => output.requiresGrad)
  const total = differentiable.map((output) => output.mul(cotangent(output)).sum())
  if (total.length > 0) stack(total).sum().backward()
  for (const [index, leaf] of leaves.entries()) if (leaf.requiresGrad) close(gradOf(leaf), `inputGrad|${index}`)
  const parameters = new Map(module?.namedParameters() ?? [])
  for (const [name] of ofKind(expected, 'stateGrad')) close(gradOf(parameters.get(name)), `stateGrad|${name}`)
  const trained = [...parameters].filter(([, p]) => p.grad !== null).map(([name]) => name)
  expect(trained.sort(), 'parameters with a gradient').toEqual(
    ofKind(expected, 'stateGrad')
      .map(([name]) => name)
      .sort(),
  )
}

function gradOf(leaf: Tensor | undefined): Tensor {
  if (!leaf?.grad) throw new Error('there is no gradient where PyTorch has one')
  return leaf.grad
}

/** The same numbers at every second place of a larger memory, so that no layer may count on neighbours. */
function strided(tensor: Tensor): Tensor {
  return stack([tensor, tensor], { dim: -1 }).select(-1, 0)
}

/** What `backward` starts from, as in tools/reference/nn_cases.py. */
function cotangent(output: Tensor): Tensor {
  return arange(output.numel, { dtype: 'float64' })
    .cos()
    .reshape([...output.shape])
    .to(output.dtype)
}

function flatten(value: unknown): Tensor[] {
  if (isTensor(value)) return [value as Tensor]
  if (Array.isArray(value)) return value.flatMap(flatten)
  if (value === null || value === undefined) return []
  if (typeof value === 'object' && TENSORS in value) return [...(value as { [TENSORS](): Iterable<Tensor> })[TENSORS]()]
  throw new Error(`an output is ${String(value)}`)
}

function isFloating(tensor: Tensor): boolean {
  return /^(float|bfloat)/.test(tensor.dtype)
}

function expectClose(actual: Tensor, expected: Tensor, dtype: keyof typeof TOLERANCE, what: string): void {
  expect(actual.shape, `shape of ${what}`).toEqual(expected.shape)
  const wide: DType = 'float64'
  if (isFloating(expected)) expect(actual.dtype, `dtype of ${what}`).toBe(dtype)
  const [got, want] = [actual.detach().to(wide).dataSync(), expected.to(wide).dataSync()] as [
    Float64Array,
    Float64Array,
  ]
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [got[i] as number, want[i] as number]
    if (Object.is(a, b) || a === b) continue
    const error = Math.abs(a - b) / Math.max(1, Math.abs(b))
    largestDeviation[dtype] = Math.max(largestDeviation[dtype] ?? 0, error)
    // Not toBeLessThan alone: NaN must fail, and the message must say where.
    if (!(error <= TOLERANCE[dtype])) expect.fail(`${what}: element ${i} is ${a}, PyTorch has ${b} (off by ${error})`)
  }
}
