// The paper's validation: how well motion is measured, by how large it is.
import {
  clipStream,
  type Evaluation,
  SYNTHETIC,
  throwIfCancelled,
  type UntrainedEvaluateRequest,
} from '../../../pipeline'
import { type Device, Generator, randn, type Tensor, tidy } from '../../../tensor'
import { compareWithFlow } from './compare'
import type { Config } from './config'
import { sensorRecords } from './data'
import { MotionEstimator } from './estimator'
import { measureClip } from './measure'
import type { PointMotion } from './measurement'
import { compareWithSensor, type SensorComparison } from './sensor'
import { correlation, rootMeanSquare } from './signals'
import { edge, sway } from './synthetic'

const FRAMES = 48
/** Standard deviation of the sensor noise, of 0–1. */
const NOISE = 0.005
/** Motions in pixels, RMS. */
const SIZES = [0.01, 0.05] as const
/** Where the edge is measured: x, and rows far enough apart to be independent. */
const COLUMN = 64
const ROWS = [35, 45, 55, 65, 75, 85] as const

/**
 * Correlation of the measured with the true motion by its size, as in the paper's Fig. 1: with the sensors of a folder,
 * or on the synthetic set of a faintly textured edge in noise that sways by a known amount.
 */
export function evaluate(request: UntrainedEvaluateRequest<Config>): Promise<Evaluation> {
  return request.data === SYNTHETIC ? evaluateSynthetic(request) : evaluateSensors(request)
}

async function evaluateSynthetic(request: UntrainedEvaluateRequest<Config>): Promise<Evaluation> {
  const { config, signal, onProgress, device } = request
  const metrics: Record<string, number> = {}
  for (const [index, rms] of SIZES.entries()) {
    throwIfCancelled(signal, 'motion-microscopy')
    const { correlation: found, gain } = swayingEdge(rms, config, device)
    metrics[`correlation at ${rms} px`] = found
    metrics[`gain at ${rms} px`] = gain
    onProgress?.({ stage: 'measure', done: index + 1, total: SIZES.length })
  }
  const { phases, tvl1 } = await compareWithFlow(0.1, 0)
  metrics['error at 0.1 px, texture'] = phases
  metrics['error at 0.1 px, texture, TV-L1'] = tvl1
  return {
    protocol: `correlation with the true motion across an edge of contrast 0.6 in noise of ${NOISE}, mean of ${ROWS.length} points`,
    samples: SIZES.length * FRAMES,
    metrics,
  }
}

async function evaluateSensors(request: UntrainedEvaluateRequest<Config>): Promise<Evaluation> {
  const { config, data, skipBroken = false, note, signal, onProgress, device } = request
  const records = await sensorRecords(data, skipBroken, note)
  const found: SensorComparison[] = []
  for (const { name, path, sensor, point, direction, ...filters } of records) {
    const clip = await clipStream(path, 'motion-microscopy')
    using motion = await measureClip(clip, config, { kind: 'none' }, device, { points: [point], signal })
    const [x, y] = [Math.cos((direction * Math.PI) / 180), Math.sin((direction * Math.PI) / 180)]
    const { u, v } = motion.points[0] as PointMotion
    const displacement = u.map((value, t) => x * value + y * (v[t] ?? 0))
    const compared = compareWithSensor(displacement, clip.fps, sensor, filters)
    note(`${name}: correlation ${compared.correlation.toFixed(3)}, ${compared.scale.toPrecision(4)} px a unit`)
    found.push(compared)
    onProgress?.({ stage: 'videos', done: found.length, total: records.length })
  }
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const pieces = found.flatMap((one) => one.pieces)
  const large = pieces.filter(({ rms }) => rms > 0.05).map((piece) => piece.correlation)
  const correlations = found.map((one) => one.correlation)
  return {
    protocol: 'correlation with the sensors, as a whole and in eight pieces a video',
    samples: found.length,
    metrics: {
      ...{ correlation: mean(correlations), best: Math.max(...correlations) },
      'correlation of pieces': mean(pieces.map((piece) => piece.correlation)),
      ...(large.length > 0 && { 'correlation of pieces above 0.05 px': mean(large) }),
    },
  }
}

function swayingEdge(rms: number, config: Config, device: Device): { correlation: number; gain: number } {
  const { motion, boundary, padding, noise } = config
  using generator = new Generator(noise.seed)
  return tidy(() => {
    const noisy = (image: Tensor) =>
      image.add(randn(image.shape, { generator, dtype: 'float64' }), { alpha: NOISE }).to({ dtype: 'float32', device })
    const { unwrap: _, ...options } = motion
    const estimator = new MotionEstimator(noisy(edge(0)), { ...options, boundary, padding })
    const truth = Array.from({ length: FRAMES }, (_, t) => rms * sway(t))
    const found = truth.map((u) =>
      tidy(() => {
        const across = estimator
          .measure(noisy(edge(u)).unsqueeze(0))
          .select(1, 0)
          .select(2, COLUMN)
          .squeeze(0)
        const values = across.toArray() as number[]
        return ROWS.map((row) => values[row] as number)
      }),
    )
    const points = ROWS.map((_, i) => found.map((frame) => frame[i] as number))
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    const correlations = points.map((point) => correlation(point, truth))
    return {
      correlation: mean(correlations),
      gain: mean(points.map((point, i) => ((correlations[i] ?? 0) * rootMeanSquare(point)) / rootMeanSquare(truth))),
    }
  })
}
