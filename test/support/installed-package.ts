import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type BinaryManifest, MANIFEST } from '../../lib/native/binaries'
import { temporaryFolder } from './fake-libtorch'

export const PROJECT = resolve(import.meta.dirname, '../..')

/** Where `npm run build` leaves the binaries. */
export const RELEASE = join(PROJECT, 'build/Release')

/** A copy of this package as npm would install it: with prebuilt binaries, without a build folder. */
export interface InstalledPackage {
  readonly root: string
  readonly prebuilds: string
  /** Changes fields of the manifest beside the prebuilt binaries. */
  editManifest(changes: Partial<BinaryManifest>): void
}

/** Makes such a copy from the local build, in a folder that is removed when the test is over. */
export function installPackage(): InstalledPackage {
  const root = temporaryFolder()
  const prebuilds = join(root, 'prebuilds/linux-x64')
  mkdirSync(prebuilds, { recursive: true })
  cpSync(join(PROJECT, 'package.json'), join(root, 'package.json'))
  for (const part of ['native', 'cli', 'pipeline/tasks.ts']) {
    cpSync(join(PROJECT, 'lib', part), join(root, 'lib', part), { recursive: true })
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(root, 'node_modules'))

  for (const name of readdirSync(RELEASE).filter((file) => /\.(node|so|json)$/.test(file))) {
    // prebuildify gives the loader this name.
    const installed = name.endsWith('.node') ? '@lab+vision-native.glibc.node' : name
    cpSync(join(RELEASE, name), join(prebuilds, installed))
  }
  const manifest = join(prebuilds, MANIFEST)
  const editManifest = (changes: Partial<BinaryManifest>) => {
    const current: BinaryManifest = JSON.parse(readFileSync(manifest, 'utf8'))
    writeFileSync(manifest, JSON.stringify({ ...current, ...changes }))
  }
  const { files }: BinaryManifest = JSON.parse(readFileSync(manifest, 'utf8'))
  const { 'vision_native.node': loader = '', ...others } = files
  editManifest({ files: { ...others, '@lab+vision-native.glibc.node': loader } })
  return { root, prebuilds, editManifest }
}
