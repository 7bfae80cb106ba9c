// Patterns, mixing weights and targets of neighbours on the CPU and on CUDA, bit for bit; on a machine with a GPU:
//
//     npx tsx test/cuda/neighbour-target.ts
//
// Prints a line for each check; without a GPU it says why nothing was checked.

import { drawMixing, stnTarget } from '../../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import {
  cudaIsAvailable,
  cudaUnavailableReason,
  type Device,
  manualSeed,
  randn,
  type Tensor,
  tidy,
} from '../../lib/tensor'
import { drawNeighbourPatterns } from '../../lib/vision'

const PAPER = { low: 1, high: 2 }

function check(name: string, onCpu: Tensor, onCuda: Tensor): boolean {
  const passed = onCpu.equal(onCuda.to('cpu'))
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name} [${onCpu.shape.join(', ')}]`)
  return passed
}

function checks(): boolean[] {
  manualSeed(1)
  const [noisy, denoised] = [randn([2, 3, 128, 130]), randn([2, 3, 128, 130])]
  const seed = 2 ** 40 + 7
  return [1, 2, 1_000_000].flatMap((iteration) => {
    const drawn = (device: Device): Readonly<Record<string, Tensor>> => ({
      patterns: drawNeighbourPatterns(2, 128, 130, { seed, iteration, device }),
      weights: drawMixing([2, 7, 64, 65], PAPER, { seed, iteration, device }),
      ...stnTarget(noisy.to(device), denoised.to(device), PAPER, { seed, iteration }),
    })
    const [cpu, cuda] = [drawn('cpu'), drawn('cuda:0')]
    return Object.entries(cpu).map(([name, tensor]) =>
      check(`${name}, step ${iteration}`, tensor, cuda[name] as Tensor),
    )
  })
}

if (cudaIsAvailable()) {
  const results = tidy(checks)
  const failed = results.filter((passed) => !passed).length
  console.log(`${results.length - failed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
} else console.log(`nothing was checked: ${cudaUnavailableReason()}`)
