import { readdirSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { SystemCase } from './system-case'

const FOLDER = fileURLToPath(new URL('../systems/', import.meta.url))

/** The systems that `npm run bench -- systems` measures: a file each in bench/systems, with its peer beside it. */
export function systemCases(): Promise<SystemCase[]> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.ts'))
  return Promise.all(
    files.sort().map(async (file) => {
      const { systemCase }: { systemCase: SystemCase } = await import(pathToFileURL(FOLDER + file).href)
      return systemCase
    }),
  )
}
