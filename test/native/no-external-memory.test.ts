// Electron's V8 keeps all array buffers in one region of memory and refuses those that lie elsewhere. Nothing of ours may
// make one: data are copied in and out.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadNative } from '../../lib/native/load'
import { ones } from '../../lib/tensor'

/** Functions that lay a buffer of JavaScript over memory of ours, in C and by node-addon-api. */
const EXTERNAL =
  /(?:napi|node_api)_create_external_(?:arraybuffer|buffer|string_latin1|string_utf16)|BufferReference|(?:ArrayBuffer|Buffer<[^>]*>)::New\s*\([^;]*(?:data|ptr|Finaliz)/

test('no source of ours lays a buffer over memory of its own', () => {
  const files = readdirSync('native', { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(cc|h|cu|cuh)$/.test(name),
  )
  expect(files.length).toBeGreaterThan(50)
  const found = files.filter((name) => EXTERNAL.test(readFileSync(join('native', name), 'utf8')))
  expect(found).toEqual([])
  expect('napi_create_external_arraybuffer(env, data, size, free_it, hint, &result)').toMatch(EXTERNAL)
})

test('no binary of ours asks Node for it, or for anything of V8 itself', () => {
  const { binaries } = loadNative()
  const files = readdirSync(binaries.folder).filter((name) => /\.(node|so)$/.test(name))
  const imports = (name: string) => readFileSync(join(binaries.folder, name), 'latin1')
  expect(files.some((name) => imports(name).includes('napi_create_function'))).toBe(true)
  for (const name of files) expect(imports(name), name).not.toMatch(/(?:napi|node_api)_create_external_\w|_ZNK?2v8/)
})

test('data of a tensor may be sent away and changed, which memory of ours could not', async () => {
  const x = ones([4])
  for (const data of [x.dataSync(), await x.data()]) {
    const moved = structuredClone(data, { transfer: [data.buffer as ArrayBuffer] })
    expect([data.length, moved.length]).toEqual([0, 4])
  }
  expect(x.toArray()).toEqual([1, 1, 1, 1])
  x.dispose()
})
