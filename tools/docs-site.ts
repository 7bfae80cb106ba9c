// `npm run docs`: the guides of docs/ and the reference of every subpath, as pages in site/ that need no server and no
// network. Fails on links that lead nowhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { Application, type ProjectReflection } from 'typedoc'
import { library } from '../tsup.config'
import { ROOT } from './run'

const SITE = join(ROOT, 'site')
const PACKAGE = '@lab/vision-native'

await build()
const broken = brokenLinks()
for (const link of broken) console.error(link)
console.log(`docs: ${pages().length} pages in ${relative(ROOT, SITE)}, ${broken.length} broken links`)
if (broken.length > 0) process.exitCode = 1

async function build(): Promise<void> {
  const app = await Application.bootstrap({
    name: PACKAGE,
    entryPoints: Object.values(library),
    projectDocuments: [
      'docs/*.md',
      'docs/systems/*.md',
      'examples/*/README.md',
      '{CONTRIBUTING,SECURITY,CHANGELOG}.md',
    ],
    readme: 'README.md',
    tsconfig: 'tsconfig.types.json',
    // What `npm run check` does.
    skipErrorChecking: true,
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    includeHierarchySummary: false,
    disableSources: true,
    router: 'structure',
    // Names of files such as README.md are no addresses.
    markdownItOptions: { html: true, linkify: false },
    navigation: { includeGroups: false, includeFolders: true },
    highlightLanguages: ['typescript', 'javascript', 'json', 'bash', 'shellscript', 'docker', 'yaml', 'python', 'cpp'],
    validation: { invalidLink: true, notExported: false, notDocumented: false },
    logLevel: 'Warn',
  })
  const project = await app.convert()
  if (!project) throw new Error('docs: typedoc could not read lib/; its messages are above')
  nameModules(project)
  nameGuides(project)
  app.validate(project)
  await app.generateDocs(project, SITE)
}

/** Modules are called as they are imported. */
function nameModules(project: ProjectReflection): void {
  const names = new Map(
    Object.entries(library).map(([output, source]) => [source.replace(/^lib\/|\.ts$/g, ''), output]),
  )
  for (const module of project.children ?? []) {
    const output = names.get(module.name) ?? names.get(`${module.name}/index`) ?? module.name
    const subpath = output.replace(/\/?index$/, '')
    module.name = subpath ? `${PACKAGE}/${subpath}` : PACKAGE
  }
}

/** Guides are called as their first line does: many a file is a README.md. */
function nameGuides(project: ProjectReflection): void {
  for (const guide of project.documents ?? []) {
    const text = guide.content.map((part) => part.text).join('')
    guide.name = /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? guide.name
  }
}

function pages(): string[] {
  return readdirSync(SITE, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))
}

/** Links within the site to files, or places in files, that are not there. */
function brokenLinks(): string[] {
  const ids = new Map<string, Set<string>>()
  const idsOf = (path: string): Set<string> => {
    let found = ids.get(path)
    if (!found) {
      found = new Set([...readFileSync(path, 'utf8').matchAll(/\b(?:id|name)="([^"]+)"/g)].map(([, id = '']) => id))
      ids.set(path, found)
    }
    return found
  }
  return pages().flatMap((page) => {
    const html = readFileSync(join(SITE, page), 'utf8')
    const links = new Set([...html.matchAll(/\b(?:href|src)="([^"]*)"/g)].map(([, link = '']) => link))
    return [...links].flatMap((link) => {
      if (/^[a-z]+:/.test(link)) return []
      const [path = '', place = ''] = link.split('#').map(decodeURIComponent)
      const target = path ? resolve(SITE, dirname(page), path) : join(SITE, page)
      if (!existsSync(target)) return [`${page}: ${link} leads nowhere`]
      if (place && target.endsWith('.html') && !idsOf(target).has(place)) return [`${page}: ${link} names no place`]
      return []
    })
  })
}
