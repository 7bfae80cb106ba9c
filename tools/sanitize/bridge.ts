// The bridge, in Node: tests of tensors, and the native functions called with values of every kind.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BuildError, npmBin } from '../run'
import { BUILD, buildPlanted, buildSanitized, type SanitizeOptions, STRICT } from './build'
import { Reports } from './reports'

const TESTS = ['test/tensor', 'test/native/bridge.test.ts', 'test/native/replay.test.ts', 'test/native/threads.test.ts']

/** All tests but those of a process's size: the sanitizer holds freed memory back, so that its use is seen. */
const NAMES = '^(?!.*memory does not grow)'

export async function bridge({ seconds, seed }: SanitizeOptions): Promise<void> {
  await buildSanitized('vision_native_loader', 'vision_native_node')
  const folder = mkdtempSync(join(tmpdir(), 'sanitize-'))
  try {
    const reports = new Reports(folder, BUILD, ['libasan.so', 'libubsan.so'], STRICT)
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
