// Videos of actions: folders of classes, and the split lists of UCF101 and HMDB51.
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { videoInfo } from '../io'
import { ArgumentError, FormatError } from '../native/errors'
import { systemReason } from '../native/system-reason'
import { Generator, randperm, tidy } from '../tensor'
import { DataProblems, type SettleOptions } from './problems'
import { linesOf, Place, readText, splitLastWords } from './text-file'

/** Endings of the files that are videos, in small letters. */
export const VIDEO_EXTENSIONS: readonly string[] = ['.mp4', '.mov', '.mkv', '.webm', '.avi']

/** A video of a known action. */
export interface LabelledVideo {
  readonly path: string
  /** Number of the class, from 0. */
  readonly label: number
  /** Frames, counted without decoding. */
  readonly frames: number
}

/** Videos of actions with the names of the classes. */
export interface LabelledVideos {
  readonly classes: readonly string[]
  readonly videos: readonly LabelledVideo[]
}

export interface ActionSplitOptions extends SettleOptions {
  readonly part: 'train' | 'test'
  /** 1 unless stated. */
  readonly split?: 1 | 2 | 3 | undefined
}

/**
 * Videos of a folder that has a folder for each class, at any depth: `root/jump/1.mp4`.
 *
 * @throws ArgumentError when the folder cannot be read, has no folders, or a class has no videos
 * @throws FormatError naming files that cannot be opened, unless they are to be skipped
 */
export async function readVideoFolder(root: string, settle: SettleOptions = {}): Promise<LabelledVideos> {
  const classes = await foldersOf(root)
  if (classes.length === 0) throw new ArgumentError(`readVideoFolder: ${root} has no folders; make one for each class`)
  const found: Candidate[] = []
  for (const [label, name] of classes.entries()) {
    const entries = await readdir(join(root, name), { recursive: true, withFileTypes: true })
    const paths = entries
      .filter((entry) => entry.isFile() && VIDEO_EXTENSIONS.includes(extname(entry.name).toLowerCase()))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
    if (paths.length === 0) {
      throw new ArgumentError(`readVideoFolder: ${join(root, name)} has no videos (${VIDEO_EXTENSIONS.join(', ')})`)
    }
    found.push(...paths.map((path) => ({ path, label })))
  }
  return { classes, videos: await opened(`readVideoFolder: ${root}`, found, new Map(), settle) }
}

/**
 * Chooses videos for tests at random, ⌊share · n + ½⌋ of the n of each class.
 *
 * @param options `share` for tests; `seed` of the choice
 */
export function splitVideos<T extends { readonly label: number }>(
  videos: readonly T[],
  { share, seed }: { readonly share: number; readonly seed: number },
): { readonly train: T[]; readonly test: T[] } {
  const tests = new Set<T>()
  using generator = new Generator(seed)
  for (const label of [...new Set(videos.map((video) => video.label))].sort((a, b) => a - b)) {
    const own = videos.filter((video) => video.label === label)
    const order = tidy(() => randperm(own.length, { generator }).toArray() as unknown[]).map(Number)
    for (const i of order.slice(0, Math.floor(share * own.length + 0.5))) tests.add(own[i] as T)
  }
  return { train: videos.filter((video) => !tests.has(video)), test: videos.filter((video) => tests.has(video)) }
}

/** Whether a folder has the split lists of UCF101. */
export function hasUcf101Lists(root: string): boolean {
  return existsSync(join(ucfLists(root), 'classInd.txt'))
}

const ucfLists = (root: string) => (existsSync(join(root, 'ucfTrainTestlist')) ? join(root, 'ucfTrainTestlist') : root)

/**
 * A part of UCF101 by its lists: `ucfTrainTestlist/{classInd,trainlist01,testlist01}.txt`, videos in `UCF-101/<class>/`
 * or `<class>/`.
 *
 * @throws ArgumentError when a list cannot be read; FormatError naming videos that are missing, broken or whose label is
 *   not that of their folder, unless they are to be skipped
 */
