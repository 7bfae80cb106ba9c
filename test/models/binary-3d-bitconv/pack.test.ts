// The packed network against the one that was trained, and its file.
import { statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readSafetensors, readSafetensorsMetadata } from '../../../lib/io'
import {
  type ActionNetwork,
  BinaryUnit,
  Config,
  createNetwork,
  PackedUnit,
  packedConfig,
  packNetwork,
  savePacked,
  setStage,
  storedBytes,
} from '../../../lib/models/video/binary-3d-bitconv'
import { BatchNorm3d, skipInit } from '../../../lib/nn'
import { foldNorm } from '../../../lib/nn/binary-conv3d-packed'
import { loadNetworks, mergeConfigs, parseConfig } from '../../../lib/pipeline'
import { keep, manualSeed, noGrad, rand, randn, type Tensor, tidy, tidyAsync } from '../../../lib/tensor'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const configOf = (network: object, over: object = {}) =>
  parseConfig(Config, mergeConfigs({ network: { width: 0.125, hidden: 64, ...network }, classes: 5 }, over), 'test')

/** A network as training might leave it: norms and shifts anywhere, negative scales too. */
function trainedLike(config: Config, seed: number): ActionNetwork {
  manualSeed(seed)
  const model = createNetwork(config)
  noGrad(() =>
    tidy(() => {
      for (const [name, parameter] of model.namedParameters()) {
        if (/(bias1|bias2|conv\.bias|norm\.bias)$/.test(name)) parameter.copy_(randn(parameter.shape).mul(0.3))
        if (/slope$/.test(name)) parameter.copy_(randn(parameter.shape).mul(0.3).add(0.2))
        if (/norm\.weight$/.test(name)) parameter.copy_(randn(parameter.shape).mul(0.5).add(0.7))
      }
      for (const module of model.modules()) {
        if (!(module instanceof BatchNorm3d)) continue
        module.runningMean?.copy_(randn([module.numFeatures]).mul(0.2))
        module.runningVar?.copy_(rand([module.numFeatures]).add(0.5))
      }
    }),
  )
  return model.eval()
}

const difference = (a: Tensor, b: Tensor) => a.sub(b).abs().max().item() as number
const largest = (a: Tensor) => a.abs().max().item() as number

const NETWORKS = [
  ['c3d', {}, [1, 3, 16, 32, 32], { input: { size: 32 } }],
  ['c3d without shortcuts', { shortcut: false }, [1, 3, 16, 32, 32], { input: { size: 32 } }],
  ['c3d without Sign2', { sign2: false }, [1, 3, 16, 32, 32], { input: { size: 32 } }],
  ['c3d without scales', { scale: 'none' }, [1, 3, 16, 32, 32], { input: { size: 32 } }],
  ['resnet3d-18', { backbone: 'resnet3d-18' }, [1, 3, 8, 32, 32], {}],
  ['resnet3d-18, averaging', { backbone: 'resnet3d-18', downsample: 'avgpool' }, [1, 3, 8, 33, 35], {}],
  ['i3d-50', { backbone: 'i3d-50' }, [1, 3, 8, 32, 32], {}],
  ['slowonly-50 without Sign2', { backbone: 'slowonly-50', sign2: false }, [1, 3, 8, 32, 32], {}],
] as const

describe('6. the packed network', () => {
  test.each(NETWORKS)(
    '%s: (a) each unit, fed the same, is within 1e-5 of the largest value',
    (_name, network, shape, over) =>
      tidy(() => {
        const config = configOf(network, over)
        using model = trainedLike(config, 11)
        using packed = packNetwork(model, config)
        const units = new Map([...packed.namedModules()].filter(([, module]) => module instanceof PackedUnit))
        let seen = 0
        for (const [name, module] of model.namedModules()) {
          if (!(module instanceof BinaryUnit)) continue
          module.registerForwardHook((_m, [x, shortcut], output) => {
            const own = (units.get(name) as PackedUnit).forward(x as Tensor, (shortcut as Tensor | null) ?? null)
            expect(difference(own, output as Tensor), name).toBeLessThan(1e-5 * largest(output as Tensor))
            seen += 1
          })
        }
        noGrad(() => model.forward(randn([...shape])))
        expect(seen).toBe(units.size)
      }),
  )

  test.each(NETWORKS)('%s: gives the answers of the trained one', (_name, network, shape, over) =>
    tidy(() => {
      const config = configOf(network, over)
      using model = trainedLike(config, 12)
      using packed = packNetwork(model, config)
      let same = 0
      for (let i = 0; i < 8; i++) {
        const clip = randn([...shape])
        const [a, b] = noGrad(() => [model.forward(clip), packed.forward(clip)] as const)
        same += Number(difference(a, b) < 1e-4 * largest(a))
      }
      // A value within rounding of 0 may fall on the other side, rarely.
      expect(same).toBeGreaterThanOrEqual(7)
    }),
  )

  test('(b) in float64 no sign differs, and logits are within 1e-9', () =>
    tidy(() => {
      const config = configOf({}, { input: { size: 32 } })
      using model = trainedLike(config, 13).to('float64')
      const clip = randn([2, 3, 16, 32, 32], { dtype: 'float64' })
      const signs: Tensor[] = []
      const units = [...model.modules()].filter((module) => module instanceof BinaryUnit)
      const hooks = units.map((unit) =>
        unit.registerForwardPreHook((_m, [x]) => void signs.push(keep(signsOf(unit, x as Tensor)))),
      )
      const logits = noGrad(() => model.forward(clip))
      for (const hook of hooks) hook.remove()
      const again: Tensor[] = []
      for (const unit of units) {
        Object.assign(unit, {
          forward: (x: Tensor, shortcut: Tensor | null) => {
            again.push(keep(signsOf(unit, x)))
            return folded(unit, x, shortcut)
          },
        })
      }
      const fused = noGrad(() => model.forward(clip))
      expect(again.length).toBe(7)
      for (const [i, bits] of again.entries()) expect(bits.equal(signs[i] as Tensor)).toBe(true)
      expect(difference(fused, logits)).toBeLessThan(1e-9 * largest(logits))
      expect(largest(logits)).toBeGreaterThan(0)
      for (const each of [...signs, ...again]) each.dispose()
    }))
})

