// Annotations of Pascal VOC: one XML file a picture (Everingham et al. 2010).

import type { VocBox } from '../metrics'
import { writeFileAtomic } from '../native/atomic-file'
import { Place, readText } from './text-file'
import { escapeXml, parseXml, type XmlElement } from './xml'

/** An object in a picture; pixels are counted from 1, and the last one belongs to the box. */
export interface VocAnnotatedObject {
  readonly name: string
  readonly box: VocBox
  readonly pose?: string
  readonly truncated?: boolean
  readonly difficult?: boolean
  readonly occluded?: boolean
  /** Parts of the object, such as a person's head. */
  readonly parts?: readonly { readonly name: string; readonly box: VocBox }[]
}

export interface VocAnnotation {
  readonly filename: string
  readonly folder?: string
  readonly size: { readonly width: number; readonly height: number; readonly depth: number }
  /** Whether there is a segmentation of the picture too. */
  readonly segmented?: boolean
  readonly objects: readonly VocAnnotatedObject[]
}

/**
 * Reads the annotation of a picture.
 *
 * @throws ArgumentError when the file cannot be read
 * @throws FormatError naming the file, the line and the element that is missing or wrong
 */
export async function readVoc(path: string): Promise<VocAnnotation> {
  return parseVoc(await readText(path, 'readVoc'), path)
}

/** As `readVoc`, of a text. @param name what errors call it */
export function parseVoc(xml: string, name = 'the text'): VocAnnotation {
  const place = new Place('readVoc', name)
  const root = parseXml(xml, place)
  if (root.name !== 'annotation') throw place.line(root.line).error(`<${root.name}> is no <annotation>`)
  const size = child(root, 'size', place)
  const folder = optional(root, 'folder')?.text
  return {
    filename: child(root, 'filename', place).text,
    ...(folder !== undefined && { folder }),
    size: {
      width: numberIn(size, 'width', place),
      height: numberIn(size, 'height', place),
      depth: optional(size, 'depth') === undefined ? 3 : numberIn(size, 'depth', place),
    },
    ...flag(root, 'segmented', place),
    objects: root.children.filter(({ name: tag }) => tag === 'object').map((element) => objectOf(element, place)),
  }
}

function objectOf(element: XmlElement, place: Place): VocAnnotatedObject {
  const pose = optional(element, 'pose')?.text
  const parts = element.children
    .filter(({ name }) => name === 'part')
    .map((part) => ({ name: child(part, 'name', place).text, box: boxOf(part, place) }))
  return {
    name: child(element, 'name', place).text,
    box: boxOf(element, place),
    ...(pose !== undefined && { pose }),
    ...flag(element, 'truncated', place),
    ...flag(element, 'difficult', place),
    ...flag(element, 'occluded', place),
    ...(parts.length > 0 && { parts }),
  }
}

function boxOf(element: XmlElement, place: Place): VocBox {
  const box = child(element, 'bndbox', place)
  const [xmin, ymin, xmax, ymax] = [
    ...[numberIn(box, 'xmin', place), numberIn(box, 'ymin', place)],
    ...[numberIn(box, 'xmax', place), numberIn(box, 'ymax', place)],
  ] as [number, number, number, number]
  if (xmax < xmin || ymax < ymin) {
    throw place.line(box.line).error(`<bndbox> ends at ${xmax}, ${ymax}, before it begins at ${xmin}, ${ymin}`)
  }
  return [xmin, ymin, xmax, ymax]
}

function optional(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((each) => each.name === name)
}

function child(element: XmlElement, name: string, place: Place): XmlElement {
  const found = optional(element, name)
  if (found !== undefined) return found
  throw place.line(element.line).error(`<${element.name}> has no <${name}>`)
}

function numberIn(element: XmlElement, name: string, place: Place): number {
  const { line, text } = child(element, name, place)
  const value = text === '' ? Number.NaN : Number(text)
  if (Number.isFinite(value)) return value
  throw place.line(line).error(`<${name}> holds '${text}', which is not a finite number`)
}

function flag<Name extends string>(element: XmlElement, name: Name, place: Place): { readonly [K in Name]?: boolean } {
  const found = optional(element, name)
  if (found === undefined) return {}
  const value = /^(1|true)$/i.test(found.text) ? true : /^(0|false|unspecified)?$/i.test(found.text) ? false : undefined
  if (value === undefined)
    throw place.line(found.line).error(`<${name}> holds '${found.text}', which is neither 0 nor 1`)
  return { [name]: value } as { readonly [K in Name]?: boolean }
}

/** Writes the annotation of a picture, whole or not at all. @throws ArgumentError when the path cannot be written */
export async function writeVoc(path: string, annotation: VocAnnotation): Promise<void> {
  await writeFileAtomic(path, Buffer.from(formatVoc(annotation)), 'writeVoc')
}

/** The text that `writeVoc` writes. */
export function formatVoc({ filename, folder, size, segmented, objects }: VocAnnotation): string {
  const lines = ['<annotation>']
  const element = (depth: number, name: string, value: string | number | boolean | undefined) => {
    if (value === undefined) return
    const text = typeof value === 'boolean' ? String(Number(value)) : escapeXml(String(value))
    lines.push(`${'\t'.repeat(depth)}<${name}>${text}</${name}>`)
  }
  const nested = (depth: number, name: string, inside: () => void) => {
    lines.push(`${'\t'.repeat(depth)}<${name}>`)
    inside()
    lines.push(`${'\t'.repeat(depth)}</${name}>`)
  }
  const boxElement = (depth: number, [xmin, ymin, xmax, ymax]: VocBox) =>
    nested(depth, 'bndbox', () => {
      for (const [name, value] of Object.entries({ xmin, ymin, xmax, ymax })) element(depth + 1, name, value)
    })
  element(1, 'folder', folder)
  element(1, 'filename', filename)
  nested(1, 'size', () => {
    for (const [name, value] of Object.entries(size)) element(2, name, value)
  })
  element(1, 'segmented', segmented)
  for (const object of objects) {
    nested(1, 'object', () => {
      const { name, pose, truncated, difficult, occluded, box, parts = [] } = object
      for (const [key, value] of Object.entries({ name, pose, truncated, difficult, occluded })) element(2, key, value)
      boxElement(2, box)
      for (const part of parts) {
        nested(2, 'part', () => {
          element(3, 'name', part.name)
          boxElement(3, part.box)
        })
      }
    })
  }
  return `${lines.join('\n')}\n</annotation>\n`
}
