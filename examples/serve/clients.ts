// Clients of the server: pictures cut from photographs by a seed, sent over connections that stay open.
import { Agent, request } from 'node:http'
import sharp from 'sharp'
import type { Logits } from './classifier'

export interface Picture {
  readonly type: string
  readonly bytes: Buffer
}

/** What became of one request. */
export type Outcome =
  | { readonly kind: 'answered'; readonly picture: number; readonly ms: number; readonly logits: Logits }
  /** Not taken in: status 503, or nobody listened any more. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly reason: string }

/** Numbers in 0–1 from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const FORMATS = ['jpeg', 'png', 'webp'] as const

/** Different parts of photographs in different formats. */
export async function cutPictures(photographs: readonly string[], count: number, seed: number): Promise<Picture[]> {
  const random = seeded(seed)
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1))
  const pictures: Picture[] = []
  for (let index = 0; index < count; index++) {
    const photograph = sharp(photographs[index % photographs.length])
    const { width, height } = await photograph.metadata()
    // Few sizes, as cameras have: the preparation of each is recorded once.
    const [w, h] = [width, height].map((side) => Math.floor((side * between(2, 3)) / 4)) as [number, number]
    const part = { left: between(0, width - w), top: between(0, height - h), width: w, height: h }
    const format = FORMATS[index % FORMATS.length] ?? 'png'
    pictures.push({ type: `image/${format}`, bytes: await photograph.extract(part).toFormat(format).toBuffer() })
  }
  return pictures
}

export interface WaveOptions {
  readonly url: string
  readonly pictures: readonly Picture[]
  readonly requests: number
  /** Requests under way at a time. */
  readonly clients: number
  readonly seed: number
  /** Told the number of requests that have ended. */
  readonly onDone?: (done: number) => void
}

/** Sends requests of pictures picked by the seed; each client sends its next one when it has the answer to the last. */
export async function wave({ url, pictures, requests, clients, seed, onDone }: WaveOptions): Promise<Outcome[]> {
  const random = seeded(seed)
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const outcomes: Outcome[] = []
  let sent = 0
  const client = async () => {
    while (sent < requests) {
      sent++
      const picture = Math.floor(random() * pictures.length)
      outcomes.push(await classify(url, pictures[picture] as Picture, picture, agent))
      onDone?.(outcomes.length)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  agent.destroy()
  return outcomes
}

function classify(url: string, { type, bytes }: Picture, picture: number, agent: Agent): Promise<Outcome> {
  const started = performance.now()
  return new Promise((resolve) => {
    const headers = { 'content-type': type, 'content-length': bytes.length }
    const sending = request(`${url}/classify?logits=true`, { method: 'POST', agent, headers }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', (error) => resolve({ kind: 'failed', reason: error.message }))
      response.on('end', () => {
        const text = Buffer.concat(parts).toString()
        if (response.statusCode === 503) return resolve({ kind: 'refused' })
        if (response.statusCode !== 200) {
          return resolve({ kind: 'failed', reason: `status ${response.statusCode}: ${text}` })
        }
        const { logits } = JSON.parse(text) as { logits: number[] }
        resolve({ kind: 'answered', picture, ms: performance.now() - started, logits: Float32Array.from(logits) })
      })
    })
    sending.on('error', (error: NodeJS.ErrnoException) => {
      // Nobody listened, or had stopped before it took the connection: nothing was sent yet.
      if (error.syscall === 'connect') return resolve({ kind: 'refused' })
      // The server closed an idle connection just as it was used again: it never saw the request (RFC 9112, 9.3.1).
      if (sending.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) {
        return resolve(classify(url, { type, bytes }, picture, agent))
      }
      resolve({ kind: 'failed', reason: error.message })
    })
    sending.end(bytes)
  })
}

/** What a wave came to. */
export interface WaveReport {
  readonly answered: number
  readonly refused: number
  readonly failed: readonly string[]
  /** Largest difference of a logit from what the network gives for the picture alone. */
  readonly largestDifference: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export function judge(outcomes: readonly Outcome[], alone: readonly Logits[]): WaveReport {
  const answers = outcomes.filter((outcome) => outcome.kind === 'answered')
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  const quantile = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN
  return {
    answered: answers.length,
    refused: outcomes.filter(({ kind }) => kind === 'refused').length,
    failed: outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.reason] : [])),
    largestDifference: answers.reduce((most, { logits, picture }) => {
      return Math.max(most, differenceOf(logits, alone[picture] ?? new Float32Array(0)))
    }, 0),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  }
}

/** Largest difference of two outputs; NaN counts as infinitely far. */
export function differenceOf(a: Logits, b: Logits): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  return a.reduce((most, value, index) => {
    const difference = Math.abs(value - (b[index] ?? Number.NaN))
    return difference <= most ? most : Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference
  }, 0)
}
