import { closeSync, openSync, readSync } from 'node:fs'

/** What the dynamic linker would read of a shared library, for looking at one without loading it. */
export interface ElfInfo {
  readonly soname: string | undefined
  /** SONAMEs of the libraries it needs, in order. */
  readonly needed: readonly string[]
  /** Folders of DT_RPATH and DT_RUNPATH, `$ORIGIN` not yet replaced. */
  readonly searchPath: readonly string[]
}

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly size: number
}

// Names and values of the ELF specification (64-bit, little-endian: the only kind that linux-x64 has).
const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT_NULL = 0
const DT_NEEDED = 1
const DT_STRTAB = 5
const DT_STRSZ = 10
const DT_SONAME = 14
const DT_RPATH = 15
const DT_RUNPATH = 29
const MACHINE_X86_64 = 62

/**
 * Reads the dynamic section of an ELF library: a few kilobytes, however large the file.
 *
 * @throws Error when the file cannot be read or is not a 64-bit x86 ELF library
 */
export function readElf(path: string): ElfInfo {
  const file = openSync(path, 'r')
  try {
    return parse((offset, size) => readExactly(file, offset, size))
  } finally {
    closeSync(file)
  }
}

function readExactly(file: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  const got = readSync(file, bytes, 0, size, offset)
  if (got !== size) throw new Error(`not a complete ELF library: ends within the ${size} bytes at ${offset}`)
  return bytes
}

function parse(read: (offset: number, size: number) => Buffer): ElfInfo {
  const header = read(0, 64)
  if (header.readUInt32BE(0) !== 0x7f454c46) throw new Error('not an ELF library')
  if (header[4] !== 2 || header[5] !== 1 || header.readUInt16LE(18) !== MACHINE_X86_64) {
    throw new Error('an ELF library for another machine than x86-64')
  }
  const segments = readSegments(header, read)
  const dynamic = segments.find((segment) => segment.type === PT_DYNAMIC)
  if (!dynamic) throw new Error('an ELF file without a dynamic section')

  const entries = readEntries(read(dynamic.offset, dynamic.size))
  const first = (tag: number) => entries.find(([t]) => t === tag)?.[1]
  const strings = read(fileOffset(segments, first(DT_STRTAB) ?? 0), first(DT_STRSZ) ?? 0)
  const text = (offset: number) => strings.toString('utf8', offset, strings.indexOf(0, offset))
  const all = (...tags: number[]) => entries.filter(([tag]) => tags.includes(tag)).map(([, value]) => text(value))

  return {
    soname: all(DT_SONAME)[0],
    needed: all(DT_NEEDED),
    searchPath: all(DT_RPATH, DT_RUNPATH)
      .flatMap((paths) => paths.split(':'))
      .filter(Boolean),
  }
}

function readSegments(header: Buffer, read: (offset: number, size: number) => Buffer): Segment[] {
  const entrySize = header.readUInt16LE(54)
  const count = header.readUInt16LE(56)
  const table = read(Number(header.readBigUInt64LE(32)), entrySize * count)
  return Array.from({ length: count }, (_, i) => ({
    type: table.readUInt32LE(i * entrySize),
    offset: Number(table.readBigUInt64LE(i * entrySize + 8)),
    address: Number(table.readBigUInt64LE(i * entrySize + 16)),
    size: Number(table.readBigUInt64LE(i * entrySize + 32)),
  }))
}

function readEntries(section: Buffer): [tag: number, value: number][] {
  const entries: [number, number][] = []
  for (let at = 0; at + 16 <= section.length; at += 16) {
    const tag = Number(section.readBigInt64LE(at))
    if (tag === DT_NULL) break
    entries.push([tag, Number(section.readBigUInt64LE(at + 8))])
  }
  return entries
}

function fileOffset(segments: readonly Segment[], address: number): number {
  const segment = segments.find((s) => s.type === PT_LOAD && address >= s.address && address < s.address + s.size)
  if (!segment) throw new Error('an ELF library whose string table lies outside its segments')
  return address - segment.address + segment.offset
}
