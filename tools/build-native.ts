import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { searchLibTorch } from '../lib/native/libtorch'
import type { LibTorchFolder } from '../lib/native/libtorch-folder'
import { writeManifest } from './manifest'
import { BUILD, BuildError, exists, JOBS, npmBin, RELEASE, run } from './run'

/** Builds the loader, the operators and the bridge; seconds when nothing has changed. */
export async function buildNative(): Promise<void> {
  const started = performance.now()
  checkTools()
  const libtorch = await findOrSetUp()
  if (needsConfigure(libtorch)) await configure(libtorch)
  // cmake-js would do the same after reading every configuration of npm, which takes longer than a build without work.
  await run('cmake', ['--build', BUILD, '--parallel', JOBS])
  writeManifest(RELEASE, libtorch)
  console.log(`native: ${RELEASE} is up to date (${((performance.now() - started) / 1000).toFixed(1)} s)`)
}

function checkTools(): void {
  const missing = [
    { command: 'cmake', remedy: 'apt-get install cmake, or pip install cmake' },
    { command: process.env.CXX ?? 'c++', remedy: 'apt-get install g++ (version 11 or newer)' },
  ].filter(({ command }) => !exists(command))
  if (missing.length === 0) return
  const lines = missing.map(({ command, remedy }) => `  ${command}: ${remedy}`)
  throw new BuildError(`build: tools are missing:\n${lines.join('\n')}`)
}

/** LibTorch as the run time would find it, downloaded first where there is none. */
async function findOrSetUp(): Promise<LibTorchFolder> {
  let search = searchLibTorch()
  if (!search.libtorch && !process.env.LIBTORCH) {
    console.log(`native: ${search.failure.split('\n')[0]} Setting it up.`)
    await import('./setup-libtorch').then(({ setUpLibTorch }) => setUpLibTorch())
    search = searchLibTorch()
  }
  if (!search.libtorch) throw new BuildError(search.failure)
  const { libtorch } = search
  if (!existsSync(join(libtorch.includeDir, 'ATen/core/Tensor.h'))) {
    throw new BuildError(
      `build: ${libtorch.root} has LibTorch's libraries but not its headers (include/ATen/core/Tensor.h). ` +
        'Run `npx vision-native setup`, then set LIBTORCH to the torch folder that it names.',
    )
  }
  return libtorch
}

function needsConfigure(libtorch: LibTorchFolder): boolean {
  const cache = join(BUILD, 'CMakeCache.txt')
  if (!existsSync(cache)) return true
  const text = readFileSync(cache, 'utf8')
  const value = (name: string) => new RegExp(`^${name}:[A-Z]+=(.*)$`, 'm').exec(text)?.[1]
  // A working copy that was moved keeps a cache that CMake refuses; it holds nothing that is worth keeping.
  if (value('CMAKE_CACHEFILE_DIR') !== BUILD) {
    rmSync(BUILD, { recursive: true })
    return true
  }
  const generated = existsSync(join(BUILD, 'build.ninja')) || existsSync(join(BUILD, 'Makefile'))
  return !generated || value('LIBTORCH') !== libtorch.root
}

async function configure(libtorch: LibTorchFolder): Promise<void> {
  console.log(`native: configuring for LibTorch ${libtorch.version} in ${libtorch.root}`)
  await run(npmBin('cmake-js'), ['configure', '--out', BUILD, `--CDLIBTORCH=${libtorch.root}`])
}
