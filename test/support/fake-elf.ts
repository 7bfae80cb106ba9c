import { writeFileSync } from 'node:fs'

/** What a fake library says of itself. */
export interface FakeElf {
  readonly soname?: string
  readonly needed?: readonly string[]
  readonly runPath?: string
  /** Further bytes, such as a mangled name. */
  readonly contents?: string
}

/**
 * Writes the smallest file that is a shared library to a reader of dynamic sections: a header, two program headers, a
 * dynamic section and its strings. No linker would load it.
 */
export function writeFakeElf(path: string, { soname, needed = [], runPath, contents = '' }: FakeElf): void {
  let strings = '\0'
  const add = (text: string) => {
    const offset = strings.length
    strings += `${text}\0`
    return offset
  }
  const entries: [tag: number, value: number][] = needed.map((name) => [1, add(name)])
  if (soname) entries.push([14, add(soname)])
  if (runPath) entries.push([15, add(runPath)])

  const stringsAt = 64 + 2 * 56
  const dynamicAt = stringsAt + strings.length
  const base = 0x10000
  entries.push([5, base + stringsAt], [10, strings.length], [0, 0])
  const end = dynamicAt + entries.length * 16

  const file = Buffer.alloc(end)
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  file.writeUInt16LE(3, 16)
  file.writeUInt16LE(62, 18)
  file.writeBigUInt64LE(64n, 32)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(2, 56)
  const segment = (at: number, type: number, offset: number, size: number) => {
    file.writeUInt32LE(type, at)
    file.writeBigUInt64LE(BigInt(offset), at + 8)
    file.writeBigUInt64LE(BigInt(base + offset), at + 16)
    file.writeBigUInt64LE(BigInt(size), at + 32)
  }
  segment(64, 1, 0, end)
  segment(64 + 56, 2, dynamicAt, entries.length * 16)
  file.write(strings, stringsAt, 'latin1')
  entries.forEach(([tag, value], i) => {
    file.writeBigUInt64LE(BigInt(tag), dynamicAt + i * 16)
    file.writeBigUInt64LE(BigInt(value), dynamicAt + i * 16 + 8)
  })
  writeFileSync(path, Buffer.concat([file, Buffer.from(contents)]))
}
