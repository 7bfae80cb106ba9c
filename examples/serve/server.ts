// Pictures in, classes out: see README.md for the routes and main.ts for the command.
import { memory, VisionNativeError } from '@lab/vision-native'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { acceptPictures, EventLoopDelay, statusOf } from '../shared/http'
import { Batcher } from './batcher'
import { type Classifier, type Logits, softmax } from './classifier'
import { Counter, Gauge, Histogram } from './metrics'
import { Slots } from './slots'

export interface ServerOptions {
  readonly classifier: Classifier
  /** How long the first request of a batch waits for others; 5 ms unless stated. */
  readonly maxWaitMs?: number
  /** Requests that are taken in and not answered yet; further ones are refused. 128 unless stated. */
  readonly maxPending?: number
  /** Longest time from the first byte of a request to its answer; 10 s unless stated. */
  readonly timeoutMs?: number
  /**
   * How long a stopping server refuses at least, so that those who are just connecting get a 503 and not a reset;
   * 500 ms unless stated.
   */
  readonly lingerMs?: number
  /** Largest picture in bytes; 10 MiB unless stated. */
  readonly maxBytes?: number
  /** Largest picture in pixels; 2^25 (33 megapixels) unless stated. */
  readonly maxPixels?: number
}

/** A server that is not listening yet. */
export interface ClassifyServer {
  readonly app: FastifyInstance
  /** Takes in nothing more, answers what was taken in, and closes. */
  drain(): Promise<void>
  /** How many requests were answered with a status; 499 is for clients that left. */
  answered(status: number): number
}

/** Why a request is given up. */
class GivenUp extends Error {
  constructor(
    readonly status: 499 | 504,
    message: string,
  ) {
    super(message)
  }
}

/** Seconds after which a refused client may ask again. */
const RETRY_AFTER_S = '1'

type ClassifyRequest = FastifyRequest<{ Querystring: { readonly top: number; readonly logits: boolean } }>

const QUERY = {
  type: 'object',
  properties: {
    top: { type: 'integer', minimum: 1, maximum: 1000, default: 5 },
    logits: { type: 'boolean', default: false },
  },
} as const

