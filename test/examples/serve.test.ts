// The example as its user runs it, from the built package: answers, refusals, metrics, and the end.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { memory } from '@lab/vision-native'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { Batcher } from '../../examples/serve/batcher'
import { Classifier, type Logits, softmax } from '../../examples/serve/classifier'
import { cutPictures, differenceOf, judge, type Picture, wave } from '../../examples/serve/clients'
import { Counter, Gauge, Histogram } from '../../examples/serve/metrics'
import { type ClassifyServer, classifyServer, type ServerOptions } from '../../examples/serve/server'
import { Slots } from '../../examples/serve/slots'

const DATA = join(import.meta.dirname, '../../examples/data')
const SERVE = join(import.meta.dirname, '../../examples/serve')

let classifier: Classifier
let pictures: Picture[]
const servers: ClassifyServer[] = []

beforeAll(async () => {
  classifier = await Classifier.load({ network: 'resnet18', device: 'cpu', maxBatch: 4 })
  pictures = await cutPictures([join(DATA, 'rubberwhale1.png'), join(DATA, 'rubberwhale2.png')], 6, 1)
})
afterAll(async () => {
  for (const { app } of servers) await app.close()
  classifier?.dispose()
})

async function start(options: Partial<ServerOptions> = {}): Promise<{ url: string; server: ClassifyServer }> {
  const server = classifyServer({ classifier, ...options })
  servers.push(server)
  return { url: await server.app.listen({ port: 0, host: '127.0.0.1' }), server }
}

const post = (url: string, body: Buffer, type = 'image/png') =>
  fetch(`${url}/classify`, { method: 'POST', headers: { 'content-type': type }, body })

const metricOf = async (url: string, name: string) => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  )
}

test('answers every request with what the network gives for its picture alone, and leaves nothing behind', async () => {
  const alone: Logits[] = []
  for (const { bytes } of pictures) {
    using image = await classifier.prepare(bytes)
    alone.push(await classifier.classifyAlone(image))
  }
  expect(differenceOf(alone[0] as Logits, alone[1] as Logits)).toBeGreaterThan(0.01)
  const { url } = await start()
  const before = memory.stats().tensors
  const report = judge(await wave({ url, pictures, requests: 20, clients: 8, seed: 1 }), alone)
  expect(report).toMatchObject({ answered: 20, refused: 0, failed: [] })
  expect(report.largestDifference).toBeLessThan(1e-4)
  // Three at a time, in batches of four with an empty place.
  const three = judge(
    await wave({ url: (await start({ maxWaitMs: 200 })).url, pictures, requests: 6, clients: 3, seed: 2 }),
    alone,
  )
  expect(three).toMatchObject({ answered: 6, failed: [] })
  expect(three.largestDifference).toBeLessThan(1e-4)
  expect(memory.stats().tensors).toBe(before)
  // Batches of 1 to 4, padded to 1, 2 or 4: no graph was recorded that the start had not.
  expect(classifier.graphs).toBe(3)
  expect(await metricOf(url, 'serve_batch_size_count')).toBeLessThan(20)
  expect(await metricOf(url, 'serve_batch_size_sum')).toBe(20)
  expect(await metricOf(url, 'serve_requests_total{status="200"}')).toBe(20)
  expect(await metricOf(url, 'serve_pending_requests')).toBe(0)
})

