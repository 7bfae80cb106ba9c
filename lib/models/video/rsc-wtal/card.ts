import type { SystemCard } from '../../../pipeline'

const HOSTS = { 'ham-net': 'HAM-Net', cola: 'CoLA', 'co2-net': 'CO2-Net' } as const
type Host = keyof typeof HOSTS

const thumos = (host: Host, count: number) => ({
  network: `${HOSTS[host]} + RSC, THUMOS14`,
  count,
  config: { host },
})
const activityNet = (host: Host, count: number) => ({
  network: `${HOSTS[host]} + RSC, ActivityNet1.2`,
  count,
  config: { host, variant: 'activitynet1.2' },
})

const rows = (dataset: string, overlaps: readonly string[], table: Readonly<Record<string, readonly number[]>>) =>
  Object.entries(table).flatMap(([setting, values]) =>
    values.map((value, i) => ({ dataset, metric: `mAP@${overlaps[i]}`, value, setting })),
  )
const averages = (
  dataset: string,
  what: string,
  names: readonly string[],
  table: Readonly<Record<string, readonly number[]>>,
) =>
  Object.entries(table).flatMap(([host, values]) =>
    values.map((value, i) => ({ dataset, metric: 'mAP@AVG', value, setting: `${host} + RSC, ${what} ${names[i]}` })),
  )

const PROJECTIONS = ['rgb', 'flow', 'rgb and flow']
const REGIONS = ['2', '4', '8']

export const card = {
  name: 'rsc-wtal',
  family: 'video',
  task: 'localize',
  summary: 'finds when actions happen in long videos, learnt from the names of the actions alone',
  paper: {
    title: 'Weakly-Supervised Temporal Action Localization with Regional Similarity Consistency',
    venue: 'MMM',
    year: 2023,
  },
  parameters: [
    thumos('ham-net', 30_196_758),
    thumos('cola', 13_676_032),
    thumos('co2-net', 35_183_127),
    activityNet('cola', 40_644_796),
    activityNet('co2-net', 35_347_047),
    { network: 'projection f_proj', count: 1_050_112, part: 'proj_net' },
  ],
  published: [
    ...rows('THUMOS14', ['0.1', '0.3', '0.5', '0.7', 'AVG'], {
      'HAM-Net, their own run': [65.8, 51.1, 31.3, 10.9, 40.0],
      'HAM-Net + RSC': [66.9, 51.0, 31.7, 12.0, 40.9],
      'CoLA, their own run': [66.4, 51.8, 34.0, 12.8, 41.7],
      'CoLA + RSC': [67.2, 52.9, 34.8, 13.0, 42.6],
      'CO2-Net, their own run': [70.1, 54.5, 38.3, 13.4, 44.6],
      'CO2-Net + RSC': [70.6, 55.9, 38.9, 13.6, 45.3],
    }),
    ...rows('THUMOS14', ['0.2', '0.4', '0.6'], {
      'HAM-Net + RSC': [60.2, 42.0, 22.1],
      'CoLA + RSC': [61.5, 43.9, 24.9],
      'CO2-Net + RSC': [64.2, 47.7, 26.0],
    }),
    ...rows('ActivityNet1.2', ['0.5', '0.75', '0.95', 'AVG'], {
      'HAM-Net, their own run': [41.1, 24.6, 5.0, 25.0],
      'HAM-Net + RSC': [40.8, 24.8, 5.0, 25.2],
      'CoLA, their own run': [40.6, 27.6, 3.1, 26.3],
      'CoLA + RSC': [41.0, 27.9, 2.6, 26.7],
      'CO2-Net, their own run': [43.4, 25.9, 5.3, 26.1],
      'CO2-Net + RSC': [44.4, 26.8, 5.7, 27.1],
    }),
    ...averages('THUMOS14', 'projection of', PROJECTIONS, {
      'HAM-Net': [40.9, 30.6, 37.5],
      CoLA: [42.6, 30.5, 38.4],
      'CO2-Net': [45.3, 38.5, 41.8],
    }),
    ...averages('THUMOS14', 'regions', REGIONS, {
      'HAM-Net': [40.7, 40.9, 40.8],
      CoLA: [42.2, 42.6, 40.9],
      'CO2-Net': [43.8, 45.3, 44.3],
    }),
    ...averages('ActivityNet1.2', 'regions', REGIONS, {
      'HAM-Net': [24.9, 25.2, 25.0],
      CoLA: [26.7, 26.7, 26.5],
      'CO2-Net': [26.8, 27.1, 26.4],
    }),
  ],
  datasets: [
    {
      name: 'features of THUMOS14 or ActivityNet1.2, or of any videos',
      layout:
        'features/{train,test}/{rgb,flow}/VIDEO.npy ([segments, 1024]), split_train.txt, split_test.txt and gt.json ({"database": {VIDEO: {"annotations": [{"label", "segment"}]}}})',
      note: 'a segment is 16 frames at 25 a second; ambiguous.txt with rows "<video> <start> <end>" is taken where it is there (CO2-Net)',
    },
    {
      name: 'THUMOS14 as released with W-TALC',
      layout: 'Thumos14reduced-I3D-JOINTFeatures.npy and Thumos14reduced-Annotations/*.npy',
      note: 'convertReducedFeatures writes the layout above',
    },
  ],
} as const satisfies SystemCard