/** The server; the classifier stays its caller's. */
export function classifyServer({
  classifier,
  maxWaitMs = 5,
  maxPending = 128,
  timeoutMs = 10_000,
  lingerMs = 500,
  maxBytes = 10 * 2 ** 20,
  maxPixels = 2 ** 25,
}: ServerOptions): ClassifyServer {
  const app = fastify({ bodyLimit: maxBytes, requestTimeout: timeoutMs })
  const delay = new EventLoopDelay()
  // While a batch runs the next one gets ready; decoding all pictures that wait could take gigabytes.
  const decoding = new Slots(2 * classifier.maxBatch)
  let draining = false
  let pending = 0

  const requests = new Counter('serve_requests_total', 'Requests to /classify by status; 499: the client left')
  const seconds = new Histogram(
    'serve_request_seconds',
    'From the head of a request to its answer',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  )
  const sizes = new Histogram('serve_batch_size', 'Requests that ran together', classifier.buckets)
  const runs = new Histogram(
    'serve_inference_seconds',
    'A batch in the network',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  )

  const batcher = new Batcher<Awaited<ReturnType<Classifier['prepare']>>, Logits>(
    (images, signal) => classifier.classify(images, signal),
    {
      maxBatch: classifier.maxBatch,
      maxWaitMs,
      onBatch: (report) => {
        sizes.observe(report.size)
        runs.observe(report.seconds)
      },
    },
  )

  const metrics = [
    requests,
    seconds,
    sizes,
    runs,
    new Gauge('serve_pending_requests', 'Taken in and not answered yet', () => pending),
    new Gauge('serve_queue_length', 'Prepared and waiting for a batch', () => batcher.waiting),
    new Gauge('serve_graphs', 'Graphs of the network that were recorded', () => classifier.graphs),
    new Gauge('serve_event_loop_delay_seconds', 'By how much timers were late since the start', () => [
      [{ quantile: '0.5' }, delay.percentile(50) / 1000],
      [{ quantile: '0.99' }, delay.percentile(99) / 1000],
      [{ quantile: '1' }, delay.max / 1000],
    ]),
    new Gauge('serve_tensors', 'Tensors alive', () => memory.stats().tensors),
    new Gauge('serve_tensor_bytes', 'Memory of tensors by device', () =>
      Object.entries(memory.stats().bytes).map(([device, bytes]) => [{ device }, bytes] as const),
    ),
    new Gauge('serve_cpu_memory_bytes', 'CPU memory that LibTorch holds', () => memory.stats().allocatedCpuBytes),
    new Gauge('process_resident_memory_bytes', 'Resident memory of the process', () => process.memoryUsage.rss()),
  ]

  acceptPictures(app)

  app.get('/healthz', () => ({ network: classifier.name, weights: classifier.weights, device: classifier.device }))
  app.get('/readyz', (_request, reply) =>
    draining ? reply.code(503).send({ ready: false }) : reply.send({ ready: true }),
  )
  app.get('/metrics', (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(`${metrics.map(String).join('\n')}\n`),
  )

  /** Before the body is read: what is refused costs nothing. */
  const admit = async (_request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!draining && pending < maxPending) {
      pending++
      // Whatever ends the request: its answer, or the loss of its connection.
      reply.raw.once('close', () => pending--)
      return
    }
    const message = draining ? 'this server is stopping' : `${pending} requests are being answered already`
    await reply.code(503).header('retry-after', RETRY_AFTER_S).send({ code: 'BUSY', message })
  }

  const classify = async (request: ClassifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { body, query } = request
    if (!(body instanceof Uint8Array) || body.length === 0) {
      const message = 'send the bytes of a picture, with a content type such as image/jpeg'
      return reply.code(415).send({ code: 'UNSUPPORTED_MEDIA_TYPE', message })
    }
    const { signal, done } = patience(reply, timeoutMs - reply.elapsedTime)
    let image: Awaited<ReturnType<Classifier['prepare']>> | undefined
    try {
      image = await decoding.run(() => {
        signal.throwIfAborted()
        return classifier.prepare(body, maxPixels)
      })
      const logits = await batcher.answer(image, signal)
      return { classes: best(softmax(logits), query.top), ...(query.logits && { logits: [...logits] }) }
    } catch (error) {
      if (!(error instanceof GivenUp) || error.status !== 499) throw error
      requests.add({ status: '499' })
      return reply.hijack()
    } finally {
      done()
      image?.dispose()
    }
  }
  app.post('/classify', { onRequest: admit, schema: { querystring: QUERY } }, (request, reply) =>
    classify(request as ClassifyRequest, reply),
  )

  app.addHook('onSend', async (_request, reply) => {
    if (draining) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async ({ routeOptions }, reply) => {
    if (routeOptions.url !== '/classify') return
    requests.add({ status: String(reply.statusCode) })
    if (reply.statusCode === 200) seconds.observe(reply.elapsedTime / 1000)
  })

  app.setErrorHandler((error: Error & { code?: string; statusCode?: number }, _request, reply) => {
    if (error instanceof GivenUp) return reply.code(error.status).send({ code: 'TIMEOUT', message: error.message })
    const status = error.statusCode ?? statusOf(error)
    if (status === 503) reply.header('retry-after', RETRY_AFTER_S)
    if (status >= 500 && !VisionNativeError.is(error)) console.error(error)
    const code = error.code ?? 'INTERNAL'
    return reply.code(status).send({ code, message: status === 500 ? 'the server failed' : error.message })
  })

  app.addHook('onClose', async () => delay.stop())

  return {
    app,
    drain: async () => {
      draining = true
      const until = performance.now() + lingerMs
      while (pending > 0 || performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5))
      await app.close()
    },
    answered: (status) => requests.get({ status: String(status) }),
  }
}

/** Ends when the client leaves, or `ms` have passed. */
function patience(reply: FastifyReply, ms: number): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController()
  const left = () => controller.abort(new GivenUp(499, 'the client left'))
  const late = () => controller.abort(new GivenUp(504, 'the answer took too long; ask again later'))
  const timer = setTimeout(late, Math.max(0, ms))
  reply.raw.once('close', left)
  if (reply.raw.destroyed) left()
  return {
    signal: controller.signal,
    done: () => {
      clearTimeout(timer)
      reply.raw.off('close', left)
    },
  }
}

function best(probabilities: Logits, count: number): { index: number; probability: number }[] {
  return [...probabilities.entries()]
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([index, probability]) => ({ index, probability }))
}
