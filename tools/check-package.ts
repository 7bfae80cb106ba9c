// `npm run check:package [-- --release]`: everything that can be said of the tarball without running it: its files and
// its size, whether package.json and the types fit them, and whether the binaries are those that were built, and run on
// the systems that are promised.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { damagedFiles, findBinaries, olderThan } from '../lib/native/binaries'
import { symbolVersions } from './manifest'
import { pack, type Tarball, tarballAt } from './pack'
import { systemPlaces } from './system-registry'

/** What may be published, by the first folder or the name. */
const ALLOWED = /^(dist\/|prebuilds\/linux-x64\/|package\.json$|(README|CHANGELOG)\.md$|LICENSE$)/
/** Sources stay at home; the declarations are enough. */
const SOURCE = /(?<!\.d)\.[cm]?ts$/
/** LibTorch is found on the user's machine, never shipped. Kernels for five generations of GPUs are 14 MB of it. */
const BYTES = 20e6
/** What LibTorch itself needs: binaries that ask for more would run on fewer systems than it does. */
const FLOOR = { glibc: '2.28', glibcxx: '3.4.22' }

const { values: options } = parseArgs({ options: { release: { type: 'boolean' }, tarball: { type: 'string' } } })
const folder = mkdtempSync(join(tmpdir(), 'vision-native-package-'))
main()
  .catch((error: unknown) => {
    console.error(error)
    process.exitCode = 1
  })
  .finally(() => rmSync(folder, { recursive: true, force: true }))

async function main(): Promise<void> {
  const tarball = options.tarball ? tarballAt(options.tarball) : pack(folder)
  execFileSync('tar', ['xzf', tarball.path, '-C', folder])
  const root = join(folder, 'package')
  report('files', filesOf(tarball), `${tarball.files.length} files`)
  report('size', sizeOf(tarball), `${(tarball.bytes / 1e6).toFixed(1)} MB of ${BYTES / 1e6}`)
  report('binaries', binariesOf(root), 'those of vision_native.json, of this version')
  reportFloor(join(root, 'prebuilds/linux-x64'))
  report('package.json', await publintOf(root), 'publint')
  report('types', await typesOf(tarball), 'arethetypeswrong: ES modules, CommonJS, bundlers')
}

function report(what: string, problems: readonly string[], fine: string): void {
  console.log(`${problems.length === 0 ? 'ok    ' : 'FAILED'} ${what}${problems.length === 0 ? `: ${fine}` : ''}`)
  for (const problem of problems) console.log(`       ${problem}`)
  if (problems.length > 0) process.exitCode = 1
}

function filesOf({ files }: Tarball): string[] {
  const strange = files.filter((name) => !ALLOWED.test(name) || SOURCE.test(name))
  const wanted = ['dist/index.js', 'dist/index.cjs', 'dist/index.d.ts', 'dist/index.d.cts', 'README.md', 'LICENSE']
  return [
    ...strange.map((name) => `${name} does not belong there`),
    ...wanted.filter((name) => !files.includes(name)).map((name) => `${name} is missing; run \`npm run build\``),
  ]
}

function sizeOf({ bytes }: Tarball): string[] {
  if (bytes <= BYTES) return []
  const remedy = 'look for what grew in prebuilds and dist, or move the CUDA library to a package of its own'
  return [`${(bytes / 1e6).toFixed(1)} MB; ${BYTES / 1e6} MB is the limit: ${remedy}`]
}

function binariesOf(root: string): string[] {
  const binaries = findBinaries({}, root)
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  if (!binaries.manifest) return ['vision_native.json is missing; run `npm run prebuilds`']
  const problems = damagedFiles(binaries).map((name) => `${name} differs from its checksum; run \`npm run prebuilds\``)
  if (binaries.manifest.version !== version)
    problems.push(`built for version ${binaries.manifest.version}, not ${version}`)
  if (options.release && !binaries.cuda)
    problems.push('the CUDA library is missing; run `npm run build:cuda -- --release`')
  return problems
}

/** A build on a newer system than the oldest promised one is a defect of a release, and usual elsewhere. */
function reportFloor(binaries: string): void {
  const needs = symbolVersions(binaries)
  const text = `glibc ${needs.glibc}, GLIBCXX_${needs.glibcxx}`
  const above = olderThan(FLOOR.glibc, needs.glibc) || olderThan(FLOOR.glibcxx, needs.glibcxx)
  if (!above) report('symbols', [], text)
  else if (options.release) {
    report('symbols', [`${text} needed; a release may ask for ${FLOOR.glibc} and ${FLOOR.glibcxx} at most`], text)
  } else console.log(`note   symbols: ${text}; a release is held to ${FLOOR.glibc} and ${FLOOR.glibcxx} (--release)`)
}

async function publintOf(pkgDir: string): Promise<string[]> {
  const { messages, pkg } = await publint({ pkgDir, pack: false })
  const problems: string[] = []
  for (const message of messages) {
    const text = formatMessage(message, pkg) ?? message.code
    if (message.type === 'suggestion') console.log(`note   package.json: ${text}`)
    else problems.push(text)
  }
  return problems
}

async function typesOf({ path }: Tarball): Promise<string[]> {
  const pkg = createPackageFromTarballData(readFileSync(path))
  const systems = systemPlaces().map(({ family, name }) => `./models/${family}/${name}`)
  const result = await checkPackage(pkg, { includeEntrypoints: systems, excludeEntrypoints: ['./models/*'] })
  if (!result.types) return ['the package has no types']
  return result.problems.filter((problem) => !isOfNode10(problem)).map(describe)
}

/** TypeScript's `moduleResolution: node10` knows no "exports"; whoever uses it has the root alone. */
function isOfNode10(problem: Problem): boolean {
  return 'resolutionKind' in problem && problem.resolutionKind === 'node10'
}

function describe({ kind, ...facts }: Problem): string {
  return `${kind}: ${JSON.stringify(facts)}`
}
