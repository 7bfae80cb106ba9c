import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as nn from '../../lib/nn'
import * as F from '../../lib/nn/functional'
import * as operators from '../../lib/tensor'
import { caseNames } from '../support/layer-cases'

/** These hold how layers begin, not what they compute. */
const FIRST_VALUES: readonly string[] = ['initial.safetensors', 'first-values.safetensors']

/** The first word of a case's name is the export that it tests. Each test of a fixture fails when it leaves a case out. */
const tested = new Set(
  readdirSync(new URL('../fixtures/nn', import.meta.url))
    .filter((file) => file.endsWith('.safetensors') && !FIRST_VALUES.includes(file))
    .flatMap((file) => [...caseNames(file.replace('.safetensors', ''))])
    .map((name) => name.split(' ')[0]),
)

/** The bases themselves compute nothing. */
const WITHOUT_CASE: ReadonlySet<string> = new Set(['Module', 'Parametrization'])

/** PyTorch has no such layers; their own tests compare them with compositions of operators. */
const OURS: ReadonlySet<string> = new Set([
  'BinaryConv3d',
  'ContentAwareUpsample',
  'ConvCapsules',
  'DenseCapsules',
  'PackedBinaryConv3d',
  'GuidedFilter',
  'FastGuidedFilter',
  'GuidedUpsample',
  'ConvGuidedFilter',
  'LearnedGuideFilter',
  'RoIAlign',
  'MultiScaleRoIAlign',
  'FrozenBatchNorm2d',
  'DeformConv2d',
])

describe('every export is compared with PyTorch', () => {
  const layers = Object.entries(nn).filter(([, value]) => isModuleClass(value))
  const compared = layers.map(([name]) => name).filter((name) => !WITHOUT_CASE.has(name) && !OURS.has(name))
  test.each(compared)('%s', (name) => {
    expect(tested.has(name), `a case '${name}' in a script of tools/reference`).toBe(true)
  })

  const all: Readonly<Record<string, unknown>> = operators
  const functions = Object.keys(F).filter((name) => (F as Readonly<Record<string, unknown>>)[name] !== all[name])
  // Through Upsample's and the pools' cases too; but a function of our own is named itself.
  test.each(functions)('functional.%s', (name) => {
    expect(tested.has(name), `a case '${name}' in a script of tools/reference`).toBe(true)
  })
})

function isModuleClass(value: unknown): boolean {
  return typeof value === 'function' && (value === nn.Module || value.prototype instanceof nn.Module)
}
