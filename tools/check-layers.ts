import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/**
 * Who may import whom: a folder imports only itself and the lines above its own. What two folders of a line both need
 * moves to a line above.
 */
export const LAYERS: readonly (readonly string[])[] = [
  ['lib/native'],
  ['lib/tensor'],
  ['lib/ops', 'lib/distributed'],
  ['lib/nn', 'lib/optim'],
  ['lib/io', 'lib/data', 'lib/metrics', 'lib/plot'],
  ['lib/vision', 'lib/audio', 'lib/text', 'lib/geometry'],
  ['lib/backbones', 'lib/weights', 'lib/datasets'],
  ['lib/train', 'lib/pipeline'],
  ['lib/models'],
  ['lib/registry.generated.ts'],
  ['lib/index.ts'],
  ['lib/cli'],
]

/** Described by hand beside the package's manifest; imported as types. */
const BINDINGS = 'bindings'

/** Ways to open a binary; lib/native alone may. */
const OPENS_BINARIES = /process\.dlopen|node-gyp-build|require\([^)]*\.node['"`]/
const NODE_HEADER = /^\s*#\s*include\s*[<"](?:node_api|js_native_api|napi|node\/|node\.h|v8|uv)[^>"]*[>"]/m

/** What breaks the rules, one sentence each. `files` maps paths relative to the package to texts. */
export function layerViolations(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([path, text]) => {
    if (path.startsWith('native/')) return nativeViolations(path, text)
    return [...importViolations(path, text), ...binaryViolations(path, text)]
  })
}

function nativeViolations(path: string, text: string): string[] {
  if (path.startsWith('native/node/')) return []
  const header = NODE_HEADER.exec(text)
  return header
    ? [`${path} includes a header of Node or of the bridge (${header[0].trim()}); kernels know LibTorch only`]
    : []
}

function binaryViolations(path: string, text: string): string[] {
  if (path.startsWith('lib/native/') || !OPENS_BINARIES.test(text)) return []
  return [`${path} opens a binary; only lib/native does`]
}

function importViolations(path: string, text: string): string[] {
  const own = layerOf(path)
  if (!own) return [`${path} is in no layer; add its folder to LAYERS in tools/check-layers.ts`]
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map((imported) => imported.fileName)
    .filter((name) => name.startsWith('.'))
    .flatMap((name) => {
      const target = posix.join(posix.dirname(path), name)
      if (target.replace(/\.js$/, '') === BINDINGS) return []
      const other = layerOf(target)
      if (!other) return [`${path} imports ${target}, which is outside lib`]
      if (other.folder === own.folder) return systemViolation(path, target)
      if (other.level < own.level) return []
      return [`${path} imports ${target}: ${own.folder} may not depend on ${other.folder}`]
    })
}

/** Systems are `lib/models/<family>/<system>/`; they know nothing of one another. */
function systemViolation(path: string, target: string): string[] {
  const system = (p: string) => /^lib\/models\/[^/]+\/[^/]+\//.exec(`${p}/`)?.[0]
  const [from, to] = [system(path), system(target)]
  if (!from || !to || from === to) return []
  return [`${path} imports ${target}: a system never imports another; what two need moves down a layer`]
}

function layerOf(path: string): { folder: string; level: number } | undefined {
  for (const [level, folders] of LAYERS.entries()) {
    const folder = folders.find(
      (f) => path === f || path.startsWith(`${f}/`) || `${path}.ts` === f || path.replace(/\.js$/, '.ts') === f,
    )
    if (folder) return { folder, level }
  }
  return undefined
}

/** The sources that the rules are about. */
export function sources(root: string): Map<string, string> {
  const wanted = (path: string) => (path.startsWith('native/') ? /\.(?:h|cc|cu|cuh)$/ : /\.ts$/).test(path)
  const paths = ['lib', 'native'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  )
  return new Map(paths.filter(wanted).map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

function main(): void {
  const violations = layerViolations(sources(resolve(dirname(fileURLToPath(import.meta.url)), '..')))
  for (const violation of violations) console.error(violation)
  process.exitCode = violations.length > 0 ? 1 : 0
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) main()
