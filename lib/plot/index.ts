export { type ChartFrame, type LineChartOptions, type LineSeries, lineChart, type Point } from './line-chart'
export { Plot, type PngOptions } from './plot'