test('gives the most probable classes, as many as asked for', async () => {
  const { url } = await start()
  const { type, bytes } = pictures[0] as Picture
  const ask = async (query: string) => {
    const answer = await fetch(`${url}/classify${query}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: new Uint8Array(bytes),
    })
    return {
      status: answer.status,
      body: (await answer.json()) as { classes: { index: number; probability: number }[]; logits?: number[] },
    }
  }
  const { body } = await ask('?top=1000&logits=true')
  const logits = Float32Array.from(body.logits ?? [])
  const best = logits.indexOf(Math.max(...logits))
  expect(body.classes[0]?.index).toBe(best)
  expect(body.classes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5)
  expect((await ask('')).body.classes.map(({ index }) => index)).toEqual(
    body.classes.slice(0, 5).map(({ index }) => index),
  )
  expect((await ask('?top=0')).status).toBe(400)
})

test('says what is wrong with a request in JSON, with a status of its own', async () => {
  const { url, server } = await start({ maxBytes: 2 ** 16, maxPixels: 100 * 100 })
  const large = await sharp({ create: { width: 200, height: 100, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const cases: [body: Buffer, type: string, status: number, code: string][] = [
    [Buffer.from('no picture'), 'image/png', 422, 'ERR_VISION_NATIVE_FORMAT'],
    [large, 'image/png', 422, 'ERR_VISION_NATIVE_FORMAT'],
    [Buffer.alloc(2 ** 16 + 1), 'image/png', 413, 'FST_ERR_CTP_BODY_TOO_LARGE'],
    [Buffer.from('text'), 'text/plain', 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ]
  for (const [body, type, status, code] of cases) {
    const answer = await post(url, body, type)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ code, message: expect.any(String) })
    expect(server.answered(status)).toBeGreaterThan(0)
  }
  const { message } = (await (await post(url, large)).json()) as { message: string }
  expect(message).toMatch(/200 × 100 = 20000 pixels, more than 10000/)
})

test('refuses what it has no room for, and the requests that it took in are answered', async () => {
  const { url } = await start({ maxPending: 4 })
  const { type, bytes } = pictures[0] as Picture
  const answers = await Promise.all(Array.from({ length: 12 }, () => post(url, bytes, type)))
  const statuses = answers.map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([200, 503]))
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(4)
  for (const { status, headers } of answers) if (status === 503) expect(headers.get('retry-after')).toBe('1')
})

test('gives up a request whose time is over, or whose client left, and answers the next one', async () => {
  const { type, bytes } = pictures[0] as Picture
  const { url: hasty, server: hastyServer } = await start({ timeoutMs: 1 })
  expect((await post(hasty, bytes, type)).status).toBeOneOf([408, 504])
  expect(hastyServer.answered(200)).toBe(0)

  const { url, server } = await start({ maxWaitMs: 300 })
  const sending = request(`${url}/classify`, { method: 'POST', headers: { 'content-type': type } })
  sending.on('error', () => {})
  sending.end(bytes)
  for (let round = 0; round < 200 && (await metricOf(url, 'serve_queue_length')) === 0; round++) await setTimeout(5)
  sending.destroy()
  for (let round = 0; round < 200 && server.answered(499) === 0; round++) await setTimeout(5)
  expect(server.answered(499)).toBe(1)
  expect(await metricOf(url, 'serve_queue_length')).toBe(0)
  expect((await post(url, bytes, type)).status).toBe(200)
})

test('drains: answers what it took in, refuses the rest, is not ready, and closes', async () => {
  const { url, server } = await start({ maxWaitMs: 400 })
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  const { type, bytes } = pictures[0] as Picture
  const taken = Array.from({ length: 3 }, () => post(url, bytes, type))
  for (let round = 0; round < 200 && (await metricOf(url, 'serve_queue_length')) < 3; round++) await setTimeout(5)
  const drained = server.drain()
  const [ready, health, refused] = await Promise.all([
    fetch(`${url}/readyz`),
    fetch(`${url}/healthz`),
    post(url, bytes, type),
  ])
  expect([ready.status, health.status, refused.status]).toEqual([503, 200, 503])
  expect(refused.headers.get('retry-after')).toBe('1')
  expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([200, 200, 200])
  await drained
  await expect(post(url, bytes, type)).rejects.toThrow()
})

test('its metrics are in the format of Prometheus', async () => {
  const { url } = await start()
  await post(url, pictures[0]?.bytes as Buffer)
  const answer = await fetch(`${url}/metrics`)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const lines = (await answer.text()).trimEnd().split('\n')
  const sample = /^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+$/
  for (const line of lines)
    expect(line).toMatch(line.startsWith('#') ? /^# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram))$/ : sample)
  for (const name of [
    'serve_event_loop_delay_seconds',
    'serve_tensor_bytes',
    'serve_queue_length',
    'process_resident_memory_bytes',
  ]) {
    expect(lines.some((line) => line.startsWith(name))).toBe(true)
  }
})

test('metrics add up', () => {
  const histogram = new Histogram('h', 'Help', [1, 2])
  for (const value of [0.5, 1, 1.5, 3]) histogram.observe(value)
  expect(String(histogram)).toBe(
    '# HELP h Help\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="2"} 3\nh_bucket{le="+Inf"} 4\nh_sum 6\nh_count 4',
  )
  const counter = new Counter('c', 'Help')
  counter.add({ status: '200' })
  counter.add({ status: '200' }, 2)
  expect(String(counter)).toBe('# HELP c Help\n# TYPE c counter\nc{status="200"} 3')
  expect(String(new Gauge('g', 'Help', () => 4))).toBe('# HELP g Help\n# TYPE g gauge\ng 4')
})

test('softmax gives probabilities, for large logits too', () => {
  expect(softmax(Float32Array.of(1000, 1000))).toEqual(Float32Array.of(0.5, 0.5))
  expect(softmax(Float32Array.of(0, Math.log(3)))[1]).toBeCloseTo(0.75, 6)
})

test('the deployments agree with the program: routes, ports, files, and time enough to drain', () => {
  const file = (name: string) => readFileSync(join(SERVE, name), 'utf8')
  const [deployment] = parseAllDocuments(file('kubernetes.yaml')).map((document) => document.toJS())
  const { containers, terminationGracePeriodSeconds } = deployment.spec.template.spec
  const [{ args, startupProbe, readinessProbe, livenessProbe, ports, lifecycle }] = containers
  const graceS = Number(args[args.indexOf('--grace-ms') + 1]) / 1000
  const waitS = Number(/, (\d+)\)/.exec(lifecycle.preStop.exec.command.at(-1))?.[1]) / 1000
  expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(graceS + waitS)
  expect([startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
    '/readyz',
    '/readyz',
    '/healthz',
  ])
  expect(ports[0].containerPort).toBe(3000)
  expect(parse(file('compose.yaml')).services.classify.build.dockerfile).toBe('examples/serve/Dockerfile')

  const lines = file('Dockerfile').replaceAll('\\\n', '').split('\n')
  const images = lines.flatMap((line) => /^ARG (?:NODE|BASE)=(.*)$/.exec(line)?.[1] ?? [])
  for (const image of images) expect(image).toMatch(/:\d+\.\d+\.\d+-/)
  const copied = lines.flatMap((line) => /^COPY (examples\S+)/.exec(line)?.[1] ?? [])
  for (const path of copied) expect(existsSync(join(SERVE, '../..', path))).toBe(true)
  expect(copied).toHaveLength(2)
  expect(lines.findIndex((line) => line.startsWith('USER'))).toBeLessThan(
    lines.findIndex((line) => line.startsWith('ENTRYPOINT')),
  )
  const { devDependencies, version } = JSON.parse(readFileSync(join(SERVE, '../../package.json'), 'utf8'))
  expect(lines.join('\n')).toContain(`fastify@${devDependencies.fastify.slice(1)}`)
  expect(lines).toContain(`ARG PACKAGE=@lab/vision-native@${version}`)
})

test('first values follow the seed', async () => {
  const digest = async (seed: number) => {
    const other = await Classifier.load({ network: 'squeezenet1_1', seed, device: 'cpu', maxBatch: 1 })
    using image = await other.prepare(pictures[0]?.bytes as Buffer)
    const logits = await other.classifyAlone(image)
    other.dispose()
    return createHash('sha256').update(logits).digest('hex')
  }
  expect(await digest(3)).toBe(await digest(3))
  expect(await digest(3)).not.toBe(await digest(4))
})

test('slots let so many run at a time, and pass to the next when one fails', async () => {
  const slots = new Slots(2)
  let [running, most] = [0, 0]
  const order: number[] = []
  const results = await Promise.allSettled(
    Array.from({ length: 6 }, (_, i) =>
      slots.run(async () => {
        most = Math.max(most, ++running)
        await setTimeout(2)
        running--
        order.push(i)
        if (i === 1) throw new Error('no')
      }),
    ),
  )
  expect(most).toBe(2)
  expect(order).toEqual([0, 1, 2, 3, 4, 5])
  expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, true, true, true])
})

describe('the batcher', () => {
  const never = new AbortController().signal

  test('fills batches up to their size, and sends a small one when its first request has waited', async () => {
    const sizes: number[] = []
    const batcher = new Batcher<number, number>(
      async (inputs) => {
        sizes.push(inputs.length)
        return inputs.map((input) => input * 2)
      },
      { maxBatch: 4, maxWaitMs: 20 },
    )
    const answers = await Promise.all(Array.from({ length: 9 }, (_, i) => batcher.answer(i, never)))
    expect(answers).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16])
    expect(sizes).toEqual([4, 4, 1])
  })

  test('a failure reaches those of its batch alone', async () => {
    const batcher = new Batcher<number, number>(
      async (inputs) => {
        if (inputs.includes(1)) throw new Error('no')
        return inputs
      },
      { maxBatch: 2, maxWaitMs: 0 },
    )
    const answers = await Promise.allSettled([0, 1, 2].map((i) => batcher.answer(i, never)))
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
  })

  test('whoever leaves is answered at once; a batch that nobody waits for any more is stopped', async () => {
    let stopped = false
    const batcher = new Batcher<number, number>(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            stopped = true
            reject(signal.reason)
          })
        }),
      { maxBatch: 2, maxWaitMs: 0 },
    )
    const controllers = [new AbortController(), new AbortController(), new AbortController()]
    const answers = controllers.map(({ signal }, i) => batcher.answer(i, signal))
    const settled = Promise.allSettled(answers)
    await setTimeout(5)
    expect(batcher.waiting).toBe(1)
    controllers[2]?.abort()
    expect(batcher.waiting).toBe(0)
    controllers[0]?.abort()
    expect(stopped).toBe(false)
    controllers[1]?.abort()
    expect(stopped).toBe(true)
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await batcher.drained()
  })
})
