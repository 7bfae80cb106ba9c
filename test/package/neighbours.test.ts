import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const PROJECT = resolve(import.meta.dirname, '../..')

/** What each neighbour does to prove that its own native code works. */
const NEIGHBOURS: Record<string, string> = {
  sharp: `
    const sharp = require('sharp')
    const made = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } }).png().toBuffer()
    if ((await sharp(made).metadata()).width !== 8) throw new Error('sharp is broken')`,
  'node-av': `
    const { Frame } = await import('node-av')
    const frame = new Frame()
    frame.alloc()
    frame.free()`,
  'onnxruntime-node': `
    const ort = require('onnxruntime-node')
    const value = new ort.Tensor('float32', Float32Array.of(1, 2), [2])
    if (value.dims[0] !== 2) throw new Error('onnxruntime is broken')
    await ort.InferenceSession.create(new Uint8Array([1, 2, 3])).then(
      () => { throw new Error('onnxruntime took bytes that are no model') },
      (error) => { if (!/protobuf|model/i.test(String(error))) throw error },
    )`,
}

const OURS = `
    const { tensor, tidy } = require('./dist/index.cjs')
    const product = tidy(() => tensor([[1, 2], [3, 4]]).matmul(tensor([[5], [6]])).toArray())
    if (JSON.stringify(product) !== '[[17],[39]]') throw new Error('wrong product ' + JSON.stringify(product))`

function runInOrder(parts: readonly string[]): string {
  const blocks = parts.map((part) => `{${part}\n}`).join('\n')
  const source = `(async () => {\n${blocks}\nconsole.log('fine')\n})().catch((error) => { console.error(error); process.exit(1) })`
  return execFileSync(process.execPath, ['-e', source], { cwd: PROJECT, encoding: 'utf8' }).trim()
}

describe('other addons in the same process', () => {
  for (const [name, uses] of Object.entries(NEIGHBOURS)) {
    it(`${name} loaded before and after us`, () => {
      expect(runInOrder([uses, OURS, uses])).toBe('fine')
      expect(runInOrder([OURS, uses, OURS])).toBe('fine')
    })
  }

  it('all of them together', () => {
    const all = Object.values(NEIGHBOURS)
    expect(runInOrder([...all, OURS, ...all.reverse(), OURS])).toBe('fine')
  })
})
