import { dirname, join } from 'node:path'
import { z } from 'zod'
import { ArgumentError, FormatError } from '../native/errors'
import { tidyAsync } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'
import { type ReadSafetensorsOptions, readSafetensors } from './safetensors'
import { pathOf, readSource } from './source'

/** A shard is a file beside the index: a path would let an index reach any file of the machine. */
const INDEX = z.object({ weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/)) })

/**
 * Reads tensors from several safetensors files by their index, such as `model.safetensors.index.json`, as large models
 * are published in.
 *
 * @param path the index; the files lie beside it
 * @param options as those of `readSafetensors`
 * @throws ArgumentError when a file cannot be opened, or the index has none of one of the `names`
 * @throws FormatError when the index has no `weight_map` from names to files beside it
 */
export async function readShardedSafetensors(
  path: string | URL,
  options: ReadSafetensorsOptions = {},
): Promise<Map<string, Tensor>> {
  const caller = 'readShardedSafetensors'
  const { name, bytes } = await readSource(path, caller)
  const fileOf = parseIndex(bytes, name)
  const wanted = options.names ?? [...fileOf.keys()]
  const missing = wanted.filter((tensor) => !fileOf.has(tensor))
  if (missing.length > 0) throw new ArgumentError(`${name} has no tensor ${missing.map((n) => `'${n}'`).join(', ')}`)
  const byFile = new Map<string, string[]>()
  for (const tensor of wanted) {
    const file = fileOf.get(tensor) ?? ''
    byFile.set(file, [...(byFile.get(file) ?? []), tensor])
  }
  return tidyAsync(async () => {
    const tensors = new Map<string, Tensor>()
    for (const [file, names] of byFile) {
      const shard = await readSafetensors(join(dirname(pathOf(path, caller)), file), { ...options, names })
      for (const [tensor, value] of shard) tensors.set(tensor, value)
    }
    return new Map(wanted.flatMap((tensor) => [[tensor, tensors.get(tensor) as Tensor]]))
  })
}

function parseIndex(bytes: Uint8Array, name: string): ReadonlyMap<string, string> {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (cause) {
    throw new FormatError(`${name} is no JSON: ${(cause as Error).message}`, { cause })
  }
  const { data, error } = INDEX.safeParse(value)
  if (data) return new Map(Object.entries(data.weight_map))
  throw new FormatError(`${name}: ${z.prettifyError(error).replaceAll('\n', ' ')}; a weight_map names files beside it`)
}
