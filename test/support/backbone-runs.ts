// How a network is run where that is more than `forward` of its inputs, and which parameters its outputs do not depend on.
import type { GoogLeNet, InceptionV3 } from '../../lib/backbones'
import type { Module } from '../../lib/nn'
import type { Tensor } from '../../lib/tensor'
import { DETECTION_RUNS } from './backbone-runs-detection'
import { GENERATIVE_RUNS } from './backbone-runs-generative'
import { TEXT_RUNS } from './backbone-runs-text'
import { TRANSFORMER_RUNS } from './backbone-runs-transformers'
import { VIDEO_RUNS } from './backbone-runs-video'

/** Scalars in the largest network that `npm test` runs; larger ones are in the long tests. */
export const LARGEST_QUICK = 6e6

export interface Run {
  readonly run?: (network: never, inputs: readonly Tensor[]) => unknown
  /** Names of parameters that get no gradient from the outputs, with the reason. */
  readonly unused?: { readonly names: RegExp; readonly why: string }
}

/** By the case's name in test/fixtures/backbones. */
const RUNS: Readonly<Record<string, Run>> = {
  googlenet_aux: { run: (network: GoogLeNet, [image]) => network.forwardWithAux(image as Tensor) },
  inception_v3_aux: { run: (network: InceptionV3, [image]) => network.forwardWithAux(image as Tensor) },

  ...TEXT_RUNS,
  ...DETECTION_RUNS,
  ...VIDEO_RUNS,
  ...TRANSFORMER_RUNS,
  ...GENERATIVE_RUNS,
}

export function runNetwork(name: string, network: Module, inputs: readonly Tensor[]): unknown {
  const run = RUNS[name]?.run
  if (run) return run(network as never, inputs)
  return (network as Module & { forward(...inputs: readonly Tensor[]): unknown }).forward(...inputs)
}

export function isUnused(name: string, parameter: string): boolean {
  return RUNS[name]?.unused?.names.test(parameter) ?? false
}
