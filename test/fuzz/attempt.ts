import { memory, tidyAsync, VisionNativeError } from '../../lib'
import { Random } from '../abuse/random'
import type { Mutator, Target } from './target'

/** What became of an input that left the process alive. */
export type Attempt =
  | { readonly outcome: 'accepted' | 'refused' }
  | { readonly outcome: 'untyped' | 'leaked'; readonly message: string }

/** Input number `index` of a target: one of its corpus first, then changed ones; the same for the same seed. */
export function inputOf(target: Target, name: string, seed: number, index: number): Buffer {
  const { corpus, mutators } = target
  const whole = corpus[index]
  if (whole !== undefined) return whole
  const random = new Random(seed, name, index)
  return random.pick<Mutator>(mutators)(random.pick(corpus), random, corpus)
}

/** Reads an input. @param path where it stands in a file */
export async function attempt(target: Target, input: Buffer, path: string): Promise<Attempt> {
  const before = memory.stats().tensors
  let attempt: Attempt = { outcome: 'accepted' }
  try {
    await tidyAsync(async () => {
      await target.read(input, path)
    })
  } catch (error) {
    if (!VisionNativeError.is(error)) return { outcome: 'untyped', message: stackOf(error) }
    if (error.message === '') return { outcome: 'untyped', message: `a ${error.name} that says nothing` }
    attempt = { outcome: 'refused' }
  }
  const left = memory.stats().tensors - before
  if (left > 0 && !target.keepsTensors)
    return { outcome: 'leaked', message: `${left} tensors live on after ${attempt.outcome}` }
  return attempt
}

export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return `threw ${String(error)}`
  return `${error.stack ?? error.message}${error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''}`
}
