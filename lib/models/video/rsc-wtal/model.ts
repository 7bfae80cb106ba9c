// A localizer with the projection in front of it: all networks of the system.
import { ConfigError, ShapeError } from '../../../native/errors'
import { Conv1d, init, Linear, Module } from '../../../nn'
import { cat, type Tensor } from '../../../tensor'
import { Co2Net } from './co2-net'
import { Cola } from './cola'
import { type Config, classNames, settingsOf } from './config'
import { regionalConsistency } from './consistency'
import { HamNet } from './ham-net'
import type { HostNetwork, HostOptions, Localized } from './host'
import { Projection } from './projection'

/** Features of a video as the host sees them. */
export interface Projected {
  /** `[B, L, D]` each; those that are not projected are as they were. */
  readonly rgb: Tensor
  readonly flow: Tensor
  /** `[B, L, 2D]`, RGB first. */
  readonly joined: Tensor
}

/** Terms of the loss: `loss` is what is trained; the others are for the log. */
export interface LocalizerLoss {
  readonly loss: Tensor
  readonly host: Tensor
  readonly consistency: Tensor
}

/** A host and the projection of its features. */
export class Localizer extends Module {
  readonly net: HostNetwork
  /** f_proj; null for the host alone. */
  readonly projNet: Projection | null
  /** That of flow, where both streams have one. */
  readonly flowProjNet: Projection | null
  readonly #config: Config

  /** @throws ConfigError when the number of features is odd */
  constructor(config: Config) {
    super()
    const { features, variant, rsc } = config
    if (features % 2 !== 0) {
      throw new ConfigError(`rsc-wtal: features is ${features}; it must be even, as networks halve it`)
    }
    const { segments, topK } = settingsOf(config)
    this.#config = config
    this.net = hostOf(config, { features, variant, segments, topK, classes: classNames(config).length })
    // Made after the host, with initial values of the framework, as in the released code.
    this.projNet = rsc.projection === 'none' ? null : new Projection(features)
    this.flowProjNet = rsc.projection === 'both' ? new Projection(features) : null
  }

  /** Activation and attention: `[B, L, 2D]` → `[B, L, …]`. */
  forward(x: Tensor): Localized {
    return this.net.forward(this.project(x).joined)
  }

  /**
   * What the host sees.
   *
   * @param x `[B, L, 2D]`, RGB first
   * @throws ShapeError for features of another size
   */
  project(x: Tensor): Projected {
    const { features, rsc } = this.#config
    if (x.ndim !== 3 || x.size(2) !== 2 * features) {
      throw new ShapeError(
        `rsc-wtal: features are [${x.shape.join(', ')}]; they must be [B, L, ${2 * features}], RGB before flow`,
      )
    }
    const [first, second] = x.chunk(2, { dim: 2 }) as [Tensor, Tensor]
    if (this.projNet === null) return { rgb: first, flow: second, joined: x }
    const rgb = rsc.projection === 'flow' ? first : this.projNet.forward(first)
    const ofFlow = rsc.projection === 'flow' ? this.projNet : this.flowProjNet
    const flow = ofFlow?.forward(second) ?? second
    return { rgb, flow, joined: cat([rgb, flow], { dim: 2 }) }
  }

  /** How the similarities of regions in the two streams differ. */
  consistency({ rgb, flow }: Projected): Tensor {
    const { regions, form, projection } = this.#config.rsc
    return projection === 'flow'
      ? regionalConsistency(flow, rgb, { regions, form })
      : regionalConsistency(rgb, flow, { regions, form })
  }

  /**
   * The host's loss and the weighted consistency.
   *
   * @param x `[B, L, 2D]`
   * @param labels `[B, C]` of 0 and 1
   */
  loss(x: Tensor, labels: Tensor): LocalizerLoss {
    const projected = this.project(x)
    const host = this.net.loss(projected.joined, labels)
    const consistency = this.consistency(projected)
    const { rscWeight } = settingsOf(this.#config)
    return { loss: rscWeight === 0 ? host : host.add(consistency.mul(rscWeight)), host, consistency }
  }
}

function hostOf({ host }: Config, options: HostOptions): HostNetwork {
  if (host === 'cola') return new Cola(options)
  return kaiming(host === 'ham-net' ? new HamNet(options) : new Co2Net(options))
}

/** Kaiming's uniform initial values and no biases, as HAM-Net and CO2-Net have them; CoLA keeps the framework's. */
function kaiming<M extends Module>(net: M): M {
  return net.apply((layer) => {
    if (!(layer instanceof Conv1d || layer instanceof Linear)) return
    init.kaimingUniform_(layer.weight)
    if (layer.bias) init.zeros_(layer.bias)
  })
}

/** The networks of a config. */
export function createLocalizer(config: Config): Localizer {
  return new Localizer(config)
}
