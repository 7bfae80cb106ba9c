import { describe, expect, test } from 'vitest'
import { runChild } from '../support/child'

/** A worker's script, and `inWorker(data)` that runs it; workers of TypeScript need the loader in each. */
const worker = (body: string) => `
  import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
  import { setTimeout as wait, setImmediate as turn } from 'node:timers/promises'
  import { ones, zeros, randn, manualSeed, setNumThreads, memory, callAsync, noGrad, isGradEnabled, tidy } from 'lib'
  import { HANDLE } from 'lib/tensor/handle'
  const start = (data?: unknown) => new Worker(new URL(import.meta.url), { workerData: data, execArgv: process.execArgv })
  const reply = (thread: Worker) => new Promise<any>((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
  })
  ${body}`

describe('worker threads', () => {
  test('several load at once, each with tensors of its own', async () => {
    const { stdout, stderr, code } = await runChild(
      worker(`
      if (isMainThread) {
        const threads = [1, 2, 3, 4].map(start)
        const sums = await Promise.all(threads.map(reply))
        console.log(JSON.stringify(sums), memory.stats().tensors)
      } else {
        let x = ones([10])
        for (let i = 0; i < 1000; i++) x = tidy(() => x.mul(1).add(0))
        const sum = x.sum().item() as number
        parentPort!.postMessage([workerData * sum, memory.stats().tensors > 0])
      }`),
    )
    expect(stderr).toBe('')
    expect(stdout).toBe('[[10,true],[20,true],[30,true],[40,true]] 0\n')
    expect(code).toBe(0)
  })

  test('a tensor that was sent to another thread is no tensor there, nor is its number', async () => {
    const { stdout, stderr } = await runChild(
      worker(`
      if (isMainThread) {
        const thread = start()
        const [x] = [ones([2]), ones([2])]
        thread.postMessage({ clone: x, number: x[HANDLE] })
        console.log(await reply(thread))
        await thread.terminate()
      } else {
        const kindOf = (fn: () => unknown) => {
          try { fn(); return 'none' } catch (error) { return (error as { kind: string }).kind }
        }
        parentPort!.on('message', ({ clone, number }) => {
          const mine = zeros([1])
          const Tensor = mine.constructor as new (handle: number) => typeof mine
          mine.dispose()
          parentPort!.postMessage([kindOf(() => zeros([1]).add(clone)), kindOf(() => new Tensor(number).add(1))].join(' '))
        })
      }`),
    )
    expect(stderr).toBe('')
    expect(stdout).toBe('Argument Disposed\n')
  })

  test('modes and threads of one are not the other’s', async () => {
    const { stdout } = await runChild(
      worker(`
      if (isMainThread) {
        noGrad(() => {})
        const other = noGrad(() => start())
        console.log(await reply(other), isGradEnabled())
      } else {
        parentPort!.postMessage(isGradEnabled())
      }`),
    )
    expect(stdout).toBe('true true\n')
  })

  test('one that ends gives its memory back', async () => {
    const { stdout } = await runChild(
      worker(`
      if (isMainThread) {
        ones([1]).dispose()
        const before = memory.stats().allocatedCpuBytes
        const thread = start()
        await reply(thread)
        const during = memory.stats().allocatedCpuBytes
        await new Promise((resolve) => { thread.once('exit', resolve); thread.postMessage('end') })
        console.log(during - before >= 2 ** 22, memory.stats().allocatedCpuBytes - before)
      } else {
        const x = zeros([2 ** 20])
        parentPort!.postMessage('ready')
        parentPort!.once('message', () => { x.numel; process.exit() })
      }`),
    )
    expect(stdout).toBe('true 0\n')
  })

  test('one may be terminated while its call runs', async () => {
    const { stdout, code, signal } = await runChild(
      worker(`
      if (isMainThread) {
        for (let i = 0; i < 3; i++) {
          const thread = start()
          await reply(thread)
          await thread.terminate()
        }
        console.log(ones([2]).sum().item())
      } else {
        const a = ones([700, 700])
        for (let i = 0; i < 8; i++) callAsync('aten::matmul', [a, a])
        parentPort!.postMessage('running')
        await wait(10_000)
      }`),
    )
    expect([stdout, code, signal]).toEqual(['2\n', 0, null])
  })

  test('one may throw while its call runs, and the others go on', async () => {
    const { stdout, code } = await runChild(
      worker(`
      if (isMainThread) {
        const thread = start()
        const error = await new Promise<Error>((resolve) => thread.once('error', resolve))
        console.log(error.message, ones([2]).sum().item())
      } else {
        const a = ones([700, 700])
        callAsync('aten::matmul', [a, a])
        throw new Error('of the worker')
      }`),
    )
    expect([stdout, code]).toEqual(['of the worker 2\n', 0])
  })
})

describe('the end of the process', () => {
  const calling = `
    import { callAsync, ones } from 'lib'
    const a = ones([900, 900])
    const running = Array.from({ length: 6 }, () => callAsync('aten::matmul', [a, a]))`

  test('waits for calls that run, as for any other work', async () => {
    const { stdout, code } = await runChild(`${calling}
      Promise.all(running).then((all) => console.log(all.length))`)
    expect([stdout, code]).toEqual(['6\n', 0])
  })

  test('by process.exit() while calls run keeps its code', async () => {
    const { code, signal, stderr } = await runChild(`${calling}
      setImmediate(() => process.exit(7))`)
    expect([code, signal, stderr]).toEqual([7, null, ''])
  })

  test('by an uncaught error while calls run is that error', async () => {
    const { code, signal, stderr } = await runChild(`${calling}
      setImmediate(() => { throw new Error('of the application') })`)
    expect([code, signal]).toEqual([1, null])
    expect(stderr).toContain('of the application')
  })

  test('with tensors alive, at exit handlers too, is quiet', async () => {
    const { code, signal, stderr, stdout } = await runChild(`
      import { ones, keep } from 'lib'
      const x = keep(ones([100], { requiresGrad: true }).mul(2))
      process.on('exit', () => console.log(x.sum().item()))`)
    expect([code, signal, stderr, stdout]).toEqual([0, null, '', '200\n'])
  })

  test('does not wait where nothing runs', async () => {
    const { code } = await runChild(`import { ones } from 'lib'
      ones([1])`)
    expect(code).toBe(0)
  })
})
