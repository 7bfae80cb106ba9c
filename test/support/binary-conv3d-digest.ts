// Run alone by binary-conv3d.test.ts, once for each instruction set: layers that are wrong, and a digest of the results.
import { createHash } from 'node:crypto'
import { bconv3d, bconv3dFused, packBinaryWeight, signBiasPack } from '../../lib/ops'
import { manualSeed, randn, setNumThreads, type Tensor, tidy } from '../../lib/tensor'
import { channelsSecond, equal, floatSums, layers, perChannel } from './binary-conv3d'
import { bytesOf } from './test-op'

const hash = createHash('sha256')
const wrong: string[] = []
manualSeed(7)
for (const [i, layer] of layers().entries()) {
  tidy(() => {
    setNumThreads(1 + (i % 2))
    const { channels, outChannels, kernel, stride, padding, batch } = layer
    const x: Tensor = randn([batch, channels, 3, 5, 7])
    const bias: Tensor = randn([channels])
    const weight: Tensor = randn([outChannels, channels, ...kernel])
    const packed = packBinaryWeight(weight)
    const bits = signBiasPack(i % 4 < 2 ? x : x.contiguous({ memoryFormat: 'channels_last_3d' }), bias)
    const sums = bconv3d(bits, packed, { stride, padding })
    const expected = floatSums(x.add(perChannel(bias)), weight, stride, padding)
    if (!equal(channelsSecond(sums), expected)) wrong.push(JSON.stringify(layer))
    const [scale, shift, slope] = [randn([outChannels]), randn([outChannels]), randn([outChannels])] as const
    const fused = bconv3dFused(bits, packed, scale, shift, { stride, padding, slope, returns: 'both' })
    for (const each of [bits, packed.words, sums, fused.output, fused.bits]) {
      if (each) hash.update(bytesOf(each as Tensor))
    }
  })
}
console.log(JSON.stringify({ wrong, digest: hash.digest('hex') }))
