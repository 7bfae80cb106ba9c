// Weights of a network by name or by file, read into it; and which network a file is of.
import { existsSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { type BackboneName, backboneEntry, backboneNames, LAYOUTS, type LayoutName, loadPublished } from '../backbones'
import { loadPth, readSafetensors, stateDictOf } from '../io'
import { ShapeError, VisionNativeError } from '../native/errors'
import { type Module, skipInit } from '../nn'
import { noGrad, type Tensor, tidy } from '../tensor'
import {
  adaptState,
  bestFit,
  defaultOf,
  describeFit,
  type Fit,
  type FitCandidate,
  localWeights,
  weightsEntry,
} from '../weights'
import { note, UsageError } from './command'

/** Tensors of a `.safetensors` or PyTorch file by name. */
export async function readState(path: string): Promise<ReadonlyMap<string, Tensor>> {
  if (extname(path).toLowerCase() === '.safetensors') return readSafetensors(path)
  const value = await loadPth(path)
  // What pytorchvideo calls it.
  const key = value instanceof Map && value.has('model_state') ? 'model_state' : undefined
  return stateDictOf(value, { key })
}

/** Names and shapes of every network of the registry; those that a file is named after come first. */
export function* registryCandidates(file = ''): Generator<FitCandidate> {
  const letters = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const isNamed = (name: BackboneName) => letters(basename(file)).includes(letters(name))
  const names = backboneNames()
  for (const name of [...names.filter(isNamed), ...names.filter((other) => !isNamed(other))]) {
    yield { name, shapes: () => shapesOf(name) }
  }
}

function shapesOf(name: BackboneName): ReadonlyMap<string, readonly number[]> {
  const network = skipInit(() => backboneEntry(name).create())
  try {
    return new Map([...network.stateDict()].map(([key, { shape }]) => [key, shape]))
  } finally {
    network.dispose()
  }
}

/** The known network that a state dict fits best. @param file where it is from, whose name may tell */
export function identify(
  state: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  file: string,
): Fit | undefined {
  return noGrad(() => bestFit(state, registryCandidates(file)))
}

/**
 * The file of a network's weights.
 *
 * @param weights a file, or a name of the weights table; the network's published weights unless stated
 * @throws UsageError when there are none on this machine; it says how to get them
 */
export async function weightsFile(name: string, weights: string | undefined, caller: string): Promise<string> {
  if (weights !== undefined && existsSync(weights)) return weights
  const entry = weights === undefined ? defaultOf(name) : named(weights, caller)
  if (entry === undefined) {
    throw new UsageError(
      `${caller}: no published weights of ${name} are known; give --weights FILE, or --weights random for a trial`,
    )
  }
  const path = await localWeights(entry)
  if (path !== undefined) return path
  throw new UsageError(
    `${caller}: the weights ${entry.name} are not on this machine; run \`vision-native weights pull ${entry.name}\`, or give --weights FILE, or --weights random for a trial`,
  )
}

/**
 * Reads weights from a file into a network: under this package's names, inside a larger network's, or under those of a
 * published layout.
 *
 * @returns the layout, where the names were a publisher's
 * @throws ShapeError when they are of another network; it says of which
 */
export async function loadNetworkWeights(
  name: string,
  model: Module,
  path: string,
  caller: string,
): Promise<LayoutName | undefined> {
  const state = await readState(path)
  try {
    model.loadStateDict(state)
    return undefined
  } catch (cause) {
    if (!VisionNativeError.is(cause, 'Shape')) throw cause
    const adapted = adaptState(state, model.stateDict())
    if (adapted !== undefined) {
      const { unused } = adapted
      model.loadStateDict(adapted.state, { strict: false })
      note(`${caller}: of ${path}, ${unused.length} tensors are not used: ${unused.slice(0, 4).join(', ')}`)
      return undefined
    }
    const layout = tryLayouts(model, state)
    if (layout !== undefined) return layout
    note(`${caller}: ${path} does not fit ${name}; comparing it with the known networks, which may take half a minute`)
    const fit = describeFit(identify(state, path))
    throw new ShapeError(`${caller}: ${path} holds no weights of ${name}: ${fit}\n${shortened(cause.message)}`, {
      cause,
    })
  }
}

/** Loads weights by the first layout that they fit whole. */
function tryLayouts(model: Module, file: ReadonlyMap<string, Tensor>): LayoutName | undefined {
  // Older releases of transformers wrote the numbers 0, 1, 2, … as a buffer.
  const state = new Map([...file].filter(([name]) => !/(^|\.)position_ids$/.test(name)))
  return (Object.keys(LAYOUTS) as LayoutName[]).find((name) => {
    try {
      tidy(() => loadPublished(model, state, LAYOUTS[name]))
      return true
    } catch (error) {
      if (VisionNativeError.is(error, 'Format') || VisionNativeError.is(error, 'Shape')) return false
      throw error
    }
  })
}

function named(weights: string, caller: string): ReturnType<typeof weightsEntry> {
  try {
    return weightsEntry(weights)
  } catch (cause) {
    throw new UsageError(`${caller}: --weights: there is no file ${weights}, and ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** Of hundreds of names the first few. */
function shortened(message: string): string {
  const lines = message.split('\n')
  return lines.length <= 12 ? message : [...lines.slice(0, 12), `  … and ${lines.length - 12} more lines`].join('\n')
}
