// Pictures in a folder for each class, as torchvision's ImageFolder.
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Dataset } from '../data'
import { type ReadImageOptions, readImage } from '../io'
import { ArgumentError } from '../native/errors'
import { systemReason } from '../native/system-reason'
import type { Tensor } from '../tensor'

export interface ImageFolderSample {
  /** `[3, H, W]`, or what `transform` made of it. */
  readonly image: Tensor
  /** Number of the class. */
  readonly label: number
}

export interface ImageFolderOptions {
  /** Endings of the files that count, in small letters. */
  readonly extensions?: readonly string[]
  readonly transform?: (image: Tensor) => Tensor
  readonly read?: ReadImageOptions
}

const EXTENSIONS = ['.jpg', '.jpeg', '.png', '.webp', '.avif', '.tif', '.tiff', '.gif']

/** Pictures by class; made by `readImageFolder`. */
export class ImageFolder implements Dataset<ImageFolderSample> {
  readonly length: number

  constructor(
    readonly root: string,
    /** Names of the folders in alphabetical order: the number of a class is its place. */
    readonly classes: readonly string[],
    readonly files: readonly { readonly path: string; readonly label: number }[],
    private readonly options: ImageFolderOptions,
  ) {
    this.length = files.length
  }

  /** @throws ArgumentError for a number that there is not; as `readImage` for a file that is no picture */
  async get(index: number): Promise<ImageFolderSample> {
    const file = this.files[index]
    if (file === undefined)
      throw new ArgumentError(`ImageFolder: there is no sample ${index}; there are ${this.length}`)
    const image = await readImage(file.path, this.options.read)
    const transformed = this.options.transform?.(image) ?? image
    if (transformed !== image) image.dispose()
    return { image: transformed, label: file.label }
  }
}

/**
 * Pictures of a folder that has a folder for each class, at any depth: `root/cat/1.jpg`, `root/dog/young/2.png`.
 *
 * @throws ArgumentError when the folder cannot be read, has no folders, or a class has no pictures
 */
export async function readImageFolder(root: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const extensions = options.extensions ?? EXTENSIONS
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: unknown) => {
    throw new ArgumentError(`readImageFolder: cannot list ${root}: ${systemReason(cause)}`, { cause })
  })
  const classes = entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .sort(byCodePoint)
  if (classes.length === 0) throw new ArgumentError(`readImageFolder: ${root} has no folders; make one for each class`)
  const files: { path: string; label: number }[] = []
  for (const [label, name] of classes.entries()) {
    const found = await readdir(join(root, name), { recursive: true, withFileTypes: true })
    const pictures = found
      .filter((entry) => entry.isFile() && extensions.some((ending) => entry.name.toLowerCase().endsWith(ending)))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort(byCodePoint)
    if (pictures.length === 0) {
      throw new ArgumentError(`readImageFolder: ${join(root, name)} has no pictures (${extensions.join(', ')})`)
    }
    files.push(...pictures.map((path) => ({ path: join(root, path), label })))
  }
  return new ImageFolder(root, classes, files, options)
}

/** The order of Python's `sorted`. */
function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
