// `npm run example:serve -- [--network resnet18] [--weights FILE] [--port 3000]`; README.md says the rest.
import { parseArgs } from 'node:util'
import { Classifier } from './classifier'
import { classifyServer } from './server'

const { values } = parseArgs({
  options: {
    network: { type: 'string', default: 'resnet18' },
    weights: { type: 'string' },
    seed: { type: 'string', default: '0' },
    device: { type: 'string', default: 'auto' },
    'max-batch': { type: 'string', default: '8' },
    'max-wait-ms': { type: 'string', default: '5' },
    'max-pending': { type: 'string', default: '128' },
    'timeout-ms': { type: 'string', default: '10000' },
    'grace-ms': { type: 'string', default: '20000' },
    port: { type: 'string', default: '3000' },
    host: { type: 'string', default: '127.0.0.1' },
  },
})

const classifier = await Classifier.load({
  network: values.network,
  weights: values.weights,
  seed: Number(values.seed),
  device: values.device as 'auto',
  maxBatch: Number(values['max-batch']),
})
const { app, drain, answered } = classifyServer({
  classifier,
  maxWaitMs: Number(values['max-wait-ms']),
  maxPending: Number(values['max-pending']),
  timeoutMs: Number(values['timeout-ms']),
})

let stopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, async () => {
    if (stopping) return
    stopping = true
    setTimeout(() => {
      console.error('requests were still not answered when the time to stop was over')
      process.exit(1)
    }, Number(values['grace-ms'])).unref()
    await drain()
    classifier.dispose()
    console.log(`stopped by ${signal}; ${answered(200)} requests were answered`)
  })
}

const { name, weights, device, buckets } = classifier
console.log(`${name} on ${device}, weights ${weights}, batches of ${buckets.join(', ')}`)
console.log(`listening on ${await app.listen({ port: Number(values.port), host: values.host })}`)
