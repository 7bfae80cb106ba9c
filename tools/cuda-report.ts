// Registers, shared memory and spills of the CUDA kernels, as a Markdown table, from what ptxas says of them:
//
//   NVCC_APPEND_FLAGS='-Xptxas -v' npm run build:cuda -- --release > cuda.log && npx tsx tools/cuda-report.ts cuda.log
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

interface Use {
  readonly registers: number
  readonly sharedBytes: number
  readonly spilledBytes: number
}

const [log] = process.argv.slice(2)
if (log === undefined) throw new Error('usage: tsx tools/cuda-report.ts LOG')
const architectures = new Set<string>()
/** Uses by kernel and architecture; instantiations of a template are one kernel. */
const kernels = new Map<string, Map<string, Use[]>>()

const entry =
  /Compiling entry function '(\S+)' for '(sm_\d+)'((?:(?!Compiling entry)[\s\S])*?)Used (\d+) registers(.*)/g
for (const [, symbol = '', architecture = '', before = '', registers, after = ''] of readFileSync(log, 'utf8').matchAll(
  entry,
)) {
  const bytes = (text: string, what: RegExp) => Number(what.exec(text)?.[1] ?? 0)
  architectures.add(architecture)
  const name = kernelName(symbol)
  const uses = kernels.get(name) ?? new Map<string, Use[]>()
  kernels.set(name, uses)
  const list = uses.get(architecture) ?? []
  uses.set(architecture, list)
  list.push({
    registers: Number(registers),
    sharedBytes: bytes(after, /(\d+) bytes smem/),
    spilledBytes: bytes(before, /(\d+) bytes spill stores/) + bytes(before, /(\d+) bytes spill loads/),
  })
}

/** `box_columns` of `void vision_native::cuda::(anonymous namespace)::box_columns<float, 4>(…)`. */
function kernelName(symbol: string): string {
  const demangled = execFileSync('c++filt', [symbol], { encoding: 'utf8' }).trim()
  const plain = demangled.replace(/\(anonymous namespace\)::/g, '').replace(/^void /, '')
  return (/^[\w:]+/.exec(plain)?.[0] ?? plain).split('::').at(-1) as string
}

const columns = [...architectures].sort()
const range = (numbers: readonly number[]) => {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)]
  return low === high ? `${low}` : `${low}–${high}`
}
console.log(`| kernel | forms | ${columns.join(' | ')} |\n|---|---|${columns.map(() => '---|').join('')}`)
for (const [name, uses] of [...kernels].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const cells = columns.map((architecture) => {
    const list = uses.get(architecture) ?? []
    if (list.length === 0) return '–'
    const spills = list.map((use) => use.spilledBytes)
    const spilled = spills.some(Boolean) ? `, **${range(spills)} B spilled**` : ''
    return `${range(list.map((u) => u.registers))} regs, ${range(list.map((u) => u.sharedBytes))} B${spilled}`
  })
  console.log(`| \`${name}\` | ${Math.max(...[...uses.values()].map((list) => list.length))} | ${cells.join(' | ')} |`)
}
