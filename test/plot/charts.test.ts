import { describe, expect, test } from 'vitest'
import { barChart, confusionMatrixPlot, lineChart, precisionRecallPlot, rocPlot, stack } from '../../lib/plot'

const lines = (svg: string) =>
  [...svg.matchAll(/aria-roledescription="line mark"[^>]* d="([^"]*)"/g)].map(([, path]) => path as string)
const points = (path: string) =>
  [...path.matchAll(/[ML]([\d.-]+),([\d.-]+)/g)].map(([, x, y]) => [Number(x), Number(y)])
const marks = (svg: string, role: string) =>
  [...svg.matchAll(new RegExp(`aria-roledescription="${role}"[^>]* d="([^"]*)"[^>]*`, 'g'))].map(([mark]) => mark)

test('a ROC curve stands over the diagonal of chance, with its rates on the axes', async () => {
  const curve = { name: 'AUC 0.75', falsePositiveRate: [0, 0, 0.5, 0.5, 1], truePositiveRate: [0, 0.5, 0.5, 1, 1] }
  const svg = await rocPlot({ curves: [curve, { ...curve, name: 'b' }], width: 100, height: 100 }).toSvg()
  expect(lines(svg).map(points).slice(0, 2)).toEqual([
    [
      [0, 100],
      [100, 0],
    ],
    [
      [0, 100],
      [0, 50],
      [50, 50],
      [50, 0],
      [100, 0],
    ],
  ])
  for (const text of ['false positive rate', 'true positive rate', 'AUC 0.75']) expect(svg).toContain(`>${text}<`)
})

test('precision is, on the way to a recall, what it is there', async () => {
  const curve = { name: 'a', recall: [0, 0.5, 1], precision: [1, 1, 0.4] }
  const svg = await precisionRecallPlot({ curves: [curve], width: 100, height: 100 }).toSvg()
  // Down to 0.4 at recall 0.5, then along.
  expect(lines(svg)[0]).toMatch(/50,0L50,60L100,60/)
  expect(svg).toContain('>recall<')
})

describe('confusionMatrixPlot', () => {
  const matrix = [
    [9, 1],
    [0, 0],
  ]

  test('shows each number in the row of the truth and the column of the prediction', async () => {
    const svg = await confusionMatrixPlot({
      matrix: [
        [9, 1],
        [2, 30],
      ],
      labels: ['cat', 'dog'],
      width: 100,
      height: 100,
    }).toSvg()
    const place = (text: number) => {
      const [, x, y] = new RegExp(`translate\\(([\\d.]+),([\\d.]+)\\)"[^>]*>${text}</text>`).exec(svg) ?? []
      return [Number(x) > 50, Number(y) > 55]
    }
    // [right, below]
    expect([9, 1, 2, 30].map(place)).toEqual([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ])
    for (const text of ['cat', 'dog', 'true class', 'predicted class']) expect(svg).toContain(`>${text}<`)
  })

  test('shades by the share of the row, and a row without samples not at all', async () => {
    const svg = await confusionMatrixPlot({ matrix }).toSvg()
    const shades = marks(svg, 'rect mark').map((mark) => /fill="([^"]*)"/.exec(mark)?.[1])
    expect(shades).toHaveLength(4)
    expect(shades[2]).toBe(shades[3])
    expect(new Set(shades).size).toBe(3)
  })

  test.each([
    [{ matrix: [[1, 2]] }, /the matrix is square/],
    [{ matrix: [] }, /the matrix is square/],
    [{ matrix, labels: ['a'] }, /give 2 different ones/],
    [{ matrix, labels: ['a', 'a'] }, /give 2 different ones/],
  ])('refuses %o', (options, message) => {
    expect(() => confusionMatrixPlot(options)).toThrow(message)
  })
})

describe('barChart', () => {
  test('draws bars from 0, in the order given', async () => {
    const bars = [
      { label: 'z', value: 2 },
      { label: 'a', value: 4 },
      { label: 'none', value: Number.NaN },
    ]
    const svg = await barChart({ x: 'class', y: 'F1', bars, height: 100 }).toSvg()
    const heights = marks(svg, 'bar').map((mark) => Number(/ d="M[\d.]+,[\d.]+h[\d.]+v([\d.]+)/.exec(mark)?.[1]))
    expect(heights.slice(0, 2)).toEqual([50, 100])
    expect(svg.indexOf('>z<')).toBeLessThan(svg.indexOf('>a<'))
  })

  test('refuses what cannot be told apart', () => {
    const twice = [
      { label: 'a', value: 1 },
      { label: 'a', value: 2 },
    ]
    expect(() => barChart({ x: 'x', y: 'y', bars: twice })).toThrow(/two bars are 'a'/)
    const many = Array.from({ length: 8 }, (_, i) => ({ label: 'a', value: i, group: `g${i}` }))
    expect(() => barChart({ x: 'x', y: 'y', bars: many })).toThrow(/8 groups/)
  })
})

test('stack keeps what each plot shows', async () => {
  const loss = lineChart({
    title: 'Loss',
    x: 'epoch',
    y: 'loss',
    series: [
      {
        name: 'train',
        points: [
          [0, 1],
          [1, 0],
        ],
      },
    ],
  })
  const bars = barChart({ title: 'F1', x: 'class', y: 'score', bars: [{ label: 'cat', value: 1 }] })
  const below = await stack([loss, bars], { title: 'Run 7' }).toSvg()
  for (const text of ['Run 7', 'Loss', 'F1', 'epoch', 'score', 'cat']) expect(below).toContain(`>${text}<`)
  const size = (svg: string) => [Number(/width="([\d.]+)"/.exec(svg)?.[1]), Number(/height="([\d.]+)"/.exec(svg)?.[1])]
  const beside = await stack([loss, bars], { columns: 2 }).toSvg()
  expect(size(beside)[0]).toBeGreaterThan(size(below)[0] as number)
  expect(size(beside)[1]).toBeLessThan(size(below)[1] as number)
  expect(() => stack([])).toThrow(/there are no plots/)
  expect(() => stack([loss], { columns: 0 })).toThrow(/columns is 0/)
})
