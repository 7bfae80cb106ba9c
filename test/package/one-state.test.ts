import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runs an ES module inside the package, so that it imports the package by its name, as an application would. */
function runInPackage(script: string): unknown {
  const folder = mkdtempSync(join(ROOT, 'dist/test-'))
  try {
    const file = join(folder, 'script.mjs')
    writeFileSync(file, script)
    return JSON.parse(execFileSync(process.execPath, [file], { encoding: 'utf8', cwd: ROOT }))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('ESM root, CommonJS root and two subpaths share one scope, one memory and each other’s tensors', () => {
  const seen = runInPackage(`
    import { createRequire } from 'node:module'
    import * as esm from '@lab/vision-native'
    import * as vision from '@lab/vision-native/vision'
    const require = createRequire(import.meta.url)
    const cjs = require('@lab/vision-native')
    const metrics = require('@lab/vision-native/metrics')

    const before = esm.memory.stats().tensors
    const seen = { tensors: [] }

    // A tensor of each build in calls and scopes of the other.
    seen.sum = esm.tidy(() => esm.add(cjs.ones([2]), cjs.ones([2]).add(esm.ones([2]))).toArray())
    seen.mixed = cjs.tidy(() => cjs.cat([esm.ones([1]), cjs.zeros([1])]).toArray())
    seen.recognised = [cjs.isTensor(esm.ones([1])), esm.isTensor(cjs.ones([1]))]
    seen.tensors.push(esm.memory.stats().tensors - before === cjs.memory.stats().tensors - before)

    // A scope of one frees what the other made in it, and lets out what it returns.
    let inner
    const out = esm.tidy(() => {
      inner = cjs.ones([1])
      return cjs.tidy(() => inner.add(1))
    })
    seen.scope = [inner.disposed, out.disposed, out.item()]
    cjs.dispose(out)
    seen.disposed = out.disposed

    // Options, generators, complex numbers, slices and errors are known by brand.
    const draw = (generator) => esm.tidy(() => esm.rand([2], { generator }).toArray().join())
    seen.generator = draw(new esm.Generator(1)) === draw(new cjs.Generator(1))
    seen.complex = esm.tidy(() => esm.tensor(new cjs.Complex(1, 2)).item().imag)
    seen.slice = esm.tidy(() => esm.arange(5).at(cjs.slice(3)).toArray())
    seen.newAxis = esm.tidy(() => esm.arange(5).at(cjs.newAxis).shape)
    try { cjs.ones([1]).reshape([7]) } catch (error) { seen.error = [esm.VisionNativeError.is(error, 'Shape'), error.name] }

    // Subpaths take and give the same tensors.
    const flow = esm.zeros([2, 4, 4])
    seen.flowError = cjs.tidy(() => metrics.endPointError(flow, cjs.zeros([2, 4, 4])).item())
    seen.visionExports = Object.keys(vision).length > 0

    // Modes are one.
    seen.modes = esm.noGrad(() => cjs.isGradEnabled())
    console.log(JSON.stringify(seen))`)
  expect(seen).toEqual({
    tensors: [true],
    sum: [3, 3],
    mixed: [1, 0],
    recognised: [true, true],
    scope: [true, false, 2],
    disposed: true,
    generator: true,
    complex: 2,
    slice: [3, 4],
    newAxis: [1, 5],
    error: [true, 'ShapeError'],
    flowError: 0,
    visionExports: true,
    modes: false,
  })
})
