import { join } from 'node:path'
import { type LineSeries, lineChart, type Point } from '../plot'
import type { EpochRecord, StepRecord, TrainingRecord } from './records'

/** Draws losses and metrics over the steps to `curves.svg` and `curves.png`. */
export async function drawCurves(folder: string, records: readonly TrainingRecord[]): Promise<void> {
  const series = lossSeries(records)
  if (series.every(({ points }) => points.length === 0)) return
  const plot = lineChart({ title: 'Training', x: 'step', y: 'loss', series })
  for (const file of ['curves.svg', 'curves.png']) await plot.toFile(join(folder, file))
}

function lossSeries(records: readonly TrainingRecord[]): LineSeries[] {
  const steps = records.filter((record): record is StepRecord => record.kind === 'step')
  const epochs = records.filter((record): record is EpochRecord => record.kind === 'epoch')
  return [
    { name: 'loss', points: steps.map(({ step, loss }): Point => [step, loss]) },
    { name: 'loss, mean of the epoch', points: epochs.map(({ step, loss }): Point => [step, loss]) },
  ]
}
