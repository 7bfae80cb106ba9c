// Type-checks the TypeScript and JavaScript of README and docs against the sources. Names that a passage takes as given
// (`model`, `dataset`) may be missing; what is imported from the package, and how it is called, must be right.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { ROOT } from './run'

const FOLDERS = ['docs', 'examples']
/** Folder that passages seem to be in, so that the package's dependencies are found. */
const FOLDER = join(ROOT, '.cache/passages')
/** No such name; no such name in a literal. */
const NO_SUCH_NAME = new Set([2304, 2552, 2503, 18004])

interface Passage {
  readonly page: string
  /** Of the page, on which the first line of the passage stands. */
  readonly line: number
  readonly text: string
}

function passagesOf(page: string): Passage[] {
  const text = readFileSync(join(ROOT, page), 'utf8')
  return [...text.matchAll(/^```(?:ts|js)\n(.*?)^```$/gms)].map(({ index, 1: code = '' }) => ({
    page,
    line: text.slice(0, index).split('\n').length + 1,
    text: code,
  }))
}

/** What `package.json` lets applications import, and where it stands in lib. */
function entries(): Record<string, string[]> {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly name: string
    readonly exports: Readonly<Record<string, unknown>>
  }
  const sources = Object.keys(exports).filter((path) => !path.endsWith('.json'))
  return Object.fromEntries(
    sources.map((path) => {
      const stem = join(ROOT, 'lib', path === '.' ? 'index' : path)
      const file = [`${stem}.ts`, join(stem, 'index.ts')].find((each) => existsSync(each) || each.includes('*'))
      return [join(name, path), [path.includes('*') ? stem : (file ?? stem)]]
    }),
  )
}

const pages = [
  ...readdirSync(ROOT),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  ),
]
const passages = pages
  .filter((file) => file.endsWith('.md'))
  .sort()
  .flatMap(passagesOf)
const files = new Map(passages.map((passage, i) => [join(FOLDER, `${i}.ts`), passage]))
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  strict: true,
  noImplicitAny: false,
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  paths: entries(),
}
const host = ts.createCompilerHost(options)
const { fileExists, readFile } = host
host.fileExists = (path) => files.has(path) || fileExists(path)
host.readFile = (path) => {
  const passage = files.get(path)
  return passage ? `${passage.text}\nexport {}\n` : readFile(path)
}
const program = ts.createProgram([...files.keys()], options, host)

/** What the package exports, by the path that exports it. */
const exported = new Map<string, string>()
const checker = program.getTypeChecker()
for (const [path, [source = '']] of Object.entries(options.paths ?? {})) {
  const file = program.getSourceFile(source)
  const symbol = file && checker.getSymbolAtLocation(file)
  for (const { name } of symbol ? checker.getExportsOfModule(symbol) : []) exported.set(name, path)
}

/** Tensors of passages that have the name of a function. */
const GIVEN = new Set(['image', 'real'])

/** Why a name that is missing is not one that a passage takes as given. */
function forgotten(name: string, page: string): string | undefined {
  const from = exported.get(name)
  const imported = passages.some(
    (other) => other.page === page && new RegExp(`\\b${name}\\b[^}]*\\} from '`).test(other.text),
  )
  return from === undefined || imported || GIVEN.has(name)
    ? undefined
    : `no passage of the page imports '${name}' of ${from}`
}

let wrong = 0
for (const [path, { page, line }] of files) {
  const file = program.getSourceFile(path)
  for (const { code, start = 0, length = 0, messageText } of ts.getPreEmitDiagnostics(program, file)) {
    const text = NO_SUCH_NAME.has(code)
      ? forgotten(file?.text.slice(start, start + length) ?? '', page)
      : ts.flattenDiagnosticMessageText(messageText, '\n  ')
    if (text === undefined) continue
    wrong += 1
    console.error(`${page}:${line + (file?.getLineAndCharacterOfPosition(start).line ?? 0)}: ${text}`)
  }
}
if (wrong > 0) process.exitCode = 1
else console.log(`${passages.length} passages of ${new Set(passages.map(({ page }) => page)).size} pages`)
