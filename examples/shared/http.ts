// What the servers of the examples share: pictures as bodies, whose fault an error is, and how long the event loop was held.
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { VisionNativeError } from '@lab/vision-native'
import type { FastifyInstance } from 'fastify'

/** Bodies of any `image/…` type arrive as bytes. */
export function acceptPictures(app: FastifyInstance): void {
  app.addContentTypeParser(/^image\//, { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}

/** What is wrong with the picture is the sender's, memory that is short for a while is nobody's, and the rest is ours. */
export function statusOf(error: unknown): 422 | 500 | 503 {
  if (VisionNativeError.is(error, 'Format') || VisionNativeError.is(error, 'Shape')) return 422
  return VisionNativeError.is(error, 'OutOfMemory') ? 503 : 500
}

const RESOLUTION_MS = 5

/** How much later than asked for timers fire, in milliseconds. */
export class EventLoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

  constructor() {
    this.#histogram.enable()
  }

  get mean(): number {
    return late(this.#histogram.mean)
  }

  get max(): number {
    return late(this.#histogram.max)
  }

  percentile(percent: number): number {
    return late(this.#histogram.percentile(percent))
  }

  stop(): void {
    this.#histogram.disable()
  }
}

/** The histogram counts the time between two timers, the resolution included. */
function late(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) || 0
}
