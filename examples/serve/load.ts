// Puts a server of its own under load, checks every answer, and stops it amid a second wave:
// `npx tsx examples/serve/load.ts [--requests 2000] [--clients 32] [--seed 1] [--network resnet18] [--weights FILE]`
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Classifier, type Logits } from './classifier'
import { cutPictures, differenceOf, judge, wave } from './clients'

/** Batched answers are those of the network alone but for rounding. */
const TOLERANCE = 1e-4

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '2000' },
    clients: { type: 'string', default: '32' },
    pictures: { type: 'string', default: '48' },
    seed: { type: 'string', default: '1' },
    network: { type: 'string', default: 'resnet18' },
    weights: { type: 'string' },
    'max-batch': { type: 'string', default: '8' },
  },
})
const [requests, clients, seed] = [Number(values.requests), Number(values.clients), Number(values.seed)]
const model = [
  ...['--network', values.network, '--max-batch', values['max-batch']],
  ...(values.weights === undefined ? [] : ['--weights', values.weights]),
]

const photographs = ['rubberwhale1.png', 'rubberwhale2.png'].map((name) => join(import.meta.dirname, '../data', name))
const pictures = await cutPictures(photographs, Number(values.pictures), seed)
const alone = await answersAlone()
const apart = Math.min(...alone.flatMap((a, i) => alone.slice(i + 1).map((b) => differenceOf(a, b))))
console.log(`${pictures.length} pictures; answers to two of them differ by ${apart.toExponential(1)} or more`)

const server = spawn(
  process.execPath,
  // All clients wait for an answer at any time, so the patience of a user would measure how slow the machine is.
  ['--import', 'tsx', join(import.meta.dirname, 'main.ts'), ...model, ...['--port', '0', '--timeout-ms', '120000']],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
const exited = once(server, 'exit')
const { url, lines } = await listening(server)

const started = performance.now()
const first = judge(await wave({ url, pictures, requests, clients, seed }), alone)
const seconds = (performance.now() - started) / 1000
const metrics = await (await fetch(`${url}/metrics`)).text()
const metric = (name: string) =>
  Number(
    metrics
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  )

console.log(
  `\n${requests} requests by ${clients} clients: ${seconds.toFixed(1)} s, ${(first.answered / seconds).toFixed(1)} a second`,
)
console.log(
  `answered ${first.answered}, refused ${first.refused}, failed ${first.failed.length}, lost ${requests - first.answered - first.refused - first.failed.length}`,
)
console.log(`p50 ${first.p50Ms.toFixed(0)} ms, p99 ${first.p99Ms.toFixed(0)} ms`)
console.log(`largest difference from the network alone ${first.largestDifference.toExponential(1)}`)
console.log(
  `largest delay of the event loop ${(1000 * metric('serve_event_loop_delay_seconds{quantile="1"}')).toFixed(1)} ms, p99 ${(1000 * metric('serve_event_loop_delay_seconds{quantile="0.99"}')).toFixed(1)} ms`,
)
console.log(
  `${metric('serve_graphs')} graphs, ${metric('serve_tensors')} tensors, mean batch ${(metric('serve_batch_size_sum') / metric('serve_batch_size_count')).toFixed(1)}`,
)

// Some of the second wave run when the signal comes, some wait, and some are yet to be sent.
const stopAt = Math.max(Math.ceil(requests / 8), 2 * clients)
const second = judge(
  await wave({
    ...{ url, pictures, requests: stopAt * 2, clients, seed: seed + 1 },
    onDone: (done) => {
      if (done === stopAt) server.kill('SIGTERM')
    },
  }),
  alone,
)
const [code] = await exited
const counted = Number(/(\d+) requests were answered/.exec(lines.at(-1) ?? '')?.[1])
const received = first.answered + second.answered
console.log(
  `\nSIGTERM after ${stopAt} of ${stopAt * 2} further requests: answered ${second.answered}, refused ${second.refused}, failed ${second.failed.length}`,
)
console.log(
  `the server ended with status ${code}; it answered ${counted} requests, the clients received ${received} answers`,
)

const problems = [
  ...[...first.failed, ...second.failed],
  ...(first.answered === requests ? [] : [`of ${requests} requests ${first.answered} were answered`]),
  ...(Math.max(first.largestDifference, second.largestDifference) <= TOLERANCE ? [] : ['answers differ']),
  ...(apart > 100 * TOLERANCE ? [] : ['the pictures are too alike for the comparison to mean anything']),
  ...(code === 0 && counted === received ? [] : ['answers were lost at the end']),
]
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1

/** What the network gives for each picture, without batches or graphs. */
async function answersAlone(): Promise<Logits[]> {
  const classifier = await Classifier.load({ network: values.network, weights: values.weights, maxBatch: 1 })
  const answers: Logits[] = []
  for (const { bytes } of pictures) {
    using image = await classifier.prepare(bytes)
    answers.push(await classifier.classifyAlone(image))
  }
  classifier.dispose()
  return answers
}

/** Waits for the server's address; `lines` goes on to collect what it prints. */
async function listening({ stdout }: ChildProcess): Promise<{ url: string; lines: string[] }> {
  if (stdout === null) throw new Error('the output of the server is not read')
  const lines: string[] = []
  return new Promise((resolve, reject) => {
    const reader = createInterface(stdout)
    reader.on('line', (line) => {
      lines.push(line)
      console.log(`server: ${line}`)
      const url = /^listening on (.*)$/.exec(line)?.[1]
      if (url !== undefined) resolve({ url, lines })
    })
    reader.on('close', () => reject(new Error('the server ended before it listened')))
  })
}
