// Run alone by detection-isa.test.ts, once for each instruction set: what the detection operators give in float32.
import { batchedNms, deformConv2d, nms, roiAlign, softNms } from '../../lib/ops'
import { call, cat, grad, manualSeed, rand, randint, randn, setNumThreads, type Tensor, tidy } from '../../lib/tensor'

setNumThreads(1)
manualSeed(11)
const numbers = (t: Tensor | null | undefined) =>
  Array.from((t as Tensor).contiguous().dataSync() as Float32Array, Number)

/** The same bits on every instruction set. */
const exact: number[][] = []
/** Equal but for the rounding of sums. */
const close: number[][] = []
tidy(() => {
  const corner = rand([500, 2]).mul(90)
  const boxes = cat([corner, corner.add(rand([500, 2]).mul(40))], { dim: 1 })
  const scores = rand([500])
  exact.push(numbers(nms(boxes, scores, 0.4)), numbers(batchedNms(boxes, scores, randint(0, 7, [500]), 0.4)))
  for (const method of ['linear', 'gaussian'] as const) {
    const { keep, scores: lowered } = softNms(boxes, scores, { method })
    exact.push(numbers(keep), numbers(lowered))
  }
  const regions = cat([randint(0, 2, [9, 1]).to('float32'), rand([9, 2]).mul(15), rand([9, 2]).mul(30)], { dim: 1 })
  for (const memoryFormat of ['contiguous_format', 'channels_last'] as const) {
    const x = randn([2, 19, 17, 23]).contiguous({ memoryFormat }).requiresGrad_()
    const pooled = roiAlign(x, regions, [9, 5])
    close.push(numbers(pooled), numbers(grad(pooled.square().sum(), [x])[0]))
    const leaves = [x, randn([2, 36, 17, 23]), randn([4, 19, 3, 3])]
    const [offset, weight] = leaves.slice(1).map((t) => t.requiresGrad_()) as [Tensor, Tensor]
    const made = deformConv2d(x, offset.narrow(1, 0, 18), weight, { padding: 1 })
    close.push(numbers(made), ...grad(made.sum(), leaves).map(numbers))
  }
})
console.log(JSON.stringify({ isa: Number(call('vision_native::_cpu_isa', [])), exact, close }))
