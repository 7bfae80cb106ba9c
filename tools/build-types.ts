import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { npmBin, ROOT, run } from './run'

const LIB = join(ROOT, 'lib')
/** What tsc wrote last; it writes only what has changed since. */
const EMITTED = join(ROOT, '.cache/types')

/** Packages whose types CommonJS may import only as those of ES modules. */
const ESM_ONLY = /^node-av(\/|$)/

/**
 * Writes the declarations that the entries (`lib/nn/index.ts`, …) reach to a folder that mirrors lib/: `.d.ts` for ES
 * modules, and `.d.cts`, which differ in the extensions that they import.
 *
 * Types are checked by `npm run check`, not here. Bundled declarations would take three times as long and seven times
 * the memory.
 */
export async function buildTypes(entries: readonly string[], folder: string): Promise<void> {
  await run(npmBin('tsc'), ['-p', 'tsconfig.types.json'])
  for (const name of reachable(entries)) {
    const text = readFileSync(join(EMITTED, `${name}.d.ts`), 'utf8')
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, `${name}.d.ts`), forNode(text, name, '.js'))
    writeFileSync(join(folder, `${name}.d.cts`), forNode(text, name, '.cjs'))
  }
}

/** Modules of lib/, without their extension, that users of the entries may meet. */
function reachable(entries: readonly string[]): Set<string> {
  const found = new Set(entries.map((path) => path.replace(/^lib\/|\.ts$/g, '')))
  // What is added while the loop runs is visited too.
  for (const name of found) {
    for (const { text } of imports(readFileSync(join(EMITTED, `${name}.d.ts`), 'utf8'))) {
      if (text.startsWith('.')) found.add(moduleOf(text, name))
    }
  }
  return found
}

/** Names what imports mean as Node's resolution wants it: with extension and `/index`. */
function forNode(text: string, name: string, extension: '.js' | '.cjs'): string {
  let result = ''
  let copied = 0
  for (const specifier of imports(text)) {
    const quote = specifier.end - 1
    result += text.slice(copied, quote)
    copied = quote
    if (specifier.text.startsWith('.')) {
      const isFile = moduleOf(specifier.text, name) === join(dirname(name), specifier.text)
      result += `${isFile ? '' : '/index'}${extension}`
    } else if (extension === '.cjs' && ESM_ONLY.test(specifier.text)) {
      const mode = "{ 'resolution-mode': 'import' }"
      copied = specifier.end
      result += text.slice(quote, copied) + (specifier.inType ? `, { with: ${mode} }` : ` with ${mode}`)
    }
  }
  return result + text.slice(copied)
}

interface Import {
  readonly text: string
  /** Behind the closing quote. */
  readonly end: number
  /** `import('…')`, as a type; other imports are statements. */
  readonly inType: boolean
}

/** What a declaration file imports, in the order of the text. */
function imports(text: string): Import[] {
  const found: Import[] = []
  const add = (name: ts.Node | undefined, inType: boolean) => {
    if (name && ts.isStringLiteral(name)) found.push({ text: name.text, end: name.end, inType })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier, false)
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('module.d.ts', text, ts.ScriptTarget.Latest))
  return found
}

/** The module that `specifier` means in the module `from`, both below lib/ and without extension. */
function moduleOf(specifier: string, from: string): string {
  const name = join(dirname(from), specifier)
  return existsSync(join(LIB, `${name}.ts`)) ? name : join(name, 'index')
}
