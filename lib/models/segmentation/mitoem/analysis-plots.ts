// The charts of the paper's figures of its tissues.
import { barChart, lineChart, type Plot, type Point } from '../../../plot'
import type { TissueAnalysis } from './analyse'

/** Tissues by their names. */
export type Tissues = Readonly<Record<string, TissueAnalysis>>

const BINS = 10

/** How many objects there are of which size, each tissue in its colour; the last bin holds the larger ones too. */
export function sizePlot(tissues: Tissues): Plot {
  const sizes = Object.values(tissues).flatMap(({ objects }) => objects.map(({ voxels }) => voxels))
  // Few objects are several times as large as most are.
  const most = [...sizes].sort((a, b) => a - b)[Math.floor(0.95 * sizes.length)] ?? 1
  const width = Math.max(1, Math.ceil(most / BINS))
  const bars = Object.entries(tissues).flatMap(([group, { objects }]) =>
    Array.from({ length: BINS }, (_, bin) => {
      const isIn = (voxels: number) => Math.min(BINS - 1, Math.floor(voxels / width)) === bin
      return {
        group,
        label: `${bin * width}${bin === BINS - 1 ? ' and more' : ''}`,
        value: objects.filter(({ voxels }) => isIn(voxels)).length,
      }
    }),
  )
  return barChart({ x: `voxels, in steps of ${width}`, y: 'objects', bars })
}

/** Voxels of objects over the length of their skeletons, and the line through them. */
export function lengthPlot({ objects, volumeByLength }: TissueAnalysis): Plot {
  const lengths = objects.map(({ length }) => length)
  const line = (length: number): Point => [length, volumeByLength.slope * length + volumeByLength.intercept]
  // Points stand alone where a gap follows each.
  const points = objects.flatMap(({ length, voxels }): Point[] => [
    [length, voxels],
    [Number.NaN, Number.NaN],
  ])
  return lineChart({
    ...{ x: 'voxels of the skeleton', y: 'voxels', markers: true },
    series: [
      { name: 'objects', points },
      {
        name: `line, R² = ${volumeByLength.r2.toFixed(2)}`,
        points: [line(Math.min(...lengths)), line(Math.max(...lengths))],
      },
    ],
  })
}
