// `npm run build:cuda`: the CUDA library, which needs neither a GPU nor an installed toolkit to be built.
//
//   npm run build:cuda                  machine code for sm_90, and PTX that newer GPUs compile when it is loaded
//   npm run build:cuda -- --release     sm_75, 80, 86, 89, 90 and PTX
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CUDA_OPERATORS, OPERATORS } from '../lib/native/binaries'
import { findLibTorch } from '../lib/native/libtorch'
import { requirements } from '../lib/native/wheels'
import { buildNative } from './build-native'
import { writeManifest } from './manifest'
import { BuildError, capture, exists, JOBS, RELEASE, ROOT, run } from './run'

/** What pip fetches: `nvidia/cu13` of the toolkit has the layout of an installed one; of NCCL its header is needed. */
const TOOLKIT = {
  requirement: 'cuda-toolkit[nvcc,cudart,cccl,cupti,crt,nvvm]==13.0.2',
  folder: join(ROOT, '.cache', 'nvcc'),
  file: join('nvidia', 'cu13', 'bin', 'nvcc'),
}
const NCCL = {
  // The version that LibTorch's CUDA part brings.
  requirement: /^nvidia-nccl\S+/m.exec(requirements('cuda'))?.[0] ?? '',
  folder: join(ROOT, '.cache', 'nccl'),
  file: join('nvidia', 'nccl', 'include', 'nccl.h'),
}
const BUILD_CUDA = join(ROOT, 'build-cuda')
const ARCHITECTURES = { usual: ['90'], release: ['75', '80', '86', '89', '90'] } as const

/** An nvcc of CUDA 13: LibTorch's CUDA runtime is 13.0. */
async function findNvcc(): Promise<string> {
  const onPath = process.env.NVCC ?? 'nvcc'
  if (exists(onPath)) {
    const version = /release (\d+)\.\d+/.exec(capture(onPath, ['--version']))?.[1]
    if (version === '13') return onPath === 'nvcc' ? capture('sh', ['-c', 'command -v nvcc']).trim() : onPath
    console.log(`cuda: ${onPath} is of CUDA ${version ?? '?'}; LibTorch needs 13, so it is passed over`)
  }
  return fetched(TOOLKIT, 'no nvcc 13 is installed; fetching it with pip (about 110 MB)')
}

/** The folder of nccl.h: beside LibTorch where that was set up for CUDA. */
async function findNccl(libtorch: string): Promise<string> {
  const beside = join(dirname(libtorch), NCCL.file)
  if (existsSync(beside)) return dirname(beside)
  return dirname(await fetched(NCCL, 'fetching the header of NCCL with pip (about 200 MB)', ['--no-deps']))
}

/** A file of a package from PyPI. */
async function fetched(
  { requirement, folder, file }: typeof TOOLKIT,
  note: string,
  options: readonly string[] = [],
): Promise<string> {
  const path = join(folder, file)
  if (existsSync(path)) return path
  console.log(`cuda: ${note}`)
  // A folder that is renamed when it is whole: an interrupted download is not taken for a package.
  const partial = `${folder}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  const install = ['-m', 'pip', 'install', '--quiet', '--target', partial, ...options, requirement]
  await run(process.env.PYTHON ?? 'python3', install)
  rmSync(folder, { recursive: true, force: true })
  renameSync(partial, folder)
  if (!existsSync(path)) throw new BuildError(`build: pip installed ${requirement}, but ${path} is not there`)
  return path
}

/** The linker lets a shared library miss symbols; opened on a machine with a GPU, ours would then be refused. */
function checkSymbols(library: string): void {
  const symbols = (path: string, which: string) =>
    capture('nm', ['-D', which, path])
      .split('\n')
      .flatMap((line) => /\S*vision_native\S*/.exec(line)?.[0] ?? [])
  const exported = new Set(symbols(join(RELEASE, OPERATORS), '--defined-only'))
  const missing = symbols(library, '--undefined-only').filter((symbol) => !exported.has(symbol))
  if (missing.length === 0) return
  const names = capture('c++filt', missing).trim()
  throw new BuildError(
    `cuda: ${OPERATORS} does not export what ${CUDA_OPERATORS} uses; mark it VISION_NATIVE_API:\n${names}`,
  )
}

function megabytes(path: string): string {
  return `${(statSync(path).size / 2 ** 20).toFixed(1)} MB`
}

const started = performance.now()
const release = process.argv.includes('--release')
const architectures = release ? ARCHITECTURES.release : ARCHITECTURES.usual
await buildNative()
const libtorch = findLibTorch()
const nvcc = await findNvcc()
console.log(`cuda: ${nvcc}, sm_${architectures.join(', sm_')} and PTX`)
const generator = exists('ninja') ? ['-G', 'Ninja'] : []
const settings = {
  CMAKE_BUILD_TYPE: 'Release',
  LIBTORCH: libtorch.root,
  VISION_NATIVE_OPS: join(RELEASE, OPERATORS),
  VISION_NATIVE_CUDA: 'ON',
  VISION_NATIVE_NVCC: nvcc,
  VISION_NATIVE_NCCL: await findNccl(libtorch.root),
  VISION_NATIVE_SM: architectures.join(';'),
}
const definitions = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
await run('cmake', ['-S', ROOT, '-B', BUILD_CUDA, ...generator, ...definitions, '--log-level=WARNING'])
await run('cmake', ['--build', BUILD_CUDA, '--parallel', JOBS, '--target', 'vision_native_cuda'])

const built = join(BUILD_CUDA, 'Release', CUDA_OPERATORS)
checkSymbols(built)
// Beside the other binaries, where the package looks for it. A copy is renamed: a process may have the old one open.
const installed = join(RELEASE, CUDA_OPERATORS)
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(built).mtimeMs) {
  copyFileSync(built, `${installed}.new`)
  renameSync(`${installed}.new`, installed)
}
writeManifest(RELEASE, libtorch)
const seconds = ((performance.now() - started) / 1000).toFixed(1)
console.log(
  `cuda: ${CUDA_OPERATORS} ${megabytes(installed)}, ${OPERATORS} ${megabytes(join(RELEASE, OPERATORS))} (${seconds} s)`,
)
console.log('cuda: `python3 test/cuda/run.py` checks it on a machine with a GPU')
