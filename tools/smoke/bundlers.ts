import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { npmBin } from '../run'
import { npmTool, runIn } from './npm-tool'

/** Bundles app.mjs with the package left outside, as docs/installing.md says, and returns the file to run. */
export type Bundler = (app: string) => string

export const BUNDLERS: Readonly<Record<string, Bundler>> = { esbuild, webpack, vite }

function esbuild(app: string): string {
  const file = 'esbuild.bundle.mjs'
  const flags = ['--bundle', '--platform=node', '--format=esm', '--external:@lab/vision-native', `--outfile=${file}`]
  runIn(app, npmBin('esbuild'), ['app.mjs', ...flags])
  return file
}

function webpack(app: string): string {
  const file = 'webpack.bundle.cjs'
  const options = {
    mode: 'production',
    target: 'node20',
    context: app,
    entry: './app.mjs',
    output: { path: app, filename: file, library: { type: 'commonjs2' } },
  }
  const program = npmTool('webpack', '5.112.2', 'lib/index.js')
  const externals =
    "[({ request }, done) => /^@lab\\/vision-native/.test(request) ? done(null, 'commonjs ' + request) : done()]"
  writeFileSync(
    join(app, 'webpack.run.cjs'),
    `require(${JSON.stringify(program)})({ ...${JSON.stringify(options)}, externals: ${externals} }, (error, stats) => {
  if (error || stats.hasErrors()) throw error ?? new Error(stats.toString())
})\n`,
  )
  runIn(app, process.execPath, ['webpack.run.cjs'])
  return file
}

function vite(app: string): string {
  const program = npmTool('vite', '7.3.8', 'dist/node/index.js')
  const options = {
    root: app,
    configFile: false,
    logLevel: 'error',
    ssr: { external: ['@lab/vision-native'] },
    build: {
      ssr: 'app.mjs',
      outDir: 'vite',
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'bundle.mjs' } },
    },
  }
  writeFileSync(
    join(app, 'vite.run.mjs'),
    `import { build } from ${JSON.stringify(pathToFileURL(program).href)}\nawait build(${JSON.stringify(options)})\n`,
  )
  runIn(app, process.execPath, ['vite.run.mjs'])
  return 'vite/bundle.mjs'
}
