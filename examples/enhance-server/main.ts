// `npm run example:server -- --weights low-light.safetensors [--port 3000]`
// Without weights each picture trains its own networks first, which takes a minute or two.
import { parseArgs } from 'node:util'
import { zeros } from '@lab/vision-native'
import { LowLightEnhancer } from '@lab/vision-native/models/enhancement/fusion-low-light-enhancement'
import { enhanceServer } from './server'

const { values } = parseArgs({
  options: {
    weights: { type: 'string' },
    port: { type: 'string', default: '3000' },
    host: { type: 'string', default: '127.0.0.1' },
  },
})

const enhancer = await LowLightEnhancer.load({ weights: values.weights })
// A picture of a new size is recorded on the event loop; large ones are cut into tiles, whose size this one has.
if (values.weights !== undefined) (await enhancer.run(zeros([3, 512, 512]))).dispose()
const server = enhanceServer({ enhancer })
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await server.close()
    enhancer.dispose()
  })
}
console.log(`listening on ${await server.listen({ port: Number(values.port), host: values.host })}`)
