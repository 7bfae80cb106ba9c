// Images of irises by subject, eye, domain and instance: as a list, or as a tree of folders.
import { existsSync } from 'node:fs'
import { dirname, extname, isAbsolute, join, relative, sep } from 'node:path'
import { writeFileAtomic } from '../native/atomic-file'
import { FormatError } from '../native/errors'
import { listImages, usableImages } from './image-list'
import { DataProblems, type SettleOptions } from './problems'
import { linesOf, readText } from './text-file'

/** An image of an eye. */
export interface IrisImage {
  readonly path: string
  readonly subject: string
  readonly eye: 'L' | 'R'
  /** Kind of light or sensor, such as `VIS`. */
  readonly domain: string
  /** Number of the image among those of its eye and domain. */
  readonly instance: number
}

/** Name of the list in the folder of a data set. */
export const IRIS_LIST = 'iris.csv'
const COLUMNS = ['path', 'subject', 'eye', 'domain', 'instance'] as const

/**
 * The images of a data set: of the list `iris.csv` with the columns path, subject, eye (L or R), domain and instance,
 * or of a tree `subject/eye/domain/instance.png`. Paths of a list may be relative to it.
 *
 * @param root a folder, or a list
 * @returns in the order of the list, or of the names
 * @throws ArgumentError when there is neither list nor picture; FormatError naming rows and files that are wrong,
 *   missing, no pictures or there twice, unless they are to be skipped
 */
export async function readIrisImages(root: string, settle: SettleOptions = {}): Promise<IrisImage[]> {
  const list = extname(root).toLowerCase() === '.csv' ? root : join(root, IRIS_LIST)
  const problems = new DataProblems(`readIrisImages: ${root}`)
  const { total, images } = existsSync(list) ? await listed(list, problems) : await ofTree(root, problems)
  const seen = new Map<string, string>()
  const unique = images.filter((image) => {
    const key = [image.subject, image.eye, image.domain, image.instance].join(' ')
    const first = seen.get(key)
    if (first === undefined) seen.set(key, image.path)
    else
      problems.add(
        image.path,
        `is image ${image.instance} of ${image.subject} ${image.eye} in ${image.domain}, as ${first} is`,
      )
    return first === undefined
  })
  const opened = new Set(
    await usableImages(
      unique.map(({ path }) => path),
      { what: `readIrisImages: ${root}`, problems },
    ),
  )
  problems.settle(total, settle)
  return unique.filter(({ path }) => opened.has(path))
}

interface Found {
  /** How many were looked at. */
  readonly total: number
  readonly images: readonly IrisImage[]
}

async function listed(path: string, problems: DataProblems): Promise<Found> {
  const [header, ...rows] = [...linesOf(await readText(path, 'readIrisImages'))]
  const names = header?.[1].split(',').map((name) => name.trim()) ?? []
  const missing = COLUMNS.filter((name) => !names.includes(name))
  if (missing.length > 0) {
    throw new FormatError(
      `readIrisImages: ${path} lacks the column ${missing.join(', ')}; its first line is ${COLUMNS.join()}`,
    )
  }
  const images: IrisImage[] = []
  for (const [line, text] of rows) {
    const cells = text.split(',').map((cell) => cell.trim())
    const cell = (name: (typeof COLUMNS)[number]) => cells[names.indexOf(name)] ?? ''
    const file = cell('path')
    const image = await problems.try(`${path}:${line}`, async () =>
      imageOf(
        isAbsolute(file) ? file : join(dirname(path), file),
        cell('subject'),
        cell('eye'),
        cell('domain'),
        cell('instance'),
      ),
    )
    if (image === undefined) continue
    if (existsSync(image.path)) images.push(image)
    else problems.add(`${path}:${line}`, `there is no file ${image.path}`)
  }
  return { total: rows.length, images }
}

async function ofTree(root: string, problems: DataProblems): Promise<Found> {
  const paths = await listImages(root)
  const images: IrisImage[] = []
  for (const path of paths) {
    const image = await problems.try(path, async () => {
      const parts = relative(root, path).split(sep)
      const [subject = '', eye = '', domain = '', file = ''] = parts
      if (parts.length !== 4) throw new FormatError('is not at subject/eye/domain/instance')
      return imageOf(path, subject, eye, domain, file.slice(0, -extname(file).length))
    })
    if (image !== undefined) images.push(image)
  }
  return { total: paths.length, images }
}

function imageOf(path: string, subject: string, eye: string, domain: string, instance: string): IrisImage {
  const side = { l: 'L', left: 'L', r: 'R', right: 'R' }[eye.toLowerCase()]
  if (side !== 'L' && side !== 'R') throw new FormatError(`the eye is '${eye}'; it is L or R`)
  if (subject === '' || domain === '') throw new FormatError('subject and domain must be stated')
  const number = /\d+/.exec(instance)?.[0]
  if (number === undefined) throw new FormatError(`the instance is '${instance}'; it is a number`)
  return { path, subject, eye: side, domain, instance: Number(number) }
}

/** Writes a list that `readIrisImages` reads, paths relative to it. */
export async function writeIrisList(path: string, images: readonly IrisImage[]): Promise<void> {
  const rows = images.map(({ path: file, subject, eye, domain, instance }) =>
    [relative(dirname(path), file), subject, eye, domain, instance].join(),
  )
  await writeFileAtomic(path, Buffer.from(`${[COLUMNS.join(), ...rows].join('\n')}\n`), 'writeIrisList')
}
