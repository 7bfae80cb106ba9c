import { join } from 'node:path'
import { type LineSeries, lineChart, type Plot, type Point, stack } from '../plot'
import type { EpochRecord, StepRecord, TrainingRecord } from './records'

/** Draws loss, validation and learning rate over the steps to `curves.svg` and `curves.png`. */
export async function drawCurves(folder: string, records: readonly TrainingRecord[]): Promise<void> {
  const steps = records.filter((record): record is StepRecord => record.kind === 'step')
  const epochs = records.filter((record): record is EpochRecord => record.kind === 'epoch')
  const panels = [
    panel('loss', [
      { name: 'steps', points: steps.map(({ step, loss }): Point => [step, loss]) },
      { name: 'epochs', points: epochs.map(({ step, loss }): Point => [step, loss]) },
    ]),
    panel('validation', validationSeries(epochs)),
    panel('learning rate', [
      { name: 'learning rate', points: steps.map(({ step, learningRate }): Point => [step, learningRate]) },
    ]),
  ].filter((plot) => plot !== undefined)
  if (panels.length === 0) return
  const figure = stack(panels)
  for (const file of ['curves.svg', 'curves.png']) await figure.toFile(join(folder, file))
}

function validationSeries(epochs: readonly EpochRecord[]): LineSeries[] {
  const names = new Set(epochs.flatMap(({ validation }) => Object.keys(validation ?? {})))
  return [...names].map((name) => ({
    name,
    points: epochs.flatMap(({ step, validation }): Point[] => {
      const value = validation?.[name]
      return value === undefined ? [] : [[step, value]]
    }),
  }))
}

/** A panel of the series that have points; none where no series has. */
function panel(y: string, all: readonly LineSeries[]): Plot | undefined {
  const series = all.filter(({ points }) => points.length > 0)
  const [only] = series
  if (only === undefined) return undefined
  // A series alone has no legend, so its axis names it.
  return lineChart({
    x: 'step',
    y: series.length === 1 && y === 'validation' ? `validation ${only.name}` : y,
    series,
    height: 180,
    markers: false,
  })
}
