import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const BASES = ['n', 's', 'm', 'l', 'x'] as const

/** Sizes of the network, the smallest first. */
export type Base = (typeof BASES)[number]

export function isBase(text: string): text is Base {
  return BASES.some((base) => base === text)
}

/** A picture that was not trained on, where there are some. */
export function heldOutPicture(data: string): string | undefined {
  const folder = [join(data, 'images', 'val'), join(data, 'valid', 'images')].find((each) => existsSync(each))
  const name = folder && readdirSync(folder).find((each) => /\.(png|jpe?g|webp)$/i.test(each))
  return folder && name && join(folder, name)
}