export async function readUcf101(
  root: string,
  { part, split = 1, ...settle }: ActionSplitOptions,
): Promise<LabelledVideos> {
  const caller = 'readUcf101'
  const lists = ucfLists(root)
  const classes = await readClassIndex(join(lists, 'classInd.txt'), caller)
  const path = join(lists, `${part}list0${split}.txt`)
  const place = new Place(caller, path)
  const wrong = new Map<string, string>()
  const found: Candidate[] = []
  for (const [number, line] of linesOf(await readText(path, caller))) {
    const [rest = '', word = ''] = splitLastWords(line, 1) ?? []
    const [name, given] = /^\d+$/.test(word) ? [rest, word] : [line.trim(), undefined]
    if (!/\.\w+$/.test(name))
      throw place.line(number).error(`'${line}' is no row "<class>/<video>" or "<class>/<video> <label>"`)
    const label = classes.indexOf(dirname(name))
    const file = join(existsSync(join(root, 'UCF-101')) ? join(root, 'UCF-101') : root, name)
    found.push({ path: file, label })
    if (label < 0) wrong.set(file, `is of ${dirname(name)}, which is no class of classInd.txt`)
    else if (given !== undefined && Number(given) !== label + 1) {
      wrong.set(file, `has the label ${given} in line ${number}; its folder is class ${label + 1}`)
    }
  }
  return { classes, videos: await opened(`${caller}: ${path}`, found, wrong, settle) }
}

async function readClassIndex(path: string, caller: string): Promise<string[]> {
  const place = new Place(caller, path)
  const names: string[] = []
  for (const [number, line] of linesOf(await readText(path, caller))) {
    const [, index, name] = /^\s*(\d+)\s+(\S+)\s*$/.exec(line) ?? []
    if (name === undefined || Number(index) !== names.length + 1) {
      throw place.line(number).error(`'${line}' is no row "${names.length + 1} <class>"`)
    }
    names.push(name)
  }
  return names
}

const HMDB_LISTS = ['testTrainMulti_7030_splits', 'test_train_splits', 'splits']

/** Whether a folder has the official split lists of HMDB51. */
export function hasHmdb51Lists(root: string): boolean {
  return HMDB_LISTS.some((name) => existsSync(join(root, name)))
}

/**
 * A part of HMDB51 by its official lists: `testTrainMulti_7030_splits/<class>_test_split1.txt` with rows
 * `<video> <0, 1 for training, or 2 for tests>`, videos in `<class>/` beside them.
 *
 * @throws as `readUcf101`
 */
export async function readHmdb51(
  root: string,
  { part, split = 1, ...settle }: ActionSplitOptions,
): Promise<LabelledVideos> {
  const caller = 'readHmdb51'
  const lists = join(root, HMDB_LISTS.find((name) => existsSync(join(root, name))) ?? '')
  const ending = `_test_split${split}.txt`
  const names = (await listed(lists)).filter((name) => name.endsWith(ending)).sort()
  if (names.length === 0) throw new ArgumentError(`${caller}: ${lists} has no lists <class>${ending}`)
  const classes = names.map((name) => basename(name, ending))
  const found: Candidate[] = []
  for (const [label, name] of names.entries()) {
    const place = new Place(caller, join(lists, name))
    for (const [number, line] of linesOf(await readText(join(lists, name), caller))) {
      const [video, use = ''] = splitLastWords(line, 1) ?? []
      if (video === undefined || !/^[012]$/.test(use))
        throw place.line(number).error(`'${line}' is no row "<video> <0, 1 or 2>"`)
      if (use === (part === 'train' ? '1' : '2')) found.push({ path: join(root, classes[label] ?? '', video), label })
    }
  }
  return { classes, videos: await opened(`${caller}: ${lists}`, found, new Map(), settle) }
}

interface Candidate {
  readonly path: string
  readonly label: number
}

/** Opens each file and counts its frames. @param wrong files that cannot be used, and why */
async function opened(
  what: string,
  found: readonly Candidate[],
  wrong: ReadonlyMap<string, string>,
  settle: SettleOptions,
): Promise<LabelledVideo[]> {
  const problems = new DataProblems(what)
  const videos: LabelledVideo[] = []
  for (const { path, label } of found) {
    const reason = wrong.get(path) ?? (existsSync(path) ? undefined : 'is missing')
    if (reason !== undefined) {
      problems.add(path, reason)
      continue
    }
    const info = await problems.try(path, async () => {
      const { frameCount } = await videoInfo(path, { count: true })
      if (frameCount === 0) throw new FormatError('has no frames')
      return frameCount
    })
    if (info !== undefined) videos.push({ path, label, frames: info })
  }
  problems.settle(found.length, settle)
  return videos
}

/** Names of the folders of a folder, in the order of Python's `sorted`. */
async function foldersOf(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw new ArgumentError(`readVideoFolder: cannot list ${root}: ${systemReason(cause)}`, { cause })
  })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort((a, b) => (a < b ? -1 : Number(a > b)))
}

async function listed(folder: string): Promise<string[]> {
  return readdir(folder).catch((cause: unknown) => {
    throw new ArgumentError(`readHmdb51: cannot list ${folder}: ${systemReason(cause)}`, { cause })
  })
}
