// Outputs of named parts of a network, taken by hooks: the network itself stays as it is.
import { ArgumentError } from '../native/errors'
import { nearestNames } from '../native/nearest'
import { Module } from '../nn'
import { dispose, keep, type Tensor } from '../tensor'
import { describe } from '../tensor/call'
import { HANDLE, isTensor } from '../tensor/handle'
import { own } from '../tensor/scope'

/** A network with a `forward` of whatever kind. */
export type Network = Module & { forward(...inputs: never[]): unknown }

/** Tensors by the names of the parts that gave them. */
export type Features<Name extends string = string> = Readonly<Record<Name, Tensor>>

/** Runs a network and gives what named parts of it gave; made by `createFeatureExtractor`. */
export class FeatureExtractor<Name extends string = string> extends Module {
  readonly model: Network

  constructor(
    model: Network,
    readonly names: readonly Name[],
  ) {
    super()
    if (names.length === 0) throw new ArgumentError('createFeatureExtractor: there are no names; name a layer')
    for (const name of names) layerOf(model, name, 'createFeatureExtractor')
    this.model = model
  }

  /**
   * The network's own arguments in, the outputs of its parts out. Of a part that runs several times it is the last.
   *
   * @throws ArgumentError when a part did not run, gave something that is no tensor, or what it gave was overwritten
   */
  forward(...inputs: readonly unknown[]): Features<Name> {
    const taken = new Taken()
    const handles = this.names.map((name) =>
      layerOf(this.model, name, 'FeatureExtractor').registerForwardHook((_, __, output) => taken.put(name, output)),
    )
    for (const module of this.model.modules()) {
      if ('inplace' in module && module.inplace === true) {
        handles.push(module.registerForwardPreHook((_, [input, ...rest]) => [taken.protect(input), ...rest]))
      }
    }
    try {
      this.model.forward(...(inputs as never[]))
      return taken.give(this.names)
    } catch (error) {
      taken.dispose()
      throw error
    } finally {
      for (const handle of handles) handle.remove()
    }
  }
}

/** What hooks have seen so far. */
class Taken {
  readonly #outputs = new Map<string, { readonly tensor: Tensor; readonly version: number }>()

  put(name: string, output: unknown): void {
    if (!isTensor(output)) {
      throw new ArgumentError(
        `FeatureExtractor: layer '${name}' gives ${describe(output)}, not a Tensor; name a layer inside it`,
      )
    }
    const before = this.#outputs.get(name)?.tensor
    const tensor = output as Tensor
    this.#outputs.set(name, { tensor: keep(tensor), version: tensor.version })
    // What an earlier run of the same part gave belongs to nobody any more, unless another name has it too.
    if (before && ![...this.#outputs.values()].some((other) => other.tensor === before)) own(before)
  }

  /** A copy for an operation that would overwrite what was taken. */
  protect(input: unknown): unknown {
    if (!isTensor(input)) return input
    const isTaken = [...this.#outputs.values()].some(({ tensor }) => tensor[HANDLE] === input[HANDLE])
    return isTaken ? (input as Tensor).clone() : input
  }

  /** Hands the tensors to the current scope. */
  give<Name extends string>(names: readonly Name[]): Features<Name> {
    for (const name of names) {
      const output = this.#outputs.get(name)
      if (output === undefined) throw new ArgumentError(`FeatureExtractor: layer '${name}' did not run in this call`)
      if (output.tensor.version !== output.version) {
        throw new ArgumentError(
          `FeatureExtractor: what layer '${name}' gave was overwritten by a later step of the network; name the layer after it`,
        )
      }
    }
    const entries = names.map((name) => [name, this.#outputs.get(name)?.tensor])
    for (const tensor of new Set([...this.#outputs.values()].map((output) => output.tensor))) own(tensor)
    return Object.fromEntries(entries) as Features<Name>
  }

  dispose(): void {
    for (const { tensor } of this.#outputs.values()) dispose(tensor)
  }
}

/**
 * A network that gives intermediate outputs by name, as torchvision's `create_feature_extractor`:
 * `createFeatureExtractor(resnet50(), ['layer2', 'layer4'])`. Parameters are shared with the network, which computes to
 * its end; hooks are on it only while the extractor runs. May be captured and trained.
 *
 * @param model any network
 * @param names dotted names of its parts, as in its state dict: `layer4`, `layer4.1.conv2`
 * @returns a module whose `forward` takes what the network takes and gives `{ [name]: Tensor }`
 * @throws ArgumentError when there is no part of a name; it lists the nearest ones
 */
export function createFeatureExtractor<const Name extends string>(
  model: Network,
  names: readonly Name[],
): FeatureExtractor<Name> {
  return new FeatureExtractor(model, names)
}

/** The part of a network with a dotted name. @throws ArgumentError listing the nearest names when there is none */
export function layerOf(model: Module, name: string, caller: string): Module {
  const layers = new Map(model.namedModules())
  const layer = layers.get(name)
  if (layer !== undefined && name !== '') return layer
  const names = [...layers.keys()].filter((other) => other !== '')
  const near = names.length > 0 ? `; the nearest names are ${nearestNames(name, names, 5).join(', ')}` : ''
  throw new ArgumentError(`${caller}: ${model.constructor.name} has no layer '${name}'${near}`)
}
