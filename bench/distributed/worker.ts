// One of the processes of `npm run bench -- distributed`: trains ResNet-18 on its part of one batch; rank 0 writes what it
// saw. Arguments: file of weights and batch, steps, file of the result.
import { writeFileSync } from 'node:fs'
import { resnet18 } from '../../lib/backbones'
import { destroyProcessGroup, initProcessGroup } from '../../lib/distributed'
import { readSafetensors } from '../../lib/io'
import { SGD } from '../../lib/optim'
import { crossEntropyLoss, setNumThreads, tensor } from '../../lib/tensor'
import { Trainer } from '../../lib/train'

const [file = '', steps = '0', result = ''] = process.argv.slice(2)
setNumThreads(1)
const group = await initProcessGroup({ timeoutMs: 120_000 })
const { rank, worldSize } = group
const tensors = await readSafetensors(file)
const stored = (name: string) => tensors.get(name) ?? tensor([])
const model = resnet18({ numClasses: 10 })
const ofModel = [...tensors].flatMap(([name, value]) =>
  name.startsWith('model.') ? [[name.slice('model.'.length), value] as const] : [],
)
model.loadStateDict(new Map(ofModel))
const size = stored('input').size(0) / worldSize
const batch = { x: stored('input').narrow(0, rank * size, size), y: stored('target').narrow(0, rank * size, size) }
const times: number[] = []
const trainer = new Trainer({
  model,
  optimizer: new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 }),
  loss: ({ x, y }: typeof batch) => crossEntropyLoss(model.forward(x), y),
  group: worldSize > 1 ? group : undefined,
  logEvery: 1,
  progress: false,
  onRecord: ({ kind }) => kind === 'step' && times.push(performance.now()),
})
const { records } = await trainer.fit(new Array(Number(steps)).fill(batch), { steps: Number(steps) })
const losses = records.flatMap(({ kind, loss }) => (kind === 'step' ? [loss] : []))
if (rank === 0)
  writeFileSync(result, JSON.stringify({ losses, ms: times.slice(1).map((time, i) => time - (times[i] ?? 0)) }))
await destroyProcessGroup()
