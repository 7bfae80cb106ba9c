import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Loader } from '../../bindings'
import { type Binaries, damagedFiles, findBinaries, mismatchWithLibTorch, NO_GLIBC } from './binaries'
import { type Attempt, type LibTorch, searchLibTorch } from './libtorch'
import { loadNative, openLoader } from './load'
import { cudaUnavailable, driverProblem } from './load-cuda'
import { packageVersion } from './package-root'

/** One thing that was looked at. `optional` is missing too, but only CUDA needs it. */
export interface Check {
  readonly name: string
  readonly status: 'ok' | 'missing' | 'optional'
  /** What was found, or what is wrong and the command that mends it. */
  readonly text: string
}

/** What `vision-native doctor` tells. */
export interface Diagnosis {
  readonly version: string
  /** True when nothing that the CPU needs is missing. */
  readonly ok: boolean
  readonly checks: readonly Check[]
  readonly node: string
  readonly glibc: string | undefined
  readonly binaries: Pick<Binaries, 'folder' | 'origin' | 'manifest'> | undefined
  readonly libtorch: Pick<LibTorch, 'root' | 'version' | 'cuda' | 'abi' | 'variant' | 'source'> | undefined
  readonly tried: readonly Attempt[]
  readonly cuda: {
    readonly available: boolean
    readonly reason: string | undefined
    readonly driver: string | undefined
    readonly gpus: readonly string[]
  }
}

/** The Node that package.json asks for. */
const MINIMUM_NODE = [20, 17] as const

/** Looks at everything that loading needs, in the order in which it needs it, and opens it when all of it is there. */
export function diagnose(env: NodeJS.ProcessEnv = process.env): Diagnosis {
  const checks: Check[] = [checkNode()]

  const found = attempt(() => findBinaries(env))
  const binaries = found.value
  checks.push({ name: 'Binaries', ...(binaries ? describeBinaries(binaries) : missing(found.reason)) })

  const opened = binaries ? attempt(() => openLoader(binaries)) : undefined
  const loader = opened?.value
  if (opened?.reason !== undefined) checks.push({ name: 'Loader', ...missing(opened.reason) })
  const glibc = loader?.glibcVersion() ?? glibcOfSystem(env)
  if (glibc) checks.push({ name: 'C library', ...ok(`glibc ${glibc}`) })
  else if (existsSync(MUSL)) checks.push({ name: 'C library', ...missing(NO_GLIBC) })

  const search = searchLibTorch(env)
  checks.push({ name: 'LibTorch', ...(search.libtorch ? describeLibTorch(search.libtorch) : missing(search.failure)) })
  if (binaries?.manifest && search.libtorch) {
    const mismatch = mismatchWithLibTorch(binaries.manifest, search.libtorch)
    if (mismatch) checks.push({ name: 'Versions', ...missing(mismatch) })
  }

  const complete = checks.every(({ status }) => status === 'ok')
  const loaded = complete ? attempt(loadNative) : undefined
  if (loaded) checks.push({ name: 'Opening', ...describeOpening(loaded) })

  const driver = driverVersion()
  const reason = loaded?.value ? cudaUnavailable(loaded.value) : cudaBlocked(loader, complete)
  checks.push({ name: 'CUDA', ...(reason === undefined ? ok(`driver ${driver}`) : optional(reason)) })

  return {
    version: packageVersion(),
    ok: checks.every(({ status }) => status !== 'missing'),
    checks,
    node: process.versions.node,
    glibc,
    binaries: binaries && { folder: binaries.folder, origin: binaries.origin, manifest: binaries.manifest },
    libtorch: search.libtorch && pick(search.libtorch),
    tried: search.tried,
    cuda: { available: reason === undefined, reason, driver, gpus: gpuModels() },
  }
}

const MUSL = '/lib/ld-musl-x86_64.so.1'

const ok = (text: string) => ({ status: 'ok', text }) as const
const missing = (text: string) => ({ status: 'missing', text }) as const
const optional = (text: string) => ({ status: 'optional', text }) as const

type Outcome<T> =
  | { readonly value: T; readonly reason?: undefined }
  | { readonly value?: undefined; readonly reason: string }

function attempt<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() }
  } catch (error) {
    return { reason: (error as Error).message }
  }
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [needMajor, needMinor] = MINIMUM_NODE
  const recent = major > needMajor || (major === needMajor && minor >= needMinor)
  if (recent) return { name: 'Node', ...ok(process.versions.node) }
  const text = `${process.versions.node} is too old: ${MINIMUM_NODE.join('.')} or newer is needed. Install a newer Node.`
  return { name: 'Node', ...missing(text) }
}

function describeBinaries(binaries: Binaries) {
  const { manifest, folder, origin } = binaries
  const damaged = origin === 'prebuild' ? damagedFiles(binaries) : []
  if (damaged.length > 0) {
    return missing(`${damaged.join(', ')} in ${folder} differ from their checksums. Reinstall @lab/vision-native.`)
  }
  const kind = { VISION_NATIVE_BUILD: 'VISION_NATIVE_BUILD', build: 'built here', prebuild: 'prebuilt' }[origin]
  const cuda = binaries.cuda ? `CPU and CUDA (${manifest?.sm.join(', ') || 'architectures unknown'})` : 'CPU'
  const needs = manifest ? `, for LibTorch ${manifest.libtorch} and glibc ${manifest.glibc} or newer` : ''
  return ok(`${folder} (${kind}): ${cuda}${needs}`)
}

function describeLibTorch({ version, cuda, variant, root, source }: LibTorch) {
  const libraries = variant === 'cuda' ? `CPU and CUDA ${cuda}` : 'CPU'
  return ok(`${version} in ${root} (found by ${source}): ${libraries}`)
}

function describeOpening({ value, reason }: Outcome<ReturnType<typeof loadNative>>) {
  if (reason !== undefined) return missing(reason)
  const { bridge } = value
  const threads = bridge.numThreads()
  const number = threads === 1 ? '1 thread' : `${threads} threads`
  return ok(`LibTorch ${bridge.libtorchVersion()}, ${bridge.cpuCapability()}, ${number}`)
}

/** The C library as the system states it, for when our loader cannot be asked. */
function glibcOfSystem(env: NodeJS.ProcessEnv): string | undefined {
  const { stdout } = spawnSync('getconf', ['GNU_LIBC_VERSION'], { env, encoding: 'utf8' })
  return /^glibc (\S+)/.exec(stdout ?? '')?.[1]
}

function cudaBlocked(loader: Loader | undefined, complete: boolean): string {
  const driver = loader && driverProblem(loader)
  return driver ?? (complete ? 'LibTorch does not open (see above)' : 'mend what is missing above first')
}

/** Version of the kernel's NVIDIA driver, whether or not its libraries are there. */
function driverVersion(): string | undefined {
  const path = '/proc/driver/nvidia/version'
  return existsSync(path) ? /\s(\d+\.\d+(?:\.\d+)?)\s/.exec(readFileSync(path, 'utf8'))?.[1] : undefined
}

function gpuModels(): string[] {
  const folder = '/proc/driver/nvidia/gpus'
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name, 'information')
    return existsSync(path) ? (/^Model:\s*(.+)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? []) : []
  })
}

function pick({ root, version, cuda, abi, variant, source }: LibTorch) {
  return { root, version, cuda, abi, variant, source }
}
