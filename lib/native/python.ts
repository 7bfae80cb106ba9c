import { spawnSync } from 'node:child_process'

/** Where a Python keeps the `torch` package, if it has one. */
export type PythonTorch =
  | { readonly python: undefined; readonly reason: string }
  | { readonly python: string; readonly torch: string | undefined }

/** Long enough for a cold disk; a Python that hangs must not hang the application. */
const TIMEOUT_MS = 10_000

// Importing torch takes seconds; its import machinery can say where it lies without running it. The current folder is
// taken off the path so that a folder named `torch` there is not mistaken for the package.
const LOCATE = `
import sys
sys.path = [p for p in sys.path if p]
from importlib.util import find_spec
spec = find_spec('torch')
print(sys.executable)
print(spec.submodule_search_locations[0] if spec and spec.origin and spec.submodule_search_locations else '')
`

/** Asks the Python on PATH (`python3`, or `python` where there is no `python3`) for its torch package. */
export function findPythonTorch(env: NodeJS.ProcessEnv = process.env): PythonTorch {
  let reason = 'there is no python3 on PATH'
  for (const command of ['python3', 'python']) {
    const run = spawnSync(command, ['-c', LOCATE], { env, encoding: 'utf8', timeout: TIMEOUT_MS })
    if (run.error && 'code' in run.error && run.error.code === 'ENOENT') continue
    if (run.error || run.status !== 0) {
      const said = run.error?.message ?? run.stderr.trim().split('\n').at(-1) ?? ''
      reason = `${command} failed: ${said || `exit status ${run.status}`}`
      continue
    }
    const [python = command, torch = ''] = run.stdout.split('\n')
    return { python: python || command, torch: torch || undefined }
  }
  return { python: undefined, reason }
}
