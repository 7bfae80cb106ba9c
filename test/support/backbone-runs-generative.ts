// How networks that make images are run.
import type { StyleGAN2Generator } from '../../lib/backbones'
import type { Tensor } from '../../lib/tensor'
import type { Run } from './backbone-runs'

/** With the noise that is part of the state. */
const storedNoise: Run = {
  run: (network: StyleGAN2Generator, [z]) => network.forward(z as Tensor, { noiseMode: 'const' }),
}

export const GENERATIVE_RUNS: Readonly<Record<string, Run>> = {
  stylegan2_small: storedNoise,
  stylegan2_256: storedNoise,
  stylegan2_rosinality: storedNoise,
  stylegan2_truncated: {
    run: (network: StyleGAN2Generator, [z, label]) =>
      network.forward(z as Tensor, { label, truncation: 0.6, truncationCutoff: 5, noiseMode: 'const' }),
  },
}
