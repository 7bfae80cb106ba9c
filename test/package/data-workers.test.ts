import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const LOOP = `
  const dataset = await workerDataset(new URL('./squares.MODULE', here), { length: 5 })
  const loader = new DataLoader(dataset, { batchSize: 2, workers: 2 })
  const batches = []
  for await (const batch of loader) batches.push(batch.toArray())
  console.log(JSON.stringify(batches))`

const PROGRAMS = {
  mjs: `import { DataLoader, workerDataset } from '@lab/vision-native/data'
    const here = import.meta.url
    ${LOOP}`,
  cjs: `const { DataLoader, workerDataset } = require('@lab/vision-native/data')
    const here = require('node:url').pathToFileURL(__filename)
    ;(async () => {${LOOP}})()`,
}

const MODULES = {
  mjs: `import { tensor } from '@lab/vision-native'
    export default ({ length }) => ({ length, get: (i) => tensor(i * i) })`,
  cjs: `const { tensor } = require('@lab/vision-native')
    module.exports = ({ length }) => ({ length, get: (i) => tensor(i * i) })`,
}

test.each([
  ['mjs', 'mjs'],
  ['mjs', 'cjs'],
  ['cjs', 'mjs'],
  ['cjs', 'cjs'],
] as const)('a program in %s loads in workers from a module in %s', (program, module) => {
  const folder = mkdtempSync(join(ROOT, 'dist/test-'))
  try {
    const file = join(folder, `program.${program}`)
    writeFileSync(file, PROGRAMS[program].replace('MODULE', module))
    writeFileSync(join(folder, `squares.${module}`), MODULES[module])
    const output = execFileSync(process.execPath, [file], { encoding: 'utf8', cwd: ROOT })
    expect(JSON.parse(output)).toEqual([[0, 1], [4, 9], [16]])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
