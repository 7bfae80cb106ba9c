// Names of the classes beside YOLO's labels: `names` of data.yaml, or lines of classes.txt.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ArgumentError } from '../native/errors'
import { linesOf, Place, readText } from './text-file'

const FILES = ['data.yaml', 'data.yml', 'dataset.yaml', 'classes.txt', 'obj.names'] as const

/**
 * Names of the classes of a folder in YOLO's layout.
 *
 * @throws ArgumentError when the folder has no file of names; FormatError when its names cannot be read
 */
export async function readYoloNames(root: string): Promise<string[]> {
  const path = FILES.map((name) => join(root, name)).find((each) => existsSync(each))
  if (path === undefined) {
    throw new ArgumentError(
      `readYoloNames: ${root} does not say what its classes are called; add a data.yaml with names: [first, second], or a classes.txt with a name a line`,
    )
  }
  const text = await readText(path, 'readYoloNames')
  const names = /\.ya?ml$/.test(path)
    ? namesOfYaml(text, new Place('readYoloNames', path))
    : [...linesOf(text)].map(([, line]) => line.trim())
  if (names.length > 0) return names
  throw new Place('readYoloNames', path).error('there are no names')
}

/** The three ways in which such files write `names`: `[a, b]`, `- a` lines, and `0: a` lines. */
export function namesOfYaml(text: string, place: Place): string[] {
  const start = /^names\s*:[ \t]*/m.exec(text)
  if (start === null) throw place.error('there is no `names`')
  const rest = text.slice(start.index + start[0].length)
  if (rest.startsWith('[')) {
    const end = rest.indexOf(']')
    if (end < 0) throw place.error('the list of `names` has no end')
    return rest
      .slice(1, end)
      .split(',')
      .map(unquoted)
      .filter((name) => name !== '')
  }
  const names: string[] = []
  for (const [, line] of linesOf(rest)) {
    const entry = /^\s*-\s+(.*)$|^\s+(\d+)\s*:\s*(.*)$/.exec(line)
    if (line.trim().startsWith('#')) continue
    if (entry === null) break
    const [, item, number, value] = entry
    if (number !== undefined && Number(number) !== names.length) {
      throw place.error(
        `names: ${number} comes where ${names.length} should be; number the classes from 0 without gaps`,
      )
    }
    names.push(unquoted(item ?? value ?? ''))
  }
  return names
}

function unquoted(text: string): string {
  const bare = text.trim()
  const quoted = /^(['"])(.*)\1/.exec(bare)
  if (quoted?.[2] !== undefined) return quoted[2]
  const comment = bare.search(/\s#/)
  return comment < 0 ? bare : bare.slice(0, comment).trimEnd()
}
