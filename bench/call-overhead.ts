// Time of one call on 4×4 tensors, where the arithmetic costs nothing and the way there is all.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type * as Package from '../lib'
import type { Context } from './benchmarks'
import { PythonPeer } from './support/python'
import { largestDifference, median, type Row } from './support/result'

/** The package as applications run it, not its sources. */
const DIST = fileURLToPath(new URL('../dist/index.js', import.meta.url))

const ROUNDS = 25
const ITERATIONS = 10_000
/** Calls in one scope, or in one turn of the event loop. */
const BATCH = 100

interface Case {
  readonly name: string
  /** The peer's loop that does the same. */
  readonly peer: string
  once(): Package.Tensor
  /** Calls `iterations` times. */
  loop(iterations: number): void | Promise<void>
}

export async function callOverhead({ python, threads }: Context): Promise<{ rows: Row[]; rss: ResidentMemory }> {
  if (!existsSync(DIST)) throw new Error('bench: dist/ is not there; run `npm run build` first')
  const lib: typeof Package = await import(DIST)
  lib.setNumThreads(threads)
  const cases = makeCases(lib)
  const peer = new PythonPeer(python, 'call-overhead.py')
  const ask = (name: string) =>
    peer.ask<{ us: number; result: number[] }>({ case: name, iterations: ITERATIONS, threads })
  const times = cases.map(() => ({ ours: [] as number[], theirs: [] as number[] }))
  const differences: number[] = []
  for (const { peer: name, once } of cases) {
    const ours = lib.tidy(() => once().dataSync() as Float32Array)
    differences.push(largestDifference(ours, (await ask(name)).result))
  }
  // The first rounds warm the compilers up on both sides.
  for (let round = -5; round < ROUNDS; round++) {
    for (const [index, { peer: name, loop }] of cases.entries()) {
      const start = performance.now()
      await loop(ITERATIONS)
      const ours = (performance.now() - start) / ITERATIONS
      const theirs = (await ask(name)).us / 1000
      if (round < 0) continue
      times[index]?.ours.push(ours)
      times[index]?.theirs.push(theirs)
    }
  }
  peer.close()
  const rows = cases.map(({ name, peer: call }, index): Row => {
    const oursMs = median(times[index]?.ours ?? [])
    const peerMs = median(times[index]?.theirs ?? [])
    const equalTo = differences[index] ?? Number.NaN
    return { case: name, oursMs, peer: `torch (Python): ${call}`, peerMs, ratio: peerMs / oursMs, equalTo }
  })
  return { rows, rss: residentMemory() }
}

function makeCases({ addmm, arange, keep, tidy }: typeof Package): Case[] {
  const small = (offset: number) => tidy(() => keep(arange(16).div(8).add(offset).reshape([4, 4])))
  const [a, b, c] = [small(0), small(1), small(2)]
  const x = small(0).requiresGrad_()
  const inTidy = (once: () => Package.Tensor) => (iterations: number) => {
    for (let done = 0; done < iterations; done += BATCH) {
      tidy(() => {
        for (let i = 0; i < BATCH; i++) once()
      })
    }
  }
  const awaiting = (once: () => Package.Tensor) => async (iterations: number) => {
    for (let done = 0; done < iterations; done += BATCH) {
      for (let i = 0; i < BATCH; i++) once()
      await turn()
    }
  }
  const add = () => a.add(b)
  const scaled = () => addmm(c, a, b, { beta: 0.5, alpha: 2 })
  const recorded = () => x.add(b)
  return [
    { name: 'add inside tidy', peer: 'add', once: add, loop: inTidy(add) },
    { name: 'add outside any scope, with awaits', peer: 'add', once: add, loop: awaiting(add) },
    { name: 'addmm with options, inside tidy', peer: 'addmm', once: scaled, loop: inTidy(scaled) },
    { name: 'add with gradients, inside tidy', peer: 'add with gradients', once: recorded, loop: inTidy(recorded) },
  ]
}

interface ResidentMemory {
  readonly iterations: readonly [number, number]
  readonly mebibytes: readonly [number, number]
  readonly growth: number
}

/** Resident memory of one process after few and after many iterations of an expression of 20 operators in tidy. */
function residentMemory(): ResidentMemory {
  const [few, many] = [1_000, 10_000]
  const script = `
    import { ones, tidy } from ${JSON.stringify(DIST)}
    const [a, b] = [ones([64, 64]), ones([64, 64])]
    const step = () => {
      let x = a
      for (let i = 0; i < 5; i++) x = x.mul(0.5).add(b).relu().matmul(b)
      return x.sum().item()
    }
    let done = 0
    for (const iterations of [${few}, ${many}]) {
      for (; done < iterations; done++) tidy(step)
      globalThis.gc()
      console.log(process.memoryUsage().rss)
    }`
  const args = ['--expose-gc', '--input-type=module', '-e', script]
  const lines = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim().split('\n')
  const mebibytes = [Number(lines[0]) / 2 ** 20, Number(lines[1]) / 2 ** 20] as const
  return { iterations: [few, many], mebibytes, growth: mebibytes[1] - mebibytes[0] }
}
