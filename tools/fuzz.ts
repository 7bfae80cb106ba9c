// `npm run fuzz`: every parser with changed files, the native functions with values of every kind, and the operators with
// random calls, in child processes. Each input must be read or refused with a typed error; anything else is a finding.
//
//   npm run fuzz [-- --seconds 10] [--target NAME]… [--seed 1] [--out FOLDER]
//   npm run fuzz -- --plant crash|hang|untyped|leak|memory    a fault of our own, which must be found
//   npm run fuzz -- --replay FILE                             an input that was kept
//   npm run fuzz -- --list
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { attempt } from '../test/fuzz/attempt'
import { type Fault, signatureOf, targetOfFinding } from '../test/fuzz/findings'
import type { Figures } from '../test/fuzz/journal'
import { fuzzOps, replayCall } from '../test/fuzz/ops'
import { isTargetName, TARGET_NAMES, TARGETS } from '../test/fuzz/registry'
import { fuzz } from '../test/fuzz/run'
import { ROOT } from './run'

const PLANTS: Readonly<Record<string, Fault>> = {
  ...{ crash: 'died', hang: 'hung', untyped: 'untyped', leak: 'leaked', memory: 'memory' },
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    target: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: join(ROOT, '.cache/fuzz') },
    plant: { type: 'string' },
    replay: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

if (values.list) console.log([...TARGET_NAMES, 'ops'].join('\n'))
else if (values.replay !== undefined) process.exitCode = await replay(values.replay)
else process.exitCode = await run()

async function run(): Promise<number> {
  const wanted =
    values.target ?? (values.plant === undefined ? [...TARGET_NAMES, 'ops'] : [...TARGET_NAMES.slice(0, 1)])
  const unknown = wanted.filter((name) => name !== 'ops' && !isTargetName(name))
  const planted = values.plant === undefined ? undefined : PLANTS[values.plant]
  if (unknown.length > 0) return complain(`there is no target ${unknown.join(', ')}; --list names them`)
  if (values.plant !== undefined && planted === undefined)
    return complain(`--plant is one of ${Object.keys(PLANTS).join(', ')}`)
  const [seed, seconds, folder] = [Number(values.seed), Number(values.seconds), values.out]
  if (!Number.isSafeInteger(seed) || !(seconds > 0))
    return complain('--seed is a whole number, --seconds a positive one')

  console.log(`fuzz: ${seconds} s of each target, seed ${seed}\n`)
  console.log(line('target', 'inputs', 'accepted', 'refused', 'findings', 'seconds', 'slowest ms'))
  const show = (target: string, { index, accepted, refused, findings, ms, slowestMs }: Figures) =>
    console.log(line(target, index, accepted, refused, findings, (ms / 1000).toFixed(1), slowestMs.toFixed(0)))
  const targets = wanted.filter(isTargetName)
  const parsers =
    targets.length === 0
      ? undefined
      : await fuzz({ targets, seed, seconds, folder, planted, onTarget: (row) => show(row.target, row) })
  const ops = wanted.includes('ops') ? await fuzzOps({ seed, seconds, folder, planted }) : undefined
  if (ops) show('ops', ops.row)

  const rows = [...(parsers?.rows ?? []), ...(ops ? [ops.row] : [])]
  const total = (figure: keyof Figures) => rows.reduce((sum, row) => sum + row[figure], 0)
  show('all', {
    index: total('index'),
    accepted: total('accepted'),
    refused: total('refused'),
    findings: total('findings'),
    ms: total('ms'),
    slowestMs: Math.max(...rows.map((row) => row.slowestMs)),
  })

  const findings = [...(parsers?.findings ?? []), ...(ops?.findings ?? [])]
  const first = new Map(findings.map((finding) => [signatureOf(finding), finding] as const).reverse())
  for (const { target, fault, message, file } of [...first.values()].reverse()) {
    console.log(
      `\n${target} ${fault}: ${message
        .split('\n', 6)
        .map((text) => text.slice(0, 200))
        .join('\n  ')}`,
    )
    console.log(`  again: npm run fuzz -- --replay ${relative(ROOT, file)}`)
  }
  console.log(`\n${findings.length} findings${first.size < findings.length ? ` of ${first.size} kinds` : ''}`)
  return findings.length > 0 ? 1 : 0
}

function line(target: string, ...figures: readonly (string | number)[]): string {
  return target.padEnd(20) + figures.map((figure) => String(figure).padStart(10)).join('')
}

/** Reads an input here, so that a debugger can look on; a crash or a hang of it is this process's. */
async function replay(path: string): Promise<number> {
  const name = targetOfFinding(path)
  let fault: string | undefined
  if (path.includes('ops.')) fault = await replayCall(path)
  else if (name === undefined) return complain(`${path} does not begin with a target's name; --list names them`)
  else {
    const result = await attempt(await TARGETS[name](), readFileSync(path), path)
    if ('message' in result) fault = `${result.outcome}: ${result.message}`
    else console.log(`${path}: ${result.outcome}`)
  }
  if (fault === undefined) return 0
  console.log(fault)
  return 1
}

function complain(text: string): number {
  console.error(`fuzz: ${text}`)
  return 2
}
