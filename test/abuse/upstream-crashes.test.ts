import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { call, linalgLdlFactor, linalgLdlSolve, ones, tensor, tidy, VisionNativeError } from '../../lib'
import { currentSurface } from '../../tools/generate-ops'
import { UPSTREAM_CRASHES } from './upstream-crashes'

const ROOT = resolve(import.meta.dirname, '../..')
const page = readFileSync(resolve(ROOT, 'docs/upstream-crashes.md'), 'utf8')

describe('calls on which LibTorch fails badly', () => {
  test.each(UPSTREAM_CRASHES)('$text is refused', ({ make, refusal = /upstream-crashes/ }) => {
    tidy(() => {
      expect(make).toThrow(VisionNativeError)
      expect(make).toThrow(refusal)
      // The operator is named once.
      expect(make).not.toThrow(/^(\S+: )\1/)
    })
  })

  test('the page lists exactly these calls with what they would do', () => {
    const rows = [...page.matchAll(/^\| `(.+?)` +\| (.+?) +\|/gm)].map((row) => `${row[1]}: ${row[2]}`)
    expect(rows).toEqual(UPSTREAM_CRASHES.map(({ text, effect }) => `${text}: ${effect}`))
  })

  test('every guarded operator is one that LibTorch has', () => {
    const source = readFileSync(resolve(ROOT, 'native/node/guards.cc'), 'utf8')
    const guarded = [...source.matchAll(/\{"aten::(\w+)", rules::/g)].map((match) => match[1] as string)
    const { functions, leftOut } = currentSurface()
    const known = new Set([...functions.map((f) => f.name), ...leftOut.map(({ key }) => key.split('.')[0] as string)])
    expect(guarded.length).toBeGreaterThan(40)
    expect(guarded.filter((name) => !known.has(name))).toEqual([])
  })
})

describe('what guards let pass', () => {
  test('an LDL factorisation solves its system', () => {
    tidy(() => {
      const matrix = tensor([
        [0, 1, 2],
        [1, 0, 3],
        [2, 3, 0],
      ])
      const [factors, pivots] = linalgLdlFactor(matrix)
      const solution = linalgLdlSolve(factors, pivots, ones([3, 1]))
      expect((matrix.matmul(solution).toArray() as number[][]).flat().map((x) => Math.round(x * 1e4) / 1e4)).toEqual([
        1, 1, 1,
      ])
    })
  })

  test('padding of CTC targets beyond their lengths may be anything', () => {
    tidy(() => {
      const targets = tensor([
        [1, 2, -1],
        [1, 2, 3],
      ]).to('int64')
      const loss = call('aten::ctc_loss.IntList', [ones([5, 2, 4]), targets, [5, 5], [2, 3]])
      expect(Number.isFinite((loss as ReturnType<typeof ones>).toNumber())).toBe(true)
    })
  })
})
