// `npm run demo`: optical flow of two frames with the built command, checked against the measured motion.
import { mkdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { BUILD, BuildError, capture, ROOT } from './run'

const data = join(ROOT, 'examples/data')
const picture = join(BUILD, 'demo/flow.png')

function demo(): void {
  const { bin }: { bin: Record<string, string> } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const command = bin['vision-native']
  if (command === undefined) throw new BuildError('demo: package.json has no command vision-native under "bin"')
  mkdirSync(join(BUILD, 'demo'), { recursive: true })
  const args = [
    ...['flow', join(data, 'rubberwhale1.png'), join(data, 'rubberwhale2.png')],
    ...['--output', picture, '--truth', join(data, 'rubberwhale_gt.flo')],
  ]
  console.log(`$ vision-native ${args.map((arg) => relative(ROOT, arg) || arg).join(' ')}`)
  process.stdout.write(capture(process.execPath, [join(ROOT, command), ...args]))
}

try {
  demo()
} catch (error) {
  console.error(error instanceof BuildError ? error.message : error)
  process.exitCode = 1
}
