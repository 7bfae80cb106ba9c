// Run alone with VISION_NATIVE_ISA: milliseconds of layer 3b of C3D on the instruction set that it asks for.
import { bconv3d, packBinaryWeight, signBiasPack } from '../../lib/ops'
import { manualSeed, noGrad, randn, setNumThreads, tidy } from '../../lib/tensor'
import { timeOf } from './operator'
import { median } from './result'

setNumThreads(1)
manualSeed(1)
noGrad(() =>
  tidy(() => {
    const [bits, weight] = [signBiasPack(randn([1, 256, 8, 28, 28])), packBinaryWeight(randn([256, 256, 3, 3, 3]))]
    const times = Array.from({ length: 16 }, () => timeOf(() => tidy(() => void bconv3d(bits, weight, { padding: 1 }))))
    console.log(median(times.slice(1)))
  }),
)
