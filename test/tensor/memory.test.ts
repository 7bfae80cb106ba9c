import { describe, expect, test } from 'vitest'
import { errorOfKind, OutOfMemoryError } from '../../lib/native/errors'
import { empty, memory, ones, tensor, tidy, zeros } from '../../lib/tensor'
import { runChild } from '../support/child'

const MB = 2 ** 20
const refusal = (kind: string, message: RegExp) =>
  expect.objectContaining({ kind, message: expect.stringMatching(message) })

function caught(work: () => unknown): OutOfMemoryError {
  try {
    work()
  } catch (error) {
    return error as OutOfMemoryError
  }
  throw new Error('nothing was refused')
}

describe('stats', () => {
  test('count tensors, storages and bytes; views share storage', () => {
    tidy(() => {
      const before = memory.stats()
      const x = zeros([256, 1024])
      x.t()
      x.at(0)
      const after = memory.stats()
      expect(after.tensors - before.tensors).toBe(3)
      expect(after.storages - before.storages).toBe(1)
      expect((after.bytes.cpu ?? 0) - (before.bytes.cpu ?? 0)).toBe(MB)
      expect(after.allocatedCpuBytes - before.allocatedCpuBytes).toBeGreaterThanOrEqual(MB)
      expect(zeros([2], { device: 'meta' }) && memory.stats().bytes.meta).toBe(8)
    })
  })

  test('what is freed is no longer counted', () => {
    const before = memory.stats().allocatedCpuBytes
    tidy(() =>
      zeros([4 * MB])
        .add(1)
        .sum()
        .item(),
    )
    expect(memory.stats().allocatedCpuBytes).toBe(before)
  })

  test('the peak is the most at one time', () => {
    memory.resetPeak()
    const before = memory.stats().allocatedCpuBytes
    tidy(() => {
      tidy(() => zeros([2 * MB]).numel)
      tidy(() => zeros([MB]).numel)
    })
    const { peakCpuBytes } = memory.stats()
    expect(peakCpuBytes - before).toBeGreaterThanOrEqual(8 * MB)
    expect(peakCpuBytes - before).toBeLessThan(9 * MB)
    memory.resetPeak()
    expect(memory.stats().peakCpuBytes).toBe(memory.stats().allocatedCpuBytes)
  })
})

describe('the limit', () => {
  test('refuses what would pass it, by name, and the process lives', () => {
    const limit = memory.stats().limitCpuBytes
    expect(limit).toBeGreaterThan(64 * MB)
    try {
      memory.setCpuLimit(memory.stats().allocatedCpuBytes + 8 * MB)
      tidy(() => expect(zeros([MB]).numel).toBe(MB))
      expect(() => zeros([4 * MB])).toThrow(
        refusal(
          'OutOfMemory',
          /allocation of 16777216 bytes exceeds the limit of \d+ bytes.*\d+ are in use.*setCpuLimit/,
        ),
      )
      expect(() => tensor(new Float32Array(4 * MB))).toThrow(refusal('OutOfMemory', /16777216/))
      // Within an operator too, which frees what it had taken.
      const x = zeros([MB])
      const before = memory.stats().allocatedCpuBytes
      expect(() => x.reshape([MB, 1]).expand([MB, 16]).contiguous()).toThrow(refusal('OutOfMemory', /67108864/))
      expect(memory.stats().allocatedCpuBytes).toBe(before)
      x.dispose()
    } finally {
      memory.setCpuLimit(limit)
    }
    expect(tidy(() => zeros([4 * MB]).numel)).toBe(4 * MB)
  })

  test('is told in figures; in debug mode with the lines that hold most', () => {
    const { allocatedCpuBytes, limitCpuBytes } = memory.stats()
    memory.debug(true)
    const held = [ones([1]), ...Array.from({ length: 3 }, () => ones([1]))]
    try {
      memory.setCpuLimit(allocatedCpuBytes + 8 * MB)
      const refused = caught(() => zeros([4 * MB]))
      expect(refused).toBeInstanceOf(OutOfMemoryError)
      expect(refused).toMatchObject({ requestedBytes: 16 * MB, sites: [{ tensors: 3 }, { tensors: 1 }] })
      // What the four held tensors took is gone from the eight megabytes.
      expect(8 * MB - (refused.freeBytes ?? 0)).toBeGreaterThan(0)
      expect(8 * MB - (refused.freeBytes ?? 0)).toBeLessThan(MB)
      expect(refused.message).toMatch(/most live tensors:\n {2}3 made at .*memory\.test\.ts:\d+:\d+/)
      memory.debug(false)
      const plain = caught(() => zeros([4 * MB]))
      expect(plain.sites).toBeUndefined()
      expect(plain.message).not.toMatch(/made at/)
    } finally {
      memory.debug(false)
      memory.setCpuLimit(limitCpuBytes)
      for (const x of held) x.dispose()
    }
  })

  test('of a device is told in the same figures', () => {
    const said =
      'CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 139.81 GiB of which 5.50 MiB is free.'
    expect(errorOfKind('OutOfMemory', said)).toMatchObject({ requestedBytes: 20 * 2 ** 30, freeBytes: 5.5 * MB })
    const cpu = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 bytes. Error code 12"
    expect(errorOfKind('OutOfMemory', cpu)).toMatchObject({ requestedBytes: 4096, freeBytes: undefined })
  })

  test('is the container’s or the machine’s unless set', async () => {
    const { stdout } = await runChild(`
      import { readFileSync } from 'node:fs'
      import { memory } from 'lib'
      const available = Number(/MemAvailable: +([0-9]+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024
      const { limitCpuBytes } = memory.stats()
      console.log(limitCpuBytes > 0 && limitCpuBytes < available * 1.2)`)
    expect(stdout).toBe('true\n')
  })

  test('must be a number of bytes', () => {
    for (const bad of [Number.NaN, -1, '1GB'])
      expect(() => memory.setCpuLimit(bad as number)).toThrow(refusal('Argument', /0 or more/))
  })
})

