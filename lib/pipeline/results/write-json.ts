import { extname } from 'node:path'
import { writeFileAtomic } from '../../native/atomic-file'
import { ArgumentError } from '../../native/errors'
import type { Json } from './result'

/** Whether a path says JSON. */
export function isJsonPath(path: string): boolean {
  return extname(path).toLowerCase() === '.json'
}

/** Writes JSON for people and programs, whole or not at all. */
export async function writeJson(path: string, value: Json): Promise<void> {
  await writeFileAtomic(path, Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`), 'toFile')
}

/** The error for a path whose extension a result does not know. */
export function unknownExtension(path: string, known: string): ArgumentError {
  return new ArgumentError(`toFile: '${extname(path)}' of ${path} is not written for this result; use ${known}`)
}
