// Enhances uploaded photographs: POST one, follow its progress, fetch the result. See main.ts for the command.
import type { LowLightEnhancer } from '@lab/vision-native/models/enhancement/fusion-low-light-enhancement'
import fastify, { type FastifyInstance } from 'fastify'
import { acceptPictures, EventLoopDelay } from '../shared/http'
import { type Job, JobQueue, type JobState } from './jobs'
import { PAGE } from './page'

export interface ServerOptions {
  readonly enhancer: LowLightEnhancer
  /** Largest upload in bytes; 20 MiB unless stated. */
  readonly maxBytes?: number
  /** Pictures that may wait; 100 unless stated. */
  readonly maxWaiting?: number
}

/** The server, not listening yet. `close()` lets the pictures that were taken in be finished. */
export function enhanceServer({ enhancer, maxBytes = 20 * 2 ** 20, maxWaiting = 100 }: ServerOptions): FastifyInstance {
  const server = fastify({ bodyLimit: maxBytes })
  const delay = new EventLoopDelay()
  const queue = new JobQueue((job) => enhance(enhancer, job), maxWaiting)

  acceptPictures(server)
  server.get('/', (_request, reply) => reply.type('text/html').send(PAGE))

  server.post('/pictures', (request, reply) => {
    if (!(request.body instanceof Uint8Array)) {
      return reply.code(415).send({ message: 'send the bytes of a picture, with a content type such as image/jpeg' })
    }
    const job = queue.add(request.body)
    if (job === undefined) {
      return reply
        .code(503)
        .header('retry-after', '10')
        .send({ message: `${maxWaiting} pictures wait already` })
    }
    const path = `/pictures/${job.id}`
    return reply
      .code(202)
      .header('location', path)
      .send({ id: job.id, result: path, events: `${path}/events` })
  })

  server.get<{ Params: { id: string } }>('/pictures/:id', (request, reply) => {
    const job = queue.get(request.params.id)
    if (job === undefined) return reply.code(404).send({ message: 'there is no such picture, or its time is over' })
    const { state } = job
    if (state.kind === 'failed') return reply.code(state.status).send({ message: state.message })
    if (job.result === undefined) return reply.code(202).header('retry-after', '1').send(state)
    return reply.type('image/jpeg').send(Buffer.from(job.result))
  })

  server.get<{ Params: { id: string } }>('/pictures/:id/events', (request, reply) => {
    const job = queue.get(request.params.id)
    if (job === undefined) return reply.code(404).send({ message: 'there is no such picture, or its time is over' })
    reply.hijack()
    const stream = reply.raw
    stream.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const tell = (state: JobState) => {
      stream.write(`data: ${JSON.stringify(state)}\n\n`)
      if (job.ended) stream.end()
    }
    job.on('change', tell)
    stream.on('close', () => job.off('change', tell))
    tell(job.state)
  })

  server.get('/health', () => ({
    waiting: queue.waiting,
    eventLoopDelayMs: { mean: delay.mean, p99: delay.percentile(99), max: delay.max },
  }))

  server.addHook('onClose', async () => {
    await queue.drained()
    delay.stop()
  })
  return server
}

async function enhance(enhancer: LowLightEnhancer, job: Job): Promise<void> {
  const onProgress = (progress: { stage: string; done: number; total: number }) => {
    job.state = { kind: 'running', ...progress }
  }
  using result = await enhancer.run(job.input, { onProgress })
  job.result = await result.toBuffer('jpg')
}
