import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

interface Digest {
  readonly isa: number
  readonly exact: readonly (readonly number[])[]
  readonly close: readonly (readonly number[])[]
}

test('detection operators give the same on every instruction set of this machine', () => {
  const runs = ['scalar', 'avx2', 'avx512'].flatMap((isa) => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'test/support/detection-digest.ts'], {
      encoding: 'utf8',
      env: { ...process.env, VISION_NATIVE_ISA: isa },
      maxBuffer: 2 ** 26,
    })
    if (/this CPU has not all of it/.test(stderr)) return []
    expect(stdout, stderr).not.toBe('')
    return [JSON.parse(stdout) as Digest]
  })
  const [scalar, ...others] = runs
  expect(scalar?.isa).toBe(0)
  for (const { isa, exact, close } of others) {
    expect(isa).toBeGreaterThan(0)
    expect(exact).toEqual(scalar?.exact)
    for (const [i, values] of close.entries()) {
      const expected = scalar?.close[i] ?? []
      const largest = Math.max(...expected.map(Math.abs))
      expect(values.length).toBe(expected.length)
      const difference = values.reduce((most, x, k) => Math.max(most, Math.abs(x - (expected[k] ?? Number.NaN))), 0)
      expect(difference / largest).toBeLessThan(2e-6)
    }
  }
}, 60_000)
