import { expect, test } from 'vitest'
import { runChild } from '../support/child'

const WORKER = `
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { tensor } from 'lib'

const hooked = (hook: () => void) => {
  const x = tensor([1], { requiresGrad: true })
  x.registerHook(hook)
  return x.mul(2)
}
`

test('a process may exit within a hook', async () => {
  const { code, stdout, stderr } = await runChild(
    `${WORKER}
    hooked(() => {
      console.log('in the hook')
      process.exit(7)
    }).backward()`,
  )
  expect([code, stdout.trim(), stderr]).toEqual([7, 'in the hook', ''])
})

test('a worker may be stopped within a hook, and end with hooks alive; others go on', async () => {
  const { code, stdout, stderr } = await runChild(
    `${WORKER}
    if (isMainThread) {
      const worker = new Worker(new URL(import.meta.url))
      await new Promise((resolve) => worker.once('message', resolve))
      console.log('stopped', await worker.terminate())
      const x = tensor([1], { requiresGrad: true })
      x.registerHook((g) => g.mul(5))
      x.mul(2).backward()
      console.log('then', x.grad?.item())
    } else {
      hooked(() => undefined).backward()
      hooked(() => {
        parentPort?.postMessage('running')
        for (;;) tensor([1]).dispose()
      }).backward()
    }`,
  )
  expect([code, stdout.trim().split('\n'), stderr]).toEqual([0, ['stopped 1', 'then 10'], ''])
})
