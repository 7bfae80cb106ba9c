// 6 c and 10: the packed network on real sizes, its answers and its speed.
import { cpus } from 'node:os'
import { expect, test } from 'vitest'
import { BinaryUnit, Config, createNetwork, PackedUnit, packNetwork } from '../../../lib/models/video/binary-3d-bitconv'
import { PackedBinaryConv3d } from '../../../lib/nn'
import { bconv3d, packBinaryWeight, signBiasPack } from '../../../lib/ops'
import { mergeConfigs, parseConfig } from '../../../lib/pipeline'
import {
  conv3d,
  cpuCapability,
  getNumThreads,
  keep,
  manualSeed,
  noGrad,
  randn,
  setNumThreads,
  type Tensor,
  tidy,
} from '../../../lib/tensor'

const configOf = (network: object) => parseConfig(Config, mergeConfigs({ network }, { classes: 101 }), 'test')

test(
  '6 c. on 100 clips of 16 × 112 × 112 the packed network says the same',
  () =>
    tidy(() => {
      const config = configOf({ width: 0.25, hidden: 256 })
      manualSeed(6)
      using model = createNetwork(config)
      // Norms as training leaves them, and shifts that bring signs to both sides.
      noGrad(() =>
        tidy(() => {
          for (const module of model.modules()) {
            if (!(module instanceof BinaryUnit)) continue
            module.sign2?.bias1.fill_(-0.5)
            module.sign2?.bias2.copy_(randn([module.conv.outChannels]).sub(1))
          }
          for (let i = 0; i < 10; i++) tidy(() => void model.forward(randn([2, 3, 16, 112, 112])))
        }),
      )
      model.eval()
      using packed = packNetwork(model, config)
      const signs: Tensor[][] = [[], []]
      const see = (which: 0 | 1, bits: Tensor) => void signs[which]?.push(keep(bits))
      for (const module of model.modules()) {
        if (module instanceof BinaryUnit)
          module.registerForwardPreHook((_m, [x]) => see(0, signBiasPack(x as Tensor, module.conv.bias)))
      }
      for (const module of packed.modules()) {
        if (!(module instanceof PackedBinaryConv3d)) continue
        module.registerForwardPreHook((_m, [x]) => {
          const input = x as Tensor
          see(1, input.dtype === 'int64' ? input.clone() : signBiasPack(input, module.bias))
        })
      }
      let [sameTop, flipped, worst] = [0, 0, 0]
      for (let i = 0; i < 100; i++) {
        tidy(() => {
          const clip = randn([1, 3, 16, 112, 112])
          const [a, b] = noGrad(() => [model.forward(clip), packed.forward(clip)] as const)
          sameTop += Number(a.argmax().item() === b.argmax().item())
          const differs = signs[0]?.some((bits, k) => !bits.equal(signs[1]?.[k] as Tensor)) ?? true
          const error = a.sub(b).abs().max().item() as number
          if (differs) flipped += 1
          else {
            worst = Math.max(worst, error)
            expect(error).toBeLessThan(1e-4)
          }
          for (const list of signs) for (const bits of list.splice(0)) bits.dispose()
        })
      }
      console.log(
        `of 100 clips ${sameTop} with the same answer, ${flipped} with a sign that differs; else logits within ${worst.toExponential(1)}`,
      )
      expect(sameTop).toBeGreaterThanOrEqual(99)
    }),
  1_800_000,
)

test(
  '10. one bit against float32 on one core: layer 3b, and the network',
  () =>
    tidy(() => {
      const threads = getNumThreads()
      setNumThreads(1)
      try {
        const time = (work: () => unknown, times: number) => {
          let best = Number.POSITIVE_INFINITY
          for (let i = 0; i < times; i++) {
            const started = performance.now()
            tidy(() => void work())
            best = Math.min(best, performance.now() - started)
          }
          return best
        }
        const [x, w] = [randn([1, 256, 8, 28, 28]), randn([256, 256, 3, 3, 3])]
        const [bits, words] = [signBiasPack(x), packBinaryWeight(w)]
        const binary = time(() => bconv3d(bits, words, { padding: 1 }), 5)
        const float = time(() => conv3d(x, w, { padding: 1 }), 3)
        const lines = [
          `layer 3b: ${float.toFixed(0)} ms float, ${binary.toFixed(1)} ms of one bit: ${(float / binary).toFixed(1)} times`,
        ]
        const clip = randn([1, 3, 16, 112, 112])
        const network = { hidden: 256 }
        const config = configOf(network)
        using model = createNetwork(config).eval()
        using packed = packNetwork(model, config)
        using full = createNetwork(configOf({ ...network, precision: 'float' })).eval()
        expect([...packed.modules()].some((module) => module instanceof PackedUnit)).toBe(true)
        const [a, b] = [full, packed].map((each) => time(() => noGrad(() => each.features(clip)), 3)) as [
          number,
          number,
        ]
        lines.push(
          `C3D with fc of 256: ${a.toFixed(0)} ms float, ${b.toFixed(0)} ms packed: ${(a / b).toFixed(1)} times`,
        )
        console.log([`${cpus()[0]?.model}, ${cpuCapability()}, 1 thread`, ...lines].join('\n'))
      } finally {
        setNumThreads(threads)
      }
    }),
  600_000,
)
