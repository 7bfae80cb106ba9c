// First stages of a network that training leaves as they are.
import type { Module } from '../nn'
import type { Tensor } from '../tensor'
import { layerOf } from './feature-extractor'

/** What was frozen. */
export interface Frozen {
  /** Names of the parameters that no longer require gradients. */
  readonly parameters: readonly string[]
  /** Trains them again. */
  unfreeze(): void
}

/**
 * Freezes a network up to and including a stage, in the order in which the network declares its parts: their parameters
 * require no gradients, and they behave as in evaluation (fixed batch-norm statistics, no dropout) even after `train()`.
 *
 * @param name dotted name of the last part to freeze, such as `layer2`
 * @throws ArgumentError when there is no part of that name; it lists the nearest ones
 */
export function freezeUntil(model: Module, name: string): Frozen {
  layerOf(model, name, 'freezeUntil')
  const layers = [...model.namedModules()]
  const last = layers.findLastIndex(([other]) => other === name || other.startsWith(`${name}.`))
  const parameters: [name: string, parameter: Tensor][] = []
  const fixed: Module[] = []
  for (const [prefix, layer] of layers.slice(0, last + 1)) {
    // What a network holds itself, such as a class token, comes before its parts.
    for (const [key, parameter] of layer.namedParameters()) {
      if (!key.includes('.') && parameter.requiresGrad) {
        parameters.push([prefix === '' ? key : `${prefix}.${key}`, parameter])
      }
    }
    const holdsLaterParts = prefix === '' || name.startsWith(`${prefix}.`)
    if (!holdsLaterParts) fixed.push(layer)
  }
  for (const [, parameter] of parameters) parameter.requiresGrad_(false)
  for (const layer of fixed) {
    // A property that train() cannot change.
    Object.defineProperty(layer, 'training', { get: () => false, set: () => {}, configurable: true, enumerable: true })
  }
  return {
    parameters: parameters.map(([parameterName]) => parameterName),
    unfreeze() {
      for (const [, parameter] of parameters) parameter.requiresGrad_(true)
      for (const layer of fixed) {
        Object.defineProperty(layer, 'training', {
          value: model.training,
          writable: true,
          configurable: true,
          enumerable: true,
        })
      }
    },
  }
}
