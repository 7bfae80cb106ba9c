import { ArgumentError, ShapeError } from '../../native/errors'
import type { Tensor } from '../../tensor'
import * as ops from '../../tensor'
import { withDefaults } from '../options'
import { checkSameShape, Loss, type LossOptions, MEAN, NO_TENSOR, reduce } from './loss'

/**
 * Contrastive losses over a batch: each embedding is told from all others by a softmax over cosine similarities.
 * Embeddings are scaled to length 1 here, so they need not be before.
 */

export interface TemperatureOptions extends LossOptions {
  /** τ: similarities are divided by it; above 0. */
  readonly temperature?: number | undefined
}

export interface InfoNCELossOptions extends TemperatureOptions {
  /** `[M, D]` for all queries, or `[N, M, D]`, M for each. By default the other rows of `positive`. */
  readonly negatives?: Tensor | undefined
}

/**
 * InfoNCE (van den Oord et al. 2018, eq. 4): `−log( exp(q·k⁺/τ) / Σ_k exp(q·k/τ) )`, the sum over the positive and the
 * negatives. Default τ: 0.07, as in MoCo (He et al. 2020).
 *
 * @param query `[N, D]`
 * @param positive `[N, D]`: row i belongs to query i
 * @throws ShapeError when the shapes do not fit
 */
export function infoNceLoss(query: Tensor, positive: Tensor, options: InfoNCELossOptions = {}): Tensor {
  const defaults = { reduction: MEAN, temperature: 0.07, negatives: NO_TENSOR }
  const { reduction, temperature, negatives } = withDefaults('infoNceLoss', defaults, options)
  checkEmbeddings('infoNceLoss', query)
  checkSameShape('infoNceLoss', { query, positive })
  checkTemperature('infoNceLoss', temperature)
  return ops.tidy(() => {
    const [q, k] = [unit(query), unit(positive)]
    const own = q
      .mul(k)
      .sum({ dim: [-1] })
      .div(temperature)
    const logits =
      negatives === undefined
        ? q.matmul(k.t()).div(temperature)
        : ops.cat([own.unsqueeze(1), toNegatives(q, negatives).div(temperature)], { dim: 1 })
    return reduce('infoNceLoss', logits.logsumexp([1]).sub(own), reduction)
  })
}

/** Cosine similarities of each query with its negatives, `[N, M]`. */
function toNegatives(q: Tensor, negatives: Tensor): Tensor {
  const [rows = 0, features = 0] = q.shape
  const { shape } = negatives
  const fits = shape.at(-1) === features && (shape.length === 2 || (shape.length === 3 && shape[0] === rows))
  if (!fits) {
    throw new ShapeError(
      `infoNceLoss: negatives [${shape.join(', ')}] do not fit query [${q.shape.join(', ')}]; they are [M, ${features}] or [${rows}, M, ${features}]`,
    )
  }
  const k = unit(negatives)
  return shape.length === 2 ? q.matmul(k.t()) : k.matmul(q.unsqueeze(-1)).squeeze(-1)
}

/** `infoNceLoss` as a module. */
export class InfoNCELoss extends Loss<TemperatureOptions> {
  forward(query: Tensor, positive: Tensor, negatives?: Tensor): Tensor {
    return infoNceLoss(query, positive, { ...this.options, negatives })
  }
}

/**
 * NT-Xent, the loss of SimCLR (Chen et al. 2020, eq. 1): for each of the 2N views i with its partner j,
 * `−log( exp(cos(zᵢ, zⱼ)/τ) / Σ_{k ≠ i} exp(cos(zᵢ, z_k)/τ) )`. Default τ: 0.5.
 *
 * @param first `[N, D]`, one view of each image
 * @param second `[N, D]`, the other view
 * @returns with `none` 2N losses, those of the first views before those of the second
 * @throws ShapeError when the shapes do not fit
 */
