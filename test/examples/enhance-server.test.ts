// The example as its user runs it, from the built package: 20 uploads at once, and what a broken one is told.
import { LowLightEnhancer } from '@lab/vision-native/models/enhancement/fusion-low-light-enhancement'
import type { FastifyInstance } from 'fastify'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { putUnderLoad } from '../../examples/enhance-server/load'
import { enhanceServer } from '../../examples/enhance-server/server'

let enhancer: LowLightEnhancer
let server: FastifyInstance
let url = ''

beforeAll(async () => {
  enhancer = await LowLightEnhancer.load({ weights: 'random', device: 'cpu' })
  server = enhanceServer({ enhancer, maxBytes: 2 ** 20, maxWaiting: 30 })
  url = await server.listen({ port: 0, host: '127.0.0.1' })
})
afterAll(async () => {
  await server?.close()
  enhancer?.dispose()
})

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#203040' } })
    .png()
    .toBuffer()

const post = (body: Buffer, type = 'image/png') =>
  fetch(`${url}/pictures`, { method: 'POST', headers: { 'content-type': type }, body })

test('answers 20 uploads at once and loses none', async () => {
  const report = await putUnderLoad(url, await picture(96, 64), 20)
  console.log(
    `20 uploads: ${report.answered} answered, largest delay of the event loop ${report.largestDelayMs.toFixed(1)} ms`,
  )
  expect(report).toMatchObject({ sent: 20, answered: 20 })
})

test('tells progress as it goes, and gives a picture of the same size', async () => {
  const { events, result } = (await (await post(await picture(80, 72))).json()) as { events: string; result: string }
  const lines = (await (await fetch(url + events)).text()).trim().split('\n\n')
  const states = lines.map((line) => JSON.parse(line.slice('data: '.length)) as { kind: string; stage?: string })
  expect(states.at(-1)).toEqual({ kind: 'done' })
  expect(states.some(({ kind, stage }) => kind === 'running' && stage !== undefined)).toBe(true)
  const answer = await fetch(url + result)
  const { width, height, format } = await sharp(await answer.arrayBuffer()).metadata()
  expect({ width, height, format }).toEqual({ width: 80, height: 72, format: 'jpeg' })
})

test('says what is wrong with an upload, and goes on', async () => {
  const { events, result } = (await (await post(Buffer.from('no picture'))).json()) as {
    events: string
    result: string
  }
  await (await fetch(url + events)).text()
  const broken = await fetch(url + result)
  expect(broken.status).toBe(422)
  expect(await broken.json()).toMatchObject({ message: expect.stringMatching(/image/) })
  expect((await post(Buffer.from('text'), 'text/plain')).status).toBe(415)
  expect((await post(Buffer.alloc(2 ** 20 + 1))).status).toBe(413)
  expect((await fetch(`${url}/pictures/none`)).status).toBe(404)
  expect((await putUnderLoad(url, await picture(32, 32), 1)).answered).toBe(1)
})
