// Every writer on a disk that fills up while it writes: a typed error, the older file as it was, and nothing beside it.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { runChild } from '../support/child'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()

const WRITERS: Readonly<Record<string, string>> = {
  'image.png': 'io.writeImage(rand([3, 256, 256]), path)',
  'array.npy': 'io.writeNpy(path, big)',
  'arrays.npz': 'io.writeNpz(path, { big })',
  'tensors.safetensors': 'io.writeSafetensors(path, { big })',
  'model.pth': 'io.savePth(path, { big })',
  'checkpoint.pth': 'io.saveCheckpoint(path, { model: { big } })',
  'flow.flo': 'io.writeFlow(rand([2, 200, 200]), path)',
  'points.ply': 'writePointCloud(path, { points: rand([20000, 3]) })',
  'sound.wav': 'io.writeAudio(rand([1, 200000]), path, { sampleRate: 16000 })',
}

interface Outcome {
  readonly name: string
  readonly code: string
  readonly message: string
}

let outcomes: readonly Outcome[] = []

beforeAll(async () => {
  mkdirSync(folder('disk'))
  const calls = Object.entries(WRITERS).map(([name, call]) => `${JSON.stringify(name)}: (path) => ${call},`)
  const script = `
    import { writeFileSync } from 'node:fs'
    import { rand } from 'lib'
    import * as io from 'lib/io'
    import { writePointCloud } from 'lib/geometry'
    process.on('SIGXFSZ', () => {})
    const big = rand([100000])
    const outcomes = []
    for (const [name, write] of Object.entries({ ${calls.join('\n')} })) {
      const path = ${JSON.stringify(folder('disk'))} + '/' + name
      writeFileSync(path, 'old')
      const error = await write(path).then(() => ({}), (error) => error)
      outcomes.push({ name, code: error.code, message: error.message })
    }
    console.log(JSON.stringify(outcomes))`
  // A limit on the size of files stands in for the full disk: the kernel fails the write in the same way.
  const under = ['bash', '-c', 'ulimit -f 64; exec "$0" "$@"']
  const { stdout, stderr } = await runChild(script, { under })
  expect(stderr).toBe('')
  outcomes = JSON.parse(stdout)
})

test.each(Object.keys(WRITERS))('%s', (name) => {
  const outcome = outcomes.find((one) => one.name === name)
  expect(outcome?.code).toBe('ERR_VISION_NATIVE_ARGUMENT')
  expect(outcome?.message).toContain(name)
  expect(readFileSync(folder('disk', name), 'utf8')).toBe('old')
})

test('leaves nothing beside the older files', () => {
  expect(readdirSync(folder('disk')).sort()).toEqual(Object.keys(WRITERS).sort())
})
