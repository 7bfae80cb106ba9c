// `npm run build:cuda`: the CUDA library, which needs neither a GPU nor an installed toolkit to be built.
//
//   npm run build:cuda                  machine code for sm_90, and PTX that newer GPUs compile when it is loaded
//   npm run build:cuda -- --release     sm_75, 80, 86, 89, 90 and PTX
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CUDA_OPERATORS, OPERATORS } from '../lib/native/binaries'
import { findLibTorch } from '../lib/native/libtorch'
import { buildNative } from './build-native'
import { writeManifest } from './manifest'
import { BuildError, capture, exists, JOBS, RELEASE, ROOT, run } from './run'

const TOOLKIT = 'cuda-toolkit[nvcc,cudart,cccl,cupti,crt,nvvm]==13.0.2'
/** Where pip puts the toolkit; `nvidia/cu13` in it has the layout of an installed one. */
const TOOLKIT_FOLDER = join(ROOT, '.cache', 'nvcc')
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
  const nvcc = join(TOOLKIT_FOLDER, 'nvidia', 'cu13', 'bin', 'nvcc')
  if (existsSync(nvcc)) return nvcc
  console.log(`cuda: no nvcc 13 is installed; fetching it with pip into ${TOOLKIT_FOLDER} (about 110 MB)`)
  // A folder that is renamed when it is whole: an interrupted download is not taken for a toolkit.
  const partial = `${TOOLKIT_FOLDER}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true })
  await run(process.env.PYTHON ?? 'python3', ['-m', 'pip', 'install', '--quiet', '--target', partial, TOOLKIT])
  rmSync(TOOLKIT_FOLDER, { recursive: true, force: true })
  renameSync(partial, TOOLKIT_FOLDER)
  if (!existsSync(nvcc)) throw new BuildError(`build: pip installed ${TOOLKIT}, but ${nvcc} is not there`)
  return nvcc
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
