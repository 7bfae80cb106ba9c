import { noGrad } from '../tensor/autograd'
import { tidy } from '../tensor/scope'
import type { Tensor } from '../tensor/tensor'

/** What is needed of a module whose batch norms are to be updated. */
export interface NormedModule {
  readonly training: boolean
  modules(): Iterable<object>
  train(mode?: boolean): unknown
}

interface BatchNormLike {
  momentum: number | null
  readonly runningMean: Tensor | null
  resetRunningStats(): void
}

/**
 * Computes the running statistics of all batch norms anew, as the mean over `batches`, as
 * `torch.optim.swa_utils.update_bn`: averaged weights need it, which no batch has gone through.
 *
 * @param forward passes a batch through the module
 */
export async function updateBatchNorm<Batch>(
  module: NormedModule,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  forward: (batch: Batch) => unknown,
): Promise<void> {
  const norms = [...module.modules()].filter(isBatchNorm)
  if (norms.length === 0) return
  const [wasTraining, momenta] = [module.training, norms.map(({ momentum }) => momentum)]
  try {
    module.train()
    for (const norm of norms) {
      norm.resetRunningStats()
      norm.momentum = null
    }
    for await (const batch of batches) {
      noGrad(() =>
        tidy(() => {
          forward(batch)
        }),
      )
    }
  } finally {
    for (const [index, norm] of norms.entries()) norm.momentum = momenta[index] ?? null
    module.train(wasTraining)
  }
}

/** By name: lib/nn is not below this folder, and instance norms look the same. */
function isBatchNorm(module: object): module is BatchNormLike {
  for (
    let prototype = Object.getPrototypeOf(module);
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    if (prototype.constructor?.name === 'BatchNorm') return (module as BatchNormLike).runningMean !== null
  }
  return false
}
