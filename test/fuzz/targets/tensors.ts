// Files of tensors: safetensors, PyTorch's checkpoints, NumPy's arrays, and the archives that they lie in.

import { copyFileSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  loadPth,
  npyShape,
  optimizerStateOf,
  readNpy,
  readNpyObjects,
  readNpz,
  readSafetensors,
  readSafetensorsMetadata,
  readShardedSafetensors,
  stateDictOf,
} from '../../../lib/io'
import { withRandomAccess } from '../../../lib/io/random-access'
import { ZipArchive } from '../../../lib/io/zip-reader'
import { fixtures, values } from '../fixtures'
import { inZip, npyHeader, PICKLE_WORDS, safetensorsHeader } from '../formats'
import { bytes, json, text, within } from '../mutators'
import { readers, type Target, uses } from '../target'

const pth = (...names: readonly string[]) => fixtures(...names.map((name) => `fixtures/pth/${name}.pth`))
const npy = (...names: readonly string[]) => fixtures(...names.map((name) => `fixtures/npy/${name}`))
const SAFETENSORS = 'io/fixtures/safetensors/all-types.safetensors'

const inSafetensors = within(safetensorsHeader, json('F32', 'BF16', 'F8_E4M3', 'data_offsets', 'shape', '__metadata__'))
const inNpy = within(npyHeader, text('<f4', '>i8', '|O', '<U3', '|b1', '<c8', 'True', 'None', "('a', '<f4')"))

export const safetensors: Target = {
  corpus: fixtures(SAFETENSORS),
  mutators: [bytes('F64', 'null'), inSafetensors, inSafetensors],
  read: readers(
    (input) => readSafetensors(input),
    (input) => readSafetensorsMetadata(input),
  ),
}

/** The index that names the files of a checkpoint in parts. */
export const shards: Target = {
  corpus: values({ metadata: { total_size: 8 }, weight_map: { f32: 'part.safetensors', bool: 'part.safetensors' } }),
  mutators: [json('part.safetensors', 'input', '.', '..', '/dev/null'), text()],
  read: (_, path) => {
    const part = join(dirname(path), 'part.safetensors')
    if (!existsSync(part)) copyFileSync(new URL(`../../${SAFETENSORS}`, import.meta.url), part)
    return readShardedSafetensors(path)
  },
}

const readPth: Target['read'] = async (input) => {
  const value = await loadPth(input)
  await uses(
    () => stateDictOf(value),
    () => optimizerStateOf(value),
  )
}

const inPickle = bytes(...PICKLE_WORDS)
const inPth = inZip((name) => (name.endsWith('.pkl') ? inPickle : bytes('little', 'big')))
export const pthZip: Target = {
  corpus: pth(
    'values-zip',
    'shared-zip',
    'network-zip',
    'optimizers-zip',
    'types-zip',
    'module',
    'numpy',
    'deflated',
    'sparse',
  ),
  mutators: [bytes(), inPth, inPth, inPth],
  read: readPth,
}

export const pthLegacy: Target = {
  corpus: pth('values-legacy', 'shared-legacy', 'network-legacy', 'optimizers-legacy', 'types-legacy'),
  mutators: [bytes(), inPickle],
  read: readPth,
}

/** A pickle without tensors. */
export const pickle: Target = {
  corpus: pth('plain', 'protocol-3', 'protocol-4', 'protocol-5', 'cycle', 'quantized'),
  mutators: [inPth],
  read: readPth,
}

export const npyArray: Target = {
  corpus: npy(
    'version-1.npy',
    'version-2.npy',
    'version-3.npy',
    'objects.npy',
    'records.npy',
    'text.npy',
    'same-c8.npy',
  ),
  mutators: [bytes(), inNpy, inNpy],
  read: readers(
    (input) => readNpy(input),
    (input) => npyShape(input),
    (input) => readNpyObjects(input),
  ),
}

export const npz: Target = {
  corpus: npy('arrays.npz', 'compressed.npz'),
  mutators: [bytes(), inZip(() => bytes()), inZip(() => inNpy)],
  read: (input) => readNpz(input),
}

export const zip: Target = {
  corpus: [...npy('compressed.npz'), ...pth('deflated', 'plain')],
  mutators: [bytes('PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07'), inZip(() => bytes())],
  read: (input) =>
    withRandomAccess(input, 'zip', async (access) => {
      const archive = await ZipArchive.open(access, { expandedBytes: 2 ** 22 })
      for (const entry of archive.entries.values()) await archive.read(entry)
    }),
}
