import { readFileSync } from 'node:fs'
import { readSafetensors } from '../../lib/io/safetensors'
import type { Tensor } from '../../lib/tensor'

/** What torchvision gives, from tools/reference/detection_ops.py. */

const FOLDER = new URL('../fixtures/detection/', import.meta.url)

export interface DetectionCase<Options> {
  readonly op: string
  readonly name: string
  readonly options: Options
}

/** The cases of an operator; none is a mistake in its name. */
export function detectionCases<Options>(op: string): DetectionCase<Options>[] {
  const cases = JSON.parse(readFileSync(new URL('cases.json', FOLDER), 'utf8')) as DetectionCase<Options>[]
  const own = cases.filter((one) => one.op === op)
  if (own.length === 0) throw new Error(`no case of ${op} in test/fixtures/detection`)
  return own
}

/** The tensors of a case by their role. */
export async function detectionTensors({ op, name }: DetectionCase<unknown>): Promise<ReadonlyMap<string, Tensor>> {
  const prefix = `${op}|${name}|`
  const all = await readSafetensors(new URL('tensors.safetensors', FOLDER).pathname)
  const own = new Map<string, Tensor>()
  for (const [key, tensor] of all) {
    if (key.startsWith(prefix)) own.set(key.slice(prefix.length), tensor)
    else tensor.dispose()
  }
  return own
}
