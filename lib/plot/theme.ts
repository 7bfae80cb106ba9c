/**
 * Colours that people with any of the common colour deficiencies tell apart, and that differ in print (Okabe and Ito,
 * "Color Universal Design", 2008). Their yellow is left out: a line in it cannot be seen on white.
 */
export const PALETTE: readonly string[] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000']

/** Past the last colour the colours begin again, with the next of these. */
export const DASHES: readonly (readonly [number, number])[] = [
  [1, 0],
  [6, 3],
  [2, 2],
]

const FONT = 'DejaVu Sans, Liberation Sans, Arial, Helvetica, sans-serif'
const INK = '#222222'

/** Shared by all plots. Sizes are in pixels. */
export const CONFIG = {
  background: '#ffffff',
  font: FONT,
  padding: 12,
  view: { stroke: '#888888' },
  title: { fontSize: 16, fontWeight: 'bold', color: INK, anchor: 'start', offset: 10, limit: 0 },
  axis: {
    labelFontSize: 12,
    titleFontSize: 13,
    titleFontWeight: 'normal',
    labelColor: INK,
    titleColor: INK,
    titlePadding: 8,
    gridColor: '#e3e3e3',
    tickColor: '#888888',
    domainColor: '#888888',
    labelLimit: 220,
    labelFlush: false,
  },
  legend: {
    labelFontSize: 12,
    titleFontSize: 12,
    labelColor: INK,
    symbolStrokeWidth: 2.5,
    symbolSize: 140,
    labelLimit: 320,
  },
  header: { labelFontSize: 13, titleFontSize: 13, labelColor: INK, titleColor: INK },
} as const
