// One of several processes that make the same calls; what each saw goes to a file of its rank.
import { writeFileSync } from 'node:fs'
import {
  allGatherAsync,
  allGatherObject,
  allGatherTensors,
  allReduce,
  allReduceAsync,
  barrier,
  broadcastAsync,
  broadcastTensors,
  destroyProcessGroup,
  GradientReducer,
  initProcessGroup,
} from '../../lib/distributed'
import { capture, type Tensor, tensor } from '../../lib/tensor'

const group = await initProcessGroup({ timeoutMs: 60_000 })
const { rank, worldSize } = group
if (process.argv[2] === 'lose one') {
  if (rank === 1) process.kill(process.pid, 'SIGKILL')
  await barrier()
}
const mine = tensor([rank + 1, 10 * rank])
const seen: Record<string, unknown> = { rank, worldSize }

for (const op of ['sum', 'mean', 'product', 'min', 'max'] as const) {
  seen[op] = allReduce(mine, { op }).toArray()
  seen[`${op} later`] = (await allReduceAsync(mine, { op })).toArray()
}
seen.unchanged = mine.toArray()
// Issued together, they are matched in their order.
const several = await Promise.all([1, 2, 3].map((factor) => allReduceAsync(mine.mul(factor))))
seen.several = several.map((x) => x.toArray())
const leaf = tensor([1, 2]).requiresGrad_()
allReduce(leaf.mul(rank + 1))
  .square()
  .sum()
  .backward()
seen.gradient = leaf.grad?.toArray()
using summed = capture((x: Tensor) => allReduce(x.mul(2)).add(1))
await summed(mine)
seen.captured = (await summed(mine)).toArray()
seen.broadcast = (await broadcastAsync(mine, { source: 1 })).toArray()
seen.gathered = (await allGatherAsync(mine)).toArray()
seen.objects = await allGatherObject({ rank, text: 'ü'.repeat(rank + 1) })
const named = await allGatherTensors({
  all: tensor(new Array(rank).fill(rank + 1), { shape: [rank, 1] }),
  ...(rank === 1 ? { one: tensor([[5n]]) } : {}),
})
seen.named = named.map((each) =>
  Object.entries(each).map(([name, t]) => [name, t.dtype, t.shape, ...[t.toArray()].flat(3).map(Number)]),
)
await broadcastTensors([mine], { source: 1 })
seen.broadcastTensors = mine.toArray()

const unused = tensor([5]).requiresGrad_()
const used = tensor([1]).requiresGrad_()
using reducer = await GradientReducer.open([used, unused], { findUnused: true })
const loss = used.mul(rank + 3).sum()
reducer.prepare([loss])
loss.backward()
seen.reduced = [used.grad?.toArray(), unused.grad?.toArray() ?? null]
try {
  await GradientReducer.open([tensor(new Array(rank + 1).fill(0)).requiresGrad_()])
  seen.mismatch = 'none'
} catch (error) {
  seen.mismatch = (error as Error).message
}
await barrier()
writeFileSync(`${process.argv[2]}-${rank}.json`, JSON.stringify(seen))
await destroyProcessGroup()
