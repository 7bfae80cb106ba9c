import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TSX = fileURLToPath(import.meta.resolve('tsx'))

export interface ChildResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs TypeScript in a process of its own. The script may import `{ … } from 'lib'` (the package's root) and
 * `'lib/…'` (a file of it), and what `prelude` of a test needs.
 */
export async function runChild(
  script: string,
  { flags = [] as readonly string[], env = {} } = {},
): Promise<ChildResult> {
  const folder = mkdtempSync(join(ROOT, '.cache/test-'))
  try {
    const file = join(folder, 'script.mts')
    writeFileSync(file, withPaths(script))
    return await run([...flags, '--import', TSX, file], env)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Imports of the package by its place in this working copy. */
export function withPaths(script: string): string {
  return script
    .replaceAll(/from 'lib'/g, `from '${join(ROOT, 'lib/index.ts')}'`)
    .replaceAll(/from 'lib\/([^']+)'/g, (_, name) => `from '${join(ROOT, 'lib', `${name}.ts`)}'`)
}

function run(args: readonly string[], env: Record<string, string>): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } })
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
