import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runChild } from '../support/child'

const FILES = ['b-frames.mp4', 'edit-list.mp4', 'open-gop.mkv', 'transport.mpegts', 'variable-rate.mkv']

test('a worker reads, from files and from bytes, the frames and the sound that the main thread reads', async () => {
  const { stdout, stderr, code } = await runChild(`
    import { createHash } from 'node:crypto'
    import { readFileSync } from 'node:fs'
    import { isMainThread, parentPort, Worker } from 'node:worker_threads'
    import { readAudio, readVideo, videoInfo } from 'lib/io'

    const paths: string[] = ${JSON.stringify(FILES.map((name) => fileURLToPath(new URL(`../fixtures/video/${name}`, import.meta.url))))}
    const sound = ${JSON.stringify(fileURLToPath(new URL('../fixtures/audio/trumpet.wav', import.meta.url)))}
    async function digests(): Promise<string[]> {
      const all: string[] = []
      for (const path of paths) {
        for (const source of [path, readFileSync(path)]) {
          const hash = createHash('sha256')
          hash.update(JSON.stringify(await videoInfo(source, { count: true })))
          for await (using chunk of readVideo(source, { startFrame: 3 })) {
            hash.update(String(chunk.timestampsS)).update(chunk.frames.dataSync() as Uint8Array)
          }
          all.push(hash.digest('hex'))
        }
      }
      const { samples } = await readAudio(readFileSync(sound))
      all.push(createHash('sha256').update(new Uint8Array(samples.dataSync().buffer)).digest('hex'))
      samples.dispose()
      return all
    }
    if (isMainThread) {
      const worker = new Worker(new URL(import.meta.url))
      const theirs = new Promise<string[]>((resolve, reject) => void worker.once('message', resolve).once('error', reject))
      const [mine, other] = [await digests(), await theirs]
      console.log(mine.length, new Set(mine).size, mine.join() === other.join())
    } else parentPort!.postMessage(await digests())`)
  // A file and its bytes give the same.
  expect([stderr, stdout, code]).toEqual(['', `${2 * FILES.length + 1} ${FILES.length + 1} true\n`, 0])
})
