import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface ChildResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs TypeScript in a process of its own. The script may import from `'lib'` (the package's root) and `'lib/…'` (a
 * file of it). It is bundled into one plain module, which worker threads can run as well.
 */
export async function runChild(
  script: string,
  {
    flags = [],
    env = {},
    under = [],
  }: {
    readonly flags?: readonly string[]
    readonly env?: Readonly<Record<string, string>>
    /** A command that Node is run by, such as a shell that limits what it may use. */
    readonly under?: readonly string[]
  } = {},
): Promise<ChildResult> {
  mkdirSync(join(ROOT, '.cache'), { recursive: true })
  const folder = mkdtempSync(join(ROOT, '.cache/test-'))
  try {
    const outfile = join(folder, 'script.mjs')
    await bundle({ stdin: { contents: script, loader: 'ts', resolveDir: ROOT, sourcefile: 'script.ts' } }, outfile)
    return await runProgram([...flags, outfile], env, under)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Makes one plain module of a script and what it imports of the package. */
export async function bundle(from: Pick<BuildOptions, 'stdin' | 'entryPoints'>, outfile: string): Promise<void> {
  await build({
    ...from,
    alias: { lib: join(ROOT, 'lib') },
    packages: 'external',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'silent',
    outfile,
  })
}

/** Runs Node with these arguments. @param under a command that Node is run by */
export function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  under: readonly string[] = [],
): Promise<ChildResult> {
  const [command = '', ...rest] = [...under, process.execPath, ...args]
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, { cwd: ROOT, env: { ...process.env, ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}
