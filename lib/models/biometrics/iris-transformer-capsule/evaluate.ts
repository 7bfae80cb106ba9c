// Verification by the paper's protocols: scores of genuine and imposter pairs, and what follows from them.
import { decidability, equalErrorRate, type ROCCurve, rocCurve, truePositiveRateAt } from '../../../metrics'
import type { EvaluateRequest, Evaluation } from '../../../pipeline'
import { lineChart, type Plot, rocPlot } from '../../../plot'
import { cat, type Device, dispose, full, stack, tensor, tidy, tidyAsync } from '../../../tensor'
import { type Described, IrisComparer } from './compare'
import type { Config } from './config'
import type { TransCapsIris } from './model'
import { type Eye, genuinePairsOf, type IrisSample, testPairs } from './protocol'
import { irisParts, type StripSource, Strips, sourcesOf, withStrips } from './strips'

/** Scores of a test, and its curve. */
export interface ScoredPairs {
  readonly genuine: Float32Array
  readonly imposter: Float32Array
  /** How many imposter pairs there are, where only some were scored. */
  readonly imposterCount: number
  readonly eer: number
  readonly curve: ROCCurve
}

export interface ScoreOptions extends Pick<EvaluateRequest<Config>, 'signal' | 'onProgress'> {
  readonly config: Config
  readonly device: Device
  readonly genuinePairs?: 'upper' | 'all'
}

/** The paper's false-accept rates, as shares. */
const FALSE_ACCEPT_RATES = [0.1, 0.01] as const

/** The paper's protocol: GAR at FAR 0.1 and 0.01 (10 % and 1 %), and the equal error rate. */
export async function evaluate(request: EvaluateRequest<Config>): Promise<Evaluation> {
  const { config, device, signal, onProgress, skipBroken, note } = request
  const { test } = await irisParts(request)
  const strips = await Strips.of(sourcesOf(test), { config, signal, skipBroken, note, onProgress })
  const options = { config, device, signal, onProgress }
  const scored = await scoredPairs(request.model as TransCapsIris, withStrips(test, strips), strips, options)
  const { genuine, imposter, imposterCount, curve, eer } = scored
  const drawn = imposter.length < imposterCount ? ` (drawn from ${imposterCount} by the seed)` : ''
  const rates = FALSE_ACCEPT_RATES.flatMap((rate) => [
    [`garAtFar${rate}`, truePositiveRateAt(curve, rate)],
    [`garAtFar${rate}Step`, truePositiveRateAt(curve, rate, { interpolation: 'step' })],
  ])
  return {
    protocol: `${config.data.protocol}: ${genuine.length} genuine and ${imposter.length} imposter pairs${drawn}; GAR is linear between points of the curve, and of the last point in …Step`,
    samples: genuine.length + imposter.length,
    metrics: { ...Object.fromEntries(rates), eer, decidability: decidability(genuine, imposter) },
    charts: verificationCharts(scored),
  }
}

/** Compares the pairs of a test's eyes, each image described once. */
export function scoredPairs(
  model: TransCapsIris,
  eyes: readonly Eye<StripSource>[],
  strips: Strips,
  { config, device, signal, onProgress, genuinePairs = genuinePairsOf(config) }: ScoreOptions,
): Promise<ScoredPairs> {
  const { imposters, batchSize } = config.evaluation
  const pairs = testPairs(eyes, { genuinePairs, imposters, seed: config.training.seed })
  return tidyAsync(async () => {
    using comparer = new IrisComparer(model, device)
    const options = { batchSize, signal, onProgress }
    const [firsts, seconds] = [
      await describeAll(comparer, pairs.images[0], strips, options),
      await describeAll(comparer, pairs.images[1], strips, options),
    ]
    const genuine = await comparer.scores(firsts, seconds, pairs.genuine, options)
    const imposter = await comparer.scores(firsts, seconds, pairs.imposter, options)
    for (const { maps, tokens } of [...firsts, ...seconds]) dispose([maps, tokens])
    return { ...curveOf(genuine, imposter), genuine, imposter, imposterCount: pairs.imposterCount }
  })
}

async function describeAll(
  comparer: IrisComparer,
  images: readonly IrisSample<StripSource>[],
  strips: Strips,
  { batchSize, signal, onProgress }: { readonly batchSize: number } & Pick<ScoreOptions, 'signal' | 'onProgress'>,
): Promise<Described[]> {
  const described: Described[] = []
  for (let from = 0; from < images.length; from += batchSize) {
    const part = images.slice(from, from + batchSize)
    described.push(
      ...(await tidyAsync(() => comparer.describe(stack(part.map(({ source }) => strips.get(source))), { signal }))),
    )
    onProgress?.({ stage: 'images', done: described.length, total: images.length })
  }
  return described
}

/** ROC and equal error rate of scores. */
export function curveOf(genuine: Float32Array, imposter: Float32Array): Pick<ScoredPairs, 'curve' | 'eer'> {
  return tidy(() => {
    const scores = cat([tensor(genuine), tensor(imposter)])
    const targets = cat([full([genuine.length], 1), full([imposter.length], 0)]).to('int64')
    return { curve: rocCurve(scores, targets), eer: equalErrorRate(scores, targets) }
  })
}

/** The least score at which no more than a share of imposters is accepted. */
export function thresholdFor({ curve }: Pick<ScoredPairs, 'curve'>, falseAcceptRate: number): number {
  const last = curve.falsePositiveRate.findLastIndex((rate) => rate <= falseAcceptRate)
  const [above, below] = [curve.thresholds[last] ?? Number.POSITIVE_INFINITY, curve.thresholds[last + 1] ?? 0]
  // Between both scores, so that neither is decided by rounding; where all are accepted, the least of all.
  if (!Number.isFinite(above)) return below + 1e-6
  return last + 1 < curve.thresholds.length ? (above + below) / 2 : above
}

/** ROC, and DET: both errors on logarithmic axes. */
export function verificationCharts({ curve, eer }: Pick<ScoredPairs, 'curve' | 'eer'>): Readonly<Record<string, Plot>> {
  const { falsePositiveRate, truePositiveRate } = curve
  const name = `EER ${(100 * eer).toFixed(2)} %`
  return {
    roc: rocPlot({ title: 'ROC', curves: [{ name, falsePositiveRate, truePositiveRate }] }),
    det: lineChart({
      ...{ title: 'DET', x: 'false accept rate', y: 'false reject rate', logX: true, logY: true, markers: false },
      series: [{ name, points: falsePositiveRate.map((rate, i) => [rate, 1 - (truePositiveRate[i] ?? 0)]) }],
    }),
  }
}
