import type { OperatorFunction } from '../../tools/generate-ops/surface'
import { guessCall } from './heuristics'
import { mutate } from './mutations'
import { Random } from './random'
import { parseRecipe } from './recipe-language'
import { RECIPES } from './recipes'
import type { CallSpec } from './spec'

/** Call number `index` of a function: every second one is meant to be valid, the others have something wrong. */
export function callSpec(fn: OperatorFunction, seed: number, index: number): CallSpec {
  const random = new Random(seed, fn.name, index)
  const valid = validCall(fn, random)
  return index % 2 === 0 ? valid : mutate(valid, random)
}

/** A call that should succeed. */
export function validCall(fn: OperatorFunction, random: Random): CallSpec {
  const recipe = recipeOf(fn.name)
  if (recipe !== undefined) {
    return { name: fn.name, overload: '', ...parseRecipe(random.pick(recipe.split(' | ')), random) }
  }
  return guessCall(random.pick(fn.candidates), random)
}

/** `add_` takes what `add` takes. */
export const recipeOf = (name: string): string | undefined => RECIPES[name] ?? RECIPES[name.replace(/_$/, '')]