test('V8 is told of the memory: it collects unreachable tensors before they fill the machine', async () => {
  // 100 tensors of 16 MB outside any scope; their JavaScript objects alone would not move the collector.
  const { stdout } = await runChild(`
    import { memory, ones } from 'lib'
    import { setImmediate as turn } from 'node:timers/promises'
    for (let i = 0; i < 100; i++) { ones([4 * 2 ** 20]); await turn() }
    console.log(memory.stats().peakCpuBytes)`)
  expect(Number(stdout)).toBeGreaterThan(16 * MB)
  expect(Number(stdout)).toBeLessThan(800 * MB)
})

describe('debug mode', () => {
  test('names the lines whose tensors live, most first, and none at the end', () => {
    memory.debug(true)
    try {
      const make = (count: number) => Array.from({ length: count }, () => ones([1])) // the line
      const made = [...make(2), ...make(3), tensor([1])]
      const sites = memory.leaks()
      expect(sites.map((s) => s.tensors)).toEqual([5, 1])
      for (const { site } of sites) expect(site).toMatch(/memory\.test\.ts:\d+:\d+/)
      expect(memory.stats().sites).toEqual(sites)
      for (const x of made) x.dispose()
      tidy(() => ones([1]).add(1).numel)
      expect(memory.leaks()).toEqual([])
    } finally {
      memory.debug(false)
    }
  })

  test('is needed for the lines', () => {
    expect(() => memory.leaks()).toThrow(refusal('Argument', /memory\.debug\(true\)/))
    expect(memory.stats().sites).toBeUndefined()
  })

  test('warns once when very many tensors are made outside any scope in one turn', async () => {
    const { stderr, code } = await runChild(
      `
      import { ones, tidy } from 'lib'
      tidy(() => { for (let i = 0; i < 3000; i++) ones([1]) })
      await new Promise(setImmediate)
      for (let i = 0; i < 3000; i++) ones([1])`,
      { flags: ['--enable-source-maps'], env: { VISION_NATIVE_DEBUG: '1' } },
    )
    expect(code).toBe(0)
    expect(stderr.match(/VISION_NATIVE_SCOPELESS/g)).toHaveLength(1)
    expect(stderr).toMatch(/1000 tensors were made outside any scope.*script\.ts:\d+.*tidy\(\)/)
  })
})

test('tensors outside any scope are freed once they are unreachable', async () => {
  const { stdout, stderr } = await runChild(
    `
    import { memory, ones, keep, tidy } from 'lib'
    import { setImmediate as turn } from 'node:timers/promises'
    const kept = ones([1])
    for (let i = 0; i < 500; i++) { ones([1]); tidy(() => { keep(ones([1])) }) }
    const before = memory.stats().tensors
    for (let i = 0; i < 20 && memory.stats().tensors > 1; i++) { globalThis.gc(); await turn() }
    console.log(before, memory.stats().tensors, kept.item())`,
    { flags: ['--expose-gc'] },
  )
  expect(stderr).toBe('')
  expect(stdout).toBe('1001 1 1\n')
})

test('memory does not grow with the iterations', async () => {
  const { stdout } = await runChild(
    `
    import { ones, tidy } from 'lib'
    const [a, b] = [ones([64, 64]), ones([64, 64])]
    const step = () => {
      let x = a
      for (let i = 0; i < 5; i++) x = x.mul(0.5).add(b).relu().matmul(b)
      return x.sum().item()
    }
    const rssAfter = (iterations) => {
      for (let i = 0; i < iterations; i++) tidy(step)
      globalThis.gc()
      return process.memoryUsage().rss
    }
    console.log(JSON.stringify([1_000, 2_500, 2_500, 2_500, 2_500, 2_500].map(rssAfter)))`,
    // The young generation grows with what is allocated, to 16 MiB by default: that is no leak.
    { flags: ['--expose-gc', '--max-semi-space-size=1'], env: { OMP_NUM_THREADS: '1' } },
  )
  const rss = JSON.parse(stdout) as number[]
  const growth = rss.slice(1).map((bytes, i) => bytes - (rss[i] ?? 0))
  // A leak grows every stretch: 32 bytes a call are 1.6 MB. The compilers of V8 take megabytes now and then.
  const median = growth.toSorted((x, y) => x - y)[2]
  expect(median).toBeLessThan(1 * MB)
})

test('the longest native call is measured, and forgotten when asked', () => {
  memory.takeLongestCallMs()
  tidy(() => ones([1500, 1500]).matmul(ones([1500, 1500])).numel)
  expect(memory.takeLongestCallMs()).toBeGreaterThan(1)
  tidy(() => empty([1]).numel)
  expect(memory.takeLongestCallMs()).toBeLessThan(1000)
})