const signsOf = (unit: BinaryUnit, x: Tensor) => x.add((unit.conv.bias as Tensor).reshape([1, -1, 1, 1, 1])).ge(0)

/** A unit as the packed one computes it, from whole numbers and one multiply-add, in float64. */
function folded(unit: BinaryUnit, x: Tensor, shortcut: Tensor | null): Tensor {
  const alpha = unit.conv.weight.abs().mean({ dim: [1, 2, 3, 4] })
  const { scale, shift } = foldNorm(alpha, unit.norm)
  const channel = (values: Tensor) => values.reshape([1, -1, 1, 1, 1])
  const sums = unit.conv.sums(x).permute([0, 4, 1, 2, 3]).to('float64')
  const z = sums.mul(channel(scale)).add(channel(shift))
  const times = shortcut === null ? 1 : z.size(1) / shortcut.size(1)
  const sum = shortcut === null ? z : z.add(shortcut.repeat([1, times, 1, 1, 1]))
  return unit.sign2 ? unit.sign2.forward(sum) : sum
}

describe('7. the file', () => {
  test('of 1-bit C3D holds 3,456,000 bytes of bits, 62,720 of side vectors and 20,992 of conv1a', () =>
    tidyAsync(async () => {
      const config = parseConfig(Config, {}, 'test')
      using packed = skipInit(() => createNetwork(packedConfig(config)))
      const { total, words, sides } = storedBytes(packed)
      expect(words).toBe(3_456_000)
      expect(sides).toBe(62_720)
      expect(total).toBe(206_554_260)
      const path = folder('c3d.safetensors')
      await savePacked(path, packed, config)
      const { tensors } = await readSafetensorsMetadata(path)
      const bytes = ({ dtype, shape }: { dtype: string; shape: readonly number[] }) =>
        shape.reduce((product, size) => product * size, dtype === 'I64' ? 8 : 4)
      const convolutions = [...tensors].filter(([name]) => /^(block|conv1a)/.test(name))
      expect(convolutions.reduce((sum, [, info]) => sum + bytes(info), 0)).toBe(3_539_712)
      const header = statSync(path).size - total
      expect(header + 3_539_712).toBeLessThan(3.6e6)
      // What is read by the kernel begins at a cache line.
      expect(header % 64).toBe(0)
    }))

  test('is loaded again with the same numbers; every tensor of whole cache lines begins at one', () =>
    tidyAsync(async () => {
      const config = configOf({ backbone: 'resnet3d-18', width: 0.25 })
      using model = trainedLike(config, 14)
      using packed = packNetwork(model, config)
      const path = folder('resnet.safetensors')
      await savePacked(path, packed, config)
      const loaded = await loadNetworks(
        { card: { name: 'binary-3d-bitconv' }, config: Config, create: createNetwork },
        { weights: path, device: 'cpu' },
      )
      using again = loaded.model
      expect(loaded.config.network.precision).toBe('packed')
      const clip = randn([2, 3, 8, 32, 32])
      expect(noGrad(() => again.forward(clip).equal(packed.forward(clip)))).toBe(true)
      const mapped = await readSafetensors(path, { mmap: true })
      expect(mapped.size).toBe(packed.stateDict().size)
    }))
})

describe('what cannot be packed', () => {
  test('is refused', () => {
    const float = configOf({ precision: 'float' }, { input: { size: 16 } })
    using model = createNetwork(float)
    expect(() => packNetwork(model, float)).toThrow(/the network is float; only one of network.precision=binary/)
    const binary = configOf({}, { input: { size: 16 } })
    using early = createNetwork(binary)
    setStage(early, 'activations')
    expect(() => packNetwork(early, binary)).toThrow(/block2a is in the stage 'activations'/)
    expect(early.training).toBe(true)
  })
})
