// StyleGAN2's mapping network, with the names of NVIDIA's stylegan2-ada-pytorch.
import { ArgumentError, ShapeError } from '../../native/errors'
import { type Member, Module } from '../../nn'
import { type Buffer, buffer } from '../../nn/roles'
import { cat, noGrad, type Tensor, zeros } from '../../tensor'
import { EqualizedLinear } from './equalized'

export interface MappingOptions {
  /** Length of the latent vectors z; 0 for none, where only labels are mapped. */
  readonly zDim: number
  /** Length of the labels; 0, the default, for none. */
  readonly cDim?: number
  readonly wDim: number
  /** How often w is repeated, once for each layer of the synthesis; null gives it once without that dimension. */
  readonly numWs?: number | null
  /** Default 8. */
  readonly layers?: number
  /** Factor of the learning rate; default 0.01. */
  readonly lrMultiplier?: number
  /** Decay of the average of w in training; null for no average. Default 0.995. */
  readonly wAvgBeta?: number | null
}

export interface MappingRunOptions {
  /** Labels `[N, cDim]`. */
  readonly label?: Tensor | null
  /** How much of the distance from the average w stays: 1, the default, is all, 0 the average itself. */
  readonly truncation?: number
  /** Only so many layers, from the first, are truncated; all unless stated. */
  readonly truncationCutoff?: number
  /** Whether the average of w follows in training; default true. */
  readonly updateAverage?: boolean
}

/**
 * Maps latent vectors z (and labels) to the vectors w of the layers.
 *
 * Shapes: `[N, zDim]` → `[N, numWs, wDim]`.
 */
export class MappingNetwork extends Module {
  readonly wAvg: Buffer | null
  readonly embed: EqualizedLinear | null
  readonly #layers: readonly EqualizedLinear[]
  readonly #options: Required<MappingOptions>

  constructor(given: MappingOptions) {
    super()
    const options = { cDim: 0, numWs: null, layers: 8, lrMultiplier: 0.01, wAvgBeta: 0.995, ...given }
    const { zDim, cDim, wDim, numWs, layers, lrMultiplier, wAvgBeta } = options
    if (zDim + cDim === 0)
      throw new ArgumentError('MappingNetwork: zDim and cDim are both 0; it maps one of them or both')
    this.#options = options
    this.embed = cDim > 0 ? new EqualizedLinear(cDim, wDim) : null
    const inputs = zDim + (cDim > 0 ? wDim : 0)
    this.#layers = Array.from(
      { length: layers },
      (_, i) => new EqualizedLinear(i === 0 ? inputs : wDim, wDim, { activation: 'leakyRelu', lrMultiplier }),
    )
    this.wAvg = numWs !== null && wAvgBeta !== null ? buffer(zeros([wDim])) : null
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    yield* super.members()
    for (const [i, layer] of this.#layers.entries()) yield [`fc${i}`, layer]
  }

  /**
   * @param z null where zDim is 0
   * @throws ShapeError for latent vectors or labels of another length
   */
  forward(z: Tensor | null, { label = null, updateAverage = true, ...truncation }: MappingRunOptions = {}): Tensor {
    const { zDim, cDim, numWs, wAvgBeta } = this.#options
    const inputs = [
      ...(zDim > 0 ? [unitMoment(checked('latent vectors z', z, zDim))] : []),
      ...(this.embed ? [unitMoment(this.embed.forward(checked('labels', label, cDim)))] : []),
    ]
    let w = inputs.length === 1 ? (inputs[0] as Tensor) : cat(inputs, { dim: 1 })
    for (const layer of this.#layers) w = layer.forward(w)
    const { wAvg } = this
    if (wAvg && wAvgBeta !== null && this.training && updateAverage) {
      noGrad(() =>
        wAvg.copy_(
          w
            .detach()
            .mean({ dim: [0] })
            .lerp(wAvg, wAvgBeta),
        ),
      )
    }
    return numWs === null ? w : this.#truncated(w.unsqueeze(1).expand([-1, numWs, -1]), numWs, truncation)
  }

  #truncated(ws: Tensor, layers: number, { truncation = 1, truncationCutoff = layers }: MappingRunOptions): Tensor {
    if (truncation === 1) return ws
    const { wAvg } = this
    if (wAvg === null)
      throw new ArgumentError('MappingNetwork: without an average of w there is no truncation; leave it 1')
    const kept = Math.min(Math.max(truncationCutoff, 0), layers)
    const near = wAvg.lerp(ws.narrow(1, 0, kept), truncation)
    return kept === layers ? near : cat([near, ws.narrow(1, kept, layers - kept)], { dim: 1 })
  }
}

function checked(what: string, value: Tensor | null, length: number): Tensor {
  if (value?.ndim === 2 && value.size(1) === length) return value.to('float32')
  throw new ShapeError(
    `MappingNetwork: ${what} ${value ? `have shape [${value.shape}]` : 'are not given'}; they must be [N, ${length}]`,
  )
}

/** Divides vectors by their root mean square. */
function unitMoment(x: Tensor): Tensor {
  return x.mul(
    x
      .square()
      .mean({ dim: [1], keepdim: true })
      .add(1e-8)
      .rsqrt(),
  )
}
