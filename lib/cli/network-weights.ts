// Weights of a network by name or by file, read into it.
import { extname } from 'node:path'
import { loadPth, readSafetensors, stateDictOf } from '../io'
import type { Module } from '../nn'
import type { Tensor } from '../tensor'
import { UsageError } from './command'

/** Tensors of a `.safetensors` or PyTorch file by name. */
export async function readState(path: string): Promise<ReadonlyMap<string, Tensor>> {
  if (extname(path).toLowerCase() === '.safetensors') return readSafetensors(path)
  return stateDictOf(await loadPth(path))
}

/**
 * Reads weights into a network.
 *
 * @param weights a file
 * @returns where they came from
 */
export async function loadNetworkWeights(
  name: string,
  model: Module,
  weights: string | undefined,
  caller: string,
): Promise<string> {
  if (weights === undefined) {
    throw new UsageError(`${caller}: ${name} has no weights yet; give --weights FILE, or --weights random for a trial`)
  }
  model.loadStateDict(await readState(weights))
  return weights
}