export function ntXentLoss(first: Tensor, second: Tensor, options: TemperatureOptions = {}): Tensor {
  const { reduction, temperature } = withDefaults('ntXentLoss', { reduction: MEAN, temperature: 0.5 }, options)
  checkEmbeddings('ntXentLoss', first)
  checkSameShape('ntXentLoss', { first, second })
  checkTemperature('ntXentLoss', temperature)
  return ops.tidy(() => {
    const [a, b] = [unit(first), unit(second)]
    const all = ops.cat([a, b])
    const logits = withoutSelf(all.matmul(all.t()).div(temperature))
    const partners = a
      .mul(b)
      .sum({ dim: [-1] })
      .div(temperature)
    return reduce('ntXentLoss', logits.logsumexp([1]).sub(ops.cat([partners, partners])), reduction)
  })
}

/** `ntXentLoss` as a module. */
export class NTXentLoss extends Loss<TemperatureOptions> {
  forward(first: Tensor, second: Tensor): Tensor {
    return ntXentLoss(first, second, this.options)
  }
}

/**
 * Supervised contrastive loss (Khosla et al. 2020, eq. 2): for each anchor i, the mean over the others p of its class of
 * `−log( exp(zᵢ·z_p/τ) / Σ_{a ≠ i} exp(zᵢ·z_a/τ) )`. An anchor that is alone in its class has loss 0. Default τ: 0.07.
 *
 * @param features `[N, D]`; several views of an image are several rows with one label
 * @param labels `[N]`, whole numbers
 * @throws ShapeError when the shapes do not fit
 */
export function supConLoss(features: Tensor, labels: Tensor, options: TemperatureOptions = {}): Tensor {
  const { reduction, temperature } = withDefaults('supConLoss', { reduction: MEAN, temperature: 0.07 }, options)
  checkEmbeddings('supConLoss', features)
  checkTemperature('supConLoss', temperature)
  if (labels.ndim !== 1 || labels.size(0) !== features.size(0)) {
    throw new ShapeError(
      `supConLoss: labels [${labels.shape.join(', ')}] do not fit features [${features.shape.join(', ')}]; there is one for each row`,
    )
  }
  return ops.tidy(() => {
    const z = unit(features)
    const similarities = z.matmul(z.t()).div(temperature)
    const logProbabilities = similarities.sub(withoutSelf(similarities).logsumexp([1], { keepdim: true }))
    const others = labels.unsqueeze(0).eq(labels.unsqueeze(1)).to(features.dtype).fillDiagonal_(0)
    const mates = others.sum({ dim: [1] }).clampMin(1)
    return reduce(
      'supConLoss',
      logProbabilities
        .mul(others)
        .sum({ dim: [1] })
        .div(mates)
        .neg(),
      reduction,
    )
  })
}

/** `supConLoss` as a module. */
export class SupConLoss extends Loss<TemperatureOptions> {
  forward(features: Tensor, labels: Tensor): Tensor {
    return supConLoss(features, labels, this.options)
  }
}

function unit(embeddings: Tensor): Tensor {
  const length = ops.linalgVectorNorm(embeddings, { dim: [-1], keepdim: true })
  return embeddings.div(length.clampMin(1e-12))
}

/** Similarities without those of an embedding to itself. */
function withoutSelf(similarities: Tensor): Tensor {
  const { device } = similarities
  const self = ops.eye(similarities.size(0), { dtype: 'bool', device })
  return similarities.maskedFill(self, Number.NEGATIVE_INFINITY)
}

function checkEmbeddings(name: string, embeddings: Tensor): void {
  if (embeddings.ndim === 2) return
  throw new ShapeError(`${name}: embeddings are [N, D], got [${embeddings.shape.join(', ')}]; flatten the others first`)
}

function checkTemperature(name: string, temperature: number): void {
  if (temperature > 0) return
  throw new ArgumentError(`${name}: temperature is ${temperature}; it must be above 0`)
}
