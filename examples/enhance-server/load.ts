// Uploads pictures to a running server, many at a time: `npx tsx examples/enhance-server/load.ts URL PICTURE [COUNT]`.
import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'

/** What became of the uploads. */
export interface LoadReport {
  readonly sent: number
  readonly answered: number
  readonly seconds: number
  /** Longest time in which the server's event loop did nothing else. */
  readonly largestDelayMs: number
}

/** Uploads `count` pictures at once and fetches every result. */
export async function putUnderLoad(url: string, picture: Uint8Array, count: number): Promise<LoadReport> {
  const started = performance.now()
  const answers = await Promise.all(Array.from({ length: count }, () => enhanceOne(url, picture)))
  const { eventLoopDelayMs } = (await (await fetch(`${url}/health`)).json()) as { eventLoopDelayMs: { max: number } }
  return {
    sent: count,
    answered: answers.filter((bytes) => bytes > 0).length,
    seconds: (performance.now() - started) / 1000,
    largestDelayMs: eventLoopDelayMs.max,
  }
}

async function enhanceOne(url: string, picture: Uint8Array): Promise<number> {
  const upload = { method: 'POST', headers: { 'content-type': 'image/png' }, body: Buffer.from(picture) }
  const { result } = (await (await fetch(`${url}/pictures`, upload)).json()) as { result: string }
  for (;;) {
    const answer = await fetch(`${url}${result}`)
    if (answer.status === 200) return (await answer.arrayBuffer()).byteLength
    if (answer.status !== 202) return 0
    await answer.arrayBuffer()
    await setTimeout(100)
  }
}

const [url, picture, count = '20'] = process.argv.slice(2)
if (import.meta.filename === process.argv[1] && url !== undefined && picture !== undefined) {
  console.log(await putUnderLoad(url, await readFile(picture), Number(count)))
}
