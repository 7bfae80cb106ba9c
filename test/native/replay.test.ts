import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
let folder = ''

/** What the fake device was asked for in each run, and what the states say of themselves afterwards. */
const runs = (scenario: string) =>
  execFileSync(join(folder, 'replay'), [scenario], { encoding: 'utf8' }).trimEnd().split('\n')

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'))
  const sources = ['test/native/replay.cc', 'native/torch/replay.cc'].map((file) => join(ROOT, file))
  const flags = ['-std=c++20', '-Wall', '-Wextra', '-Werror', `-I${join(ROOT, 'native')}`]
  execFileSync(process.env.CXX ?? 'c++', [...flags, ...sources, '-o', join(folder, 'replay')])
})
afterAll(() => rmSync(folder, { recursive: true }))

const WARM_UPS = [
  'plain side2(body) | warming up, 1 of 3 runs',
  'plain side2(body) | warming up, 2 of 3 runs',
  'plain side2(body) | to be written down as a CUDA graph',
]

test('work is run three times, written down once, and launched again from then on', () => {
  expect(runs('steady')).toEqual([
    ...WARM_UPS,
    'graph capture(body)+replay | replayed as a CUDA graph',
    'graph replay | replayed as a CUDA graph',
    'graph replay | replayed as a CUDA graph',
  ])
})

test('work that cannot be written down is run, and the reason is kept', () => {
  const refused = 'not replayed as a CUDA graph: an operator waits'
  expect(runs('refused')).toEqual([
    ...WARM_UPS,
    `plain capture(body)~body | ${refused}`,
    `plain body | ${refused}`,
    `plain body | ${refused}`,
  ])
})

test('work is written down anew when its memory has moved, but not for ever', () => {
  const again = 'graph ~capture(body)+replay | replayed as a CUDA graph'
  const refused = 'not replayed as a CUDA graph: the memory of its tensors moves from run to run'
  expect(runs('moving')).toEqual([
    ...WARM_UPS,
    again.replace('~', ''),
    again,
    again,
    again,
    `plain ~body | ${refused}`,
    `plain body | ${refused}`,
  ])
})
