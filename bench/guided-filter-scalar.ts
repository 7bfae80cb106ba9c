// Run by guided-filter.ts under VISION_NATIVE_ISA=scalar: milliseconds of the guided filter without AVX, by mode.
import { guidedFilter } from '../lib/ops'
import { manualSeed, rand, setNumThreads, tidy } from '../lib/tensor'
import { timeOf } from './support/operator'
import { median } from './support/result'

setNumThreads(1)
manualSeed(1)
const milliseconds = (['gray', 'color'] as const).map((mode) => {
  const [guide, input] = [rand([1, mode === 'gray' ? 1 : 3, 1080, 1920]), rand([1, 1, 1080, 1920])]
  const run = () => tidy(() => void guidedFilter(guide, input, { radius: 8, eps: 0.01, mode }))
  run()
  return [mode, median(Array.from({ length: 9 }, () => timeOf(run)))] as const
})
console.log(JSON.stringify(Object.fromEntries(milliseconds)))
