import { allGatherTensors, type CollectiveOptions } from '../distributed'
import { tidyAsync } from '../tensor/scope'
import type { Metric } from './metric'

/**
 * Gives metrics what those of the other processes have seen, so that all processes compute the measures of all data.
 * Called by all processes with the same metrics in the same order, once before `compute`: a second call would count
 * everything again.
 */
export async function synchronizeMetrics(
  metrics: Iterable<Pick<Metric, 'stateDict' | 'mergeState' | 'reset'>>,
  options: CollectiveOptions = {},
): Promise<void> {
  for (const metric of metrics) {
    await tidyAsync(async () => {
      const states = await allGatherTensors(metric.stateDict(), options)
      // In the order of ranks everywhere: sums round alike.
      metric.reset()
      for (const state of states) metric.mergeState(state)
    })
  }
}
