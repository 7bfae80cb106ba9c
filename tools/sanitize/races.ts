// All of the bridge under ThreadSanitizer. Node is not built with it, so what it says of Node's own threads is suppressed
// (test/sanitize/races.supp); `threads` looks at the pool without Node.
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OPERATORS } from '../../lib/native/binaries'
import { BuildError, RELEASE, ROOT } from '../run'
import { buildIn, buildPlanted } from './build'
import { Reports } from './reports'

const BUILD = join(ROOT, 'build-races')
const PROGRAM = join(ROOT, 'test/sanitize/program.mjs')
const SUPPRESSIONS = join(ROOT, 'test/sanitize/races.supp')

export async function races(): Promise<void> {
  const operators = join(RELEASE, OPERATORS)
  if (!existsSync(operators) || !existsSync(join(ROOT, 'dist'))) {
    throw new BuildError('sanitize: the package is not built; run `npm run build` first')
  }
  const settings = { VISION_NATIVE_SANITIZE: 'thread', VISION_NATIVE_OPS: operators }
  await buildIn(BUILD, settings, ['vision_native_loader', 'vision_native_node'])
  copyFileSync(operators, join(BUILD, 'Release', OPERATORS))
  const folder = mkdtempSync(join(tmpdir(), 'sanitize-'))
  try {
    const reports = new Reports(folder, BUILD, ['libtsan.so'], { TSAN_OPTIONS: `suppressions=${SUPPRESSIONS}` })
    console.log('sanitize: the bridge under ThreadSanitizer')
    // Without OpenMP's threads, whose barriers it does not know; those of the pool and of workers stay.
    reports.none('env', ['OMP_NUM_THREADS=1', process.execPath, PROGRAM])
    const addon = buildPlanted(folder, '-fsanitize=thread')
    const [planted = ''] = reports.of(process.execPath, ['-e', 'require(process.argv[1]).race()', addon]).reports
    const line = /SUMMARY: ThreadSanitizer: data race .*planted.*/.exec(planted)?.[0]
    if (!line) throw new BuildError(`sanitize: the planted race was not reported\n${planted}`)
    console.log(`sanitize: no report; the planted race was reported: ${line}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
