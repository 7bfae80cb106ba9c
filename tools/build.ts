// `npm run build`: the native part and the JavaScript, each only as far as something has changed.
import { join } from 'node:path'
import { withFileLock } from '../lib/native/file-lock'
import { buildJs } from './build-js'
import { buildNative } from './build-native'
import { BuildError, ROOT } from './run'

const USAGE = 'Usage: tsx tools/build.ts [native | js | cuda]'

async function main(part: string | undefined): Promise<void> {
  switch (part) {
    case undefined:
      await buildNative()
      return buildJs()
    case 'native':
      return buildNative()
    case 'js':
      return buildJs()
    case 'cuda': {
      await import('./build-cuda')
      return
    }
    default:
      throw new BuildError(`build: there is no part '${part}'. ${USAGE}`)
  }
}

// Two builds in one folder would overwrite each other's files.
const onWait = (pid: number) => console.log(`build: waiting for another build (process ${pid})`)

withFileLock(join(ROOT, '.cache/build.lock'), () => main(process.argv[2]), { onWait }).catch((error: unknown) => {
  // A failed compiler has said enough; only a defect of these tools is worth its stack.
  console.error(error instanceof Error && !(error instanceof TypeError) ? error.message : error)
  process.exitCode = 1
})
