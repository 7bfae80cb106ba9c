// The bridge, in Node: tests of tensors, and the native functions called with values of every kind.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BuildError, capture, npmBin, ROOT } from '../run'
import { BUILD, buildPlanted, buildSanitized, type SanitizeOptions, STRICT } from './build'

const TESTS = ['test/tensor', 'test/native/bridge.test.ts', 'test/native/replay.test.ts', 'test/native/threads.test.ts']

/** All tests but those of a process's size: the sanitizer holds freed memory back, so that its use is seen. */
const NAMES = '^(?!.*memory does not grow)'

export async function bridge({ seconds, seed }: SanitizeOptions): Promise<void> {
  await buildSanitized('vision_native_loader', 'vision_native_node')
  const folder = mkdtempSync(join(tmpdir(), 'sanitize-'))
  try {
    const reports = new Reports(folder)
    console.log(`sanitize: the bridge under ${TESTS.join(', ')}`)
    reports.none(npmBin('vitest'), ['run', ...TESTS, '--testNamePattern', NAMES, '--testTimeout', '600000'])
    console.log(`sanitize: the bridge under random calls, ${seconds} s, seed ${seed}`)
    reports.none(npmBin('tsx'), ['tools/fuzz.ts', '--target', 'bridge', '--seconds', seconds, '--seed', seed])
    const addon = buildPlanted(folder, '-fsanitize=address')
    const [planted] = reports.of(process.execPath, ['-e', 'require(process.argv[1]).overflow()', addon]).reports
    const line = planted && /ERROR: .*heap-buffer-overflow.*/.exec(planted)?.[0]
    if (!line) throw new BuildError(`sanitize: the planted overflow was not reported\n${planted ?? ''}`)
    console.log(`sanitize: no report; the planted overflow was reported: ${line}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Runs Node with the sanitizer loaded before it; its reports, of child processes too, go to files. */
class Reports {
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv

  constructor(folder: string) {
    this.#folder = folder
    const log = `log_path=${join(folder, 'report')}`
    const libraries = ['libasan.so', 'libubsan.so'].map((name) =>
      capture(process.env.CXX ?? 'c++', [`-print-file-name=${name}`]).trim(),
    )
    this.#env = {
      ...process.env,
      LD_PRELOAD: libraries.join(':'),
      VISION_NATIVE_BUILD: join(BUILD, 'Release'),
      ASAN_OPTIONS: `${STRICT.ASAN_OPTIONS}:${log}`,
      UBSAN_OPTIONS: `${STRICT.UBSAN_OPTIONS}:${log}`,
    }
  }

  of(command: string, args: readonly string[]) {
    const { status, signal } = spawnSync(command, args, {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: this.#env,
    })
    const files = readdirSync(this.#folder).filter((name) => name.startsWith('report.'))
    const reports = files.map((name) => readFileSync(join(this.#folder, name), 'utf8'))
    return { reports, failed: status !== 0, ended: signal ?? `exit status ${status}` }
  }

  none(command: string, args: readonly string[]): void {
    const { reports, failed, ended } = this.of(command, args)
    if (failed || reports.length > 0) throw new BuildError(`sanitize: ${ended}\n${reports.join('\n')}`)
  }
}
