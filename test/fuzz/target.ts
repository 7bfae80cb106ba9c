import { VisionNativeError } from '../../lib'
import type { Random } from '../abuse/random'

/** Makes another input of one: some bytes or some part of its structure are changed. */
export type Mutator = (input: Buffer, random: Random, others: readonly Buffer[]) => Buffer

/** A parser under test. */
export interface Target {
  /** Small valid inputs that the others are made of. */
  readonly corpus: readonly Buffer[]
  /** Taken in turn by chance; each knows something of the format, or nothing. */
  readonly mutators: readonly Mutator[]
  /** Calls that make tensors and do not say which; the count of those that live is not looked at. */
  readonly keepsTensors?: boolean
  /**
   * Reads an input, and uses what was read as an application would. It may throw a `VisionNativeError` and nothing else.
   *
   * @param path where the same bytes are in a file, for readers that take no buffer
   */
  read(input: Buffer, path: string): unknown
}

/** Several readers of one format: each gets every input, and a refusal by one does not spare the next. */
export function readers(...all: readonly Target['read'][]): Target['read'] {
  return async (input, path) => {
    const refusals: unknown[] = []
    for (const read of all) {
      try {
        await read(input, path)
      } catch (error) {
        if (!VisionNativeError.is(error)) throw error
        refusals.push(error)
      }
    }
    if (refusals.length === all.length) throw refusals[0]
  }
}

/** Uses of what was read that may refuse it: another reader's input was good all the same. */
export async function uses(...all: readonly (() => unknown)[]): Promise<void> {
  for (const use of all) {
    try {
      await use()
    } catch (error) {
      if (!VisionNativeError.is(error)) throw error
    }
  }
}
