// `tsx system-memory.ts SYSTEM THREADS`: the megabytes that a pass of a system needs beside its weights, as JSON. A
// process of its own, which systems.ts starts so that the C library gives memory back at once: nothing of earlier passes
// lies about for a pass to use.
import { setNumThreads, tidyAsync } from '../../lib/tensor'
import { highestMB, resetHighest, residentMB } from './process-memory'
import { systemCases } from './system-cases'

async function main([name, threads]: readonly string[]): Promise<void> {
  const each = (await systemCases()).find(({ system }) => system === name)
  if (!each) throw new Error(`system-memory: there is no system ${name}`)
  setNumThreads(Number(threads))
  const system = each.make('cpu')
  const pass = () => tidyAsync(async () => void (await system.run(system.inputs)))
  await pass()
  await pass()
  // A graph keeps its memory and its reordered weights from run to run: it is made anew, so that they count.
  system.forget()
  const before = residentMB()
  await pass()
  // Writing the graph down is over; what follows is its first run.
  resetHighest()
  await pass()
  console.log(JSON.stringify({ mb: highestMB() - before }))
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
