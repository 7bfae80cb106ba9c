import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder'
import { attempt, inputOf } from './attempt'
import { targetOfFinding } from './findings'
import { TARGET_NAMES, TARGETS } from './registry'
import { fuzz } from './run'

const folder = temporaryFolder()

describe('inputs that were once read wrongly', () => {
  const REGRESSIONS = fileURLToPath(new URL('regressions', import.meta.url))
  test.each(readdirSync(REGRESSIONS))('%s', async (file) => {
    const name = targetOfFinding(file)
    if (name === undefined) throw new Error(`${file} names no target`)
    const path = `${REGRESSIONS}/${file}`
    const result = await attempt(await TARGETS[name](), readFileSync(path), path)
    expect(result.outcome, 'message' in result ? result.message : '').toMatch(/accepted|refused/)
  })
})

test('no changed file does worse than be refused with a typed error', { timeout: 300_000 }, async () => {
  const { rows, findings } = await fuzz({
    targets: TARGET_NAMES,
    seed: 1,
    seconds: 60,
    inputs: 25,
    folder: folder('quick'),
  })
  expect(findings).toEqual([])
  expect(rows.map(({ target, index }) => [target, index])).toEqual(TARGET_NAMES.map((name) => [name, 25]))
  // A target that reads nothing tests nothing.
  expect(rows.filter(({ accepted }) => accepted === 0)).toEqual([])
})

test('a crash, a hang and a leak are found, and the run goes on', { timeout: 300_000 }, async () => {
  for (const planted of ['died', 'hung', 'leaked'] as const) {
    const { rows, findings } = await fuzz({
      ...{ targets: ['flo', 'npy'], seed: 1, seconds: 60, inputs: 6, folder: folder(planted), planted },
      inputLimitMs: planted === 'hung' ? 3000 : 60_000,
    })
    expect(findings.map(({ target, fault, index }) => ({ target, fault, index }))).toEqual([
      { target: 'flo', fault: planted, index: 3 },
    ])
    expect(rows).toMatchObject([
      { target: 'flo', index: 6, findings: 1 },
      { target: 'npy', index: 6, findings: 0 },
    ])
  }
})

test('a seed gives the same inputs, another seed others', async () => {
  const target = await TARGETS.voc()
  const inputs = (seed: number) => Array.from({ length: 50 }, (_, i) => inputOf(target, 'voc', seed, i).toString('hex'))
  expect(inputs(7)).toEqual(inputs(7))
  expect(inputs(8)).not.toEqual(inputs(7))
})
