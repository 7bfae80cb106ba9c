// `npm run prebuilds`: the binaries that the published package carries, in prebuilds/linux-x64. (A script that is called
// `prebuild` would run before each `npm run build`.)
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CUDA_OPERATORS, MANIFEST } from '../lib/native/binaries'
import { findLibTorch } from '../lib/native/libtorch'
import { buildNative } from './build-native'
import { describeBinaries } from './manifest'
import { BuildError, npmBin, RELEASE, ROOT, run } from './run'

const OUTPUT = join(ROOT, 'prebuilds/linux-x64')
/** A copy of the build: prebuildify strips the binaries and moves the loader away from where they were built. */
const STAGING = join(ROOT, 'build-prebuild')
/** The oldest Node that package.json allows; a Node-API binary serves every later one. */
const NODE = '20.17.0'

async function prebuild(): Promise<void> {
  await buildNative()
  const libtorch = findLibTorch()
  rmSync(OUTPUT, { recursive: true, force: true })
  mkdirSync(STAGING, { recursive: true })
  await run(
    npmBin('prebuildify'),
    ['-t', NODE, '--napi', '--strip', '--tag-libc', '--cwd', STAGING, '--out', ROOT, '--name', '@lab/vision-native'],
    {
      PREBUILD_NODE_GYP: join(ROOT, 'tools/prebuild-shim.sh'),
      VISION_NATIVE_ROOT: ROOT,
    },
  )

  // nvcc takes minutes, so the CUDA library is built apart, by `npm run build:cuda`.
  const cuda = join(RELEASE, CUDA_OPERATORS)
  if (existsSync(cuda)) {
    cpSync(cuda, join(OUTPUT, CUDA_OPERATORS))
    await run('strip', ['--strip-all', join(OUTPUT, CUDA_OPERATORS)])
  }
  const manifest = describeBinaries(OUTPUT, libtorch)
  writeFileSync(join(OUTPUT, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`)

  for (const name of readdirSync(OUTPUT)) {
    console.log(`${(statSync(join(OUTPUT, name)).size / 1e6).toFixed(2).padStart(7)} MB  ${name}`)
  }
  console.log(`prebuild: needs glibc ${manifest.glibc} and libstdc++ with GLIBCXX_${manifest.glibcxx}`)
  if (!existsSync(cuda)) console.log('prebuild: without CUDA; run `npm run build:cuda` first to include it')
}

prebuild().catch((error: Error) => {
  console.error(error instanceof BuildError ? error.message : error)
  process.exitCode = 1
})
