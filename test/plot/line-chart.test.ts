import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { VisionNativeError } from '../../lib/native/errors'
import { type LineChartOptions, lineChart } from '../../lib/plot'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()

const OPTIONS: LineChartOptions = {
  title: 'Loss & accuracy',
  x: 'epoch',
  y: 'cross entropy',
  series: [
    {
      name: 'train',
      points: [
        [1, 2],
        [2, 1],
        [3, 0.5],
      ],
    },
    {
      name: 'validation',
      points: [
        [1, 2.5],
        [2, 1.5],
        [3, 1],
      ],
    },
  ],
}
/** Outlines of the lines, in the order of the legend; M starts a stroke, L goes on. */
const strokes = (svg: string) =>
  [...svg.matchAll(/aria-roledescription="line mark"[^>]* d="([^"]*)"/g)].map(([, path]) => path as string)
const numbers = (path: string) =>
  [...path.matchAll(/[ML]([\d.-]+),([\d.-]+)/g)].map(([, x, y]) => [Number(x), Number(y)])

describe('lineChart', () => {
  test('labels the axes, the figure and each line', async () => {
    const svg = await lineChart(OPTIONS).toSvg()
    for (const text of ['Loss &amp; accuracy', 'epoch', 'cross entropy', 'train', 'validation']) {
      expect(svg).toContain(`>${text}</text>`)
    }
  })

  test('draws the points to scale', async () => {
    const svg = await lineChart({ ...OPTIONS, width: 200, height: 100, xRange: [1, 3], yRange: [0, 4] }).toSvg()
    expect(strokes(svg).map(numbers)).toEqual([
      [
        [0, 50],
        [100, 75],
        [200, 87.5],
      ],
      [
        [0, 37.5],
        [100, 62.5],
        [200, 75],
      ],
    ])
  })

  test('joins the points in the order in which they are given', async () => {
    const loop = {
      name: 'loop',
      points: [
        [0, 0],
        [1, 1],
        [0, 1],
        [0, 0],
      ] as const,
    }
    const svg = await lineChart({ ...OPTIONS, series: [loop], width: 100, height: 100 }).toSvg()
    expect(strokes(svg).map(numbers)).toEqual([
      [
        [0, 100],
        [100, 0],
        [0, 0],
        [0, 100],
      ],
    ])
  })

  test('breaks the line where a value is not finite', async () => {
    const points = [
      [0, 1],
      [1, 2],
      [2, Number.NaN],
      [3, 1],
      [4, Number.POSITIVE_INFINITY],
      [5, 1],
      [6, 2],
    ] as const
    const svg = await lineChart({ ...OPTIONS, series: [{ name: 'a', points }] }).toSvg()
    expect(strokes(svg)[0]?.match(/M/g)).toHaveLength(3)
  })

  test('spaces powers of ten evenly on a logarithmic axis, which has no place for zero', async () => {
    const points = [
      [0, 1],
      [1, 0.1],
      [2, 0.01],
      [3, 0],
      [4, -1],
    ] as const
    const options = { ...OPTIONS, series: [{ name: 'a', points }], height: 200, logY: true, yRange: [0.01, 1] as const }
    expect(strokes(await lineChart(options).toSvg()).map((path) => numbers(path).map(([, y]) => y))).toEqual([
      [0, 100, 200],
    ])
  })

  test('tells apart as many lines as are asked for', async () => {
    const series = Array.from({ length: 16 }, (_, i) => ({
      name: `s${i}`,
      points: [
        [0, i],
        [1, i + 1],
      ] as const,
    }))
    const svg = await lineChart({ ...OPTIONS, series }).toSvg()
    const looks = [...svg.matchAll(/aria-roledescription="line mark"[^>]*>/g)].map(([mark]) => {
      return `${/stroke="([^"]*)"/.exec(mark)?.[1]} ${/stroke-dasharray="([^"]*)"/.exec(mark)?.[1]}`
    })
    expect(looks).toHaveLength(16)
    expect(new Set(looks).size).toBe(16)
  })

  test('is an empty frame without data', async () => {
    expect(await lineChart({ x: 'step', y: 'loss', series: [] }).toSvg()).toContain('>loss</text>')
  })

  test.each<[string, Partial<LineChartOptions>, RegExp]>([
    ['no label', { y: '' }, /lineChart: the y is empty/],
    [
      'two lines of one name',
      {
        series: [
          { name: 'a', points: [] },
          { name: 'a', points: [] },
        ],
      },
      /two series are named 'a'/,
    ],
    ['a point of three numbers', { series: [{ name: 'a', points: [[1, 2, 3] as never] }] }, /point 0 of 'a' is 1,2,3/],
    ['no width', { width: 0 }, /width is 0/],
    ['a range upside down', { yRange: [1, 0] }, /yRange is \[1,0\]/],
    ['a logarithm of zero', { yRange: [0, 1], logY: true }, /yRange is \[0,1\].*above 0/],
  ])('refuses %s', (_, options, message) => {
    expect(() => lineChart({ ...OPTIONS, ...options })).toThrow(message)
  })
})

describe('Plot', () => {
  test('is a PNG of the same size times the scale', async () => {
    const plot = lineChart(OPTIONS)
    const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(await plot.toSvg()) ?? []
    for (const scale of [1, 2]) {
      const image = await sharp(await plot.toPng({ scale })).metadata()
      expect(image.format).toBe('png')
      expect([image.width, image.height]).toEqual([Number(width) * scale, Number(height) * scale])
    }
  })

  test('shows text: the PNG has ink where the title stands', async () => {
    const image = sharp(await lineChart(OPTIONS).toPng({ scale: 1 })).extract({
      left: 0,
      top: 0,
      width: 200,
      height: 30,
    })
    const { data } = await image.greyscale().raw().toBuffer({ resolveWithObject: true })
    expect(data.filter((grey) => grey < 100).length).toBeGreaterThan(100)
  })

  test('writes SVG or PNG by the extension', async () => {
    await lineChart(OPTIONS).toFile(inFolder('a.svg'))
    await lineChart(OPTIONS).toFile(inFolder('a.PNG'))
    expect(readFileSync(inFolder('a.svg'), 'utf8')).toMatch(/^<svg /)
    expect(readFileSync(inFolder('a.PNG')).subarray(1, 4).toString()).toBe('PNG')
    const failure = await lineChart(OPTIONS)
      .toFile(inFolder('a.pdf'))
      .catch((error: unknown) => error)
    expect(VisionNativeError.is(failure, 'Argument')).toBe(true)
  })

  test('refuses a scale that is none', async () => {
    await expect(lineChart(OPTIONS).toPng({ scale: 0 })).rejects.toThrow(/scale is 0/)
  })

  test('loads Vega and sharp only to draw', () => {
    const module = fileURLToPath(new URL('../../lib/plot/index.ts', import.meta.url))
    const script = `
      const { lineChart } = require(${JSON.stringify(module)})
      lineChart({ x: 'x', y: 'y', series: [] })
      console.log(Object.keys(require.cache).filter((path) => /node_modules.(vega|sharp)/.test(path)).length)`
    expect(execFileSync(process.execPath, ['--import', 'tsx', '-e', script], { encoding: 'utf8' }).trim()).toBe('0')
  })
})
