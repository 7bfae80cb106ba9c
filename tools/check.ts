import { spawnSync } from 'node:child_process'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `npm run check`: everything that can be said of the code without running it. All steps run, then the verdict. */
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const bin = (name: string) => join(ROOT, 'node_modules/.bin', name)

const STEPS: readonly { readonly name: string; readonly command: string; readonly args: readonly string[] }[] = [
  { name: 'format and lint', command: bin('biome'), args: ['check', '.'] },
  { name: 'types', command: bin('tsc'), args: ['-p', '.'] },
  { name: 'passages of the docs', command: bin('tsx'), args: ['tools/check-docs.ts'] },
  { name: 'layers', command: bin('tsx'), args: ['tools/check-layers.ts'] },
  { name: 'generated files are current', command: bin('tsx'), args: ['tools/generate-ops.ts', '--check'] },
]

const failed = STEPS.filter(({ name, command, args }) => {
  const start = performance.now()
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' })
  if (error) console.error(`${command}: ${error.message}`)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  return status !== 0
})
if (failed.length > 0) {
  console.error(`failed: ${failed.map((step) => step.name).join(', ')}`)
  process.exitCode = 1
}
