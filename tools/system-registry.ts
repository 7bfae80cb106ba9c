import { existsSync, readdirSync } from 'node:fs'

/** lib/registry.generated.ts: the systems of lib/models, a folder each. */

const MODELS = new URL('../lib/models/', import.meta.url)

/** A system's place under lib/models, such as `enhancement/fusion-low-light-enhancement`. */
export interface SystemPlace {
  readonly family: string
  readonly name: string
}

/** The folders `<family>/<system>` of lib/models that have an index, in alphabetical order of their systems. */
export function systemPlaces(): SystemPlace[] {
  const folders = (url: URL) =>
    readdirSync(url, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
  return folders(MODELS)
    .flatMap((family) => folders(new URL(`${family}/`, MODELS)).map((name) => ({ family, name })))
    .filter(({ family, name }) => existsSync(new URL(`${family}/${name}/index.ts`, MODELS)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The text of the registry. */
export function systemRegistry(): string {
  const places = systemPlaces()
  const variable = (name: string) => `_${name.replaceAll('-', '_')}`
  const imports = [...places]
    .sort((a, b) => (`${a.family}/${a.name}` < `${b.family}/${b.name}` ? -1 : 1))
    .map(({ family, name }) => `import { card as ${variable(name)} } from './models/${family}/${name}/card'`)
  const entries = places.map(
    ({ family, name }) =>
      `  '${name}': {\n    card: ${variable(name)},\n    load: () => import('./models/${family}/${name}'),\n  },`,
  )
  return `// Written by \`npm run generate\` from the folders of lib/models.
${imports.join('\n')}
import type { SystemEntry } from './pipeline'
import { systemNamed } from './pipeline/system-named'

/** Every system: what its paper states, and how to load it. */
export const SYSTEMS = {
${entries.join('\n')}
} as const satisfies Readonly<Record<string, SystemEntry>>

export type SystemName = keyof typeof SYSTEMS

/** What \`loadSystem\` gives for a name. */
export type SystemOf<N extends SystemName> = Awaited<ReturnType<(typeof SYSTEMS)[N]['load']>>['system']

/**
 * Loads a system by name.
 *
 * @throws ConfigError when there is none of this name; it says the nearest
 * @example
 * const system = await loadSystem('fusion-low-light-enhancement')
 * using pipeline = await system.load({ weights: 'low-light.safetensors' })
 */
export async function loadSystem<N extends SystemName>(name: N): Promise<SystemOf<N>> {
  const { system } = await SYSTEMS[systemNamed(SYSTEMS, name, 'loadSystem') as SystemName].load()
  return system as SystemOf<N>
}
`
}
