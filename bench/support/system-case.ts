// A system of lib/models as it is measured: its networks with seeded values, an input, and what runs it.
import { init, type Module } from '../../lib/nn'
import {
  type CapturedFunction,
  capture,
  type Device,
  dispose,
  inferenceMode,
  keep,
  manualSeed,
  noGrad,
  type Tensor,
  tidy,
} from '../../lib/tensor'

export interface SystemCase {
  /** A folder of lib/models; the peer is the Python file of this name in bench/systems, beside the case. */
  readonly system: string
  /** What a pass is of, and its size. */
  readonly title: string
  /** What a pass makes one of, or several. */
  readonly unit: string
  /** How many of these a pass takes; 1 unless stated. */
  readonly perPass?: number
  /** What the peer makes the same network of. */
  readonly peerConfig: object
  /** Everything that a pass needs; equal in every process. */
  make(device: Device): SystemRun
}

export interface SystemRun {
  /** What the peer loads, name by name; empty where there are no parameters. */
  readonly state: ReadonlyMap<string, Tensor>
  readonly inputs: readonly Tensor[]
  /** A pass; the results are the caller's. */
  run(inputs: readonly Tensor[]): Promise<readonly Tensor[]>
  /** Frees what is kept from pass to pass, so that the next one begins anew. */
  forget(): void
  dispose(): void
}

export interface NetworkPlan<M extends Module> {
  create(): M
  inputs(): readonly Tensor[]
  forward(model: M, ...inputs: Tensor[]): readonly Tensor[]
  /** The network that is deployed, where it is another than the one that was trained. */
  deploy?(model: M): M
}

/** A network in a captured, optimized graph. */
export function networkRun<M extends Module>(plan: NetworkPlan<M>, device: Device): SystemRun {
  manualSeed(0)
  const inputs = tidy(() => plan.inputs().map((input) => input.to({ device, copy: true })))
  const trained = plan.create().to(device)
  seed(trained, () => plan.forward(trained, ...inputs))
  const deployed = plan.deploy?.(trained) ?? trained
  const graph: CapturedFunction<[readonly Tensor[]], readonly Tensor[]> = capture(
    (given) => inferenceMode(() => plan.forward(deployed, ...given)),
    { optimize: true },
  )
  return {
    state: trained.stateDict(),
    inputs: inputs.map((input) => keep(input)),
    run: (given) => graph(given),
    forget: () => graph.dispose(),
    dispose: () => {
      graph.dispose()
      dispose(inputs)
      for (const model of new Set([trained, deployed])) model.dispose()
    },
  }
}

/** Values that let every layer say something, and statistics of norms that are those of the input: faults are seen. */
function seed(model: Module, pass: () => unknown): void {
  noGrad(() =>
    tidy(() => {
      for (const [name, values] of model.namedParameters()) {
        if (values.ndim > 1) init.normal_(values, { std: Math.sqrt((2 * values.size(0)) / values.numel) })
        else if (name.endsWith('weight')) init.uniform_(values, { a: 0.5, b: 1.5 })
        else init.normal_(values, { std: 0.1 })
      }
      // Without a momentum, statistics are the mean over all batches, of which there is one.
      for (const module of model.modules()) if ('momentum' in module) Object.assign(module, { momentum: null })
      model.train()
      pass()
      model.eval()
    }),
  )
}
