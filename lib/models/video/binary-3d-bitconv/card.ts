import type { SystemCard } from '../../../pipeline'

const count = (network: string, count: number, config: Readonly<Record<string, unknown>>) => ({
  network,
  count,
  config: { network: config },
})

const accuracies = (setting: string, ucf: readonly [number, number], hmdb?: readonly [number, number]) => [
  { dataset: 'UCF101', metric: 'top-1 (%)', value: ucf[0], setting },
  { dataset: 'UCF101', metric: 'top-5 (%)', value: ucf[1], setting },
  ...(hmdb
    ? [
        { dataset: 'HMDB51', metric: 'top-1 (%)', value: hmdb[0], setting },
        { dataset: 'HMDB51', metric: 'top-5 (%)', value: hmdb[1], setting },
      ]
    : []),
]

const memory = (setting: string, value: number) => ({ dataset: 'memory', metric: 'Mb', value, setting })

export const card = {
  name: 'binary-3d-bitconv',
  family: 'video',
  task: 'classify',
  summary: 'names the action of a video with 3D convolutions of one bit, small and quick enough for small devices',
  paper: { title: 'Binary Neural Network for Video Action Recognition', venue: 'MMM', year: 2023 },
  parameters: [
    count('1-bit C3D', 78_422_565, {}),
    count('1-bit C3D without shortcuts', 78_422_565, { shortcut: false }),
    count('1-bit C3D without Sign2', 78_414_501, { sign2: false }),
    count('C3D', 78_409_573, { precision: 'float' }),
    count('1-bit ResNet3D-18', 33_232_997, { backbone: 'resnet3d-18' }),
    count('1-bit ResNet3D-18 without shortcuts', 33_059_173, { backbone: 'resnet3d-18', shortcut: false }),
    count('ResNet3D-18', 33_218_085, { backbone: 'resnet3d-18', precision: 'float' }),
    count('1-bit I3D-50', 27_515_685, { backbone: 'i3d-50' }),
    count('I3D-50', 27_430_821, { backbone: 'i3d-50', precision: 'float' }),
    count('1-bit SlowOnly-50', 31_926_309, { backbone: 'slowonly-50' }),
    count('SlowOnly-50', 31_841_445, { backbone: 'slowonly-50', precision: 'float' }),
  ],
  published: [
    ...accuracies('C3D', [83.27, 95.9], [74.35, 91.13]),
    ...accuracies('1-bit C3D', [79.69, 94.37], [70.13, 90.62]),
    ...accuracies('I3D, ResNet3D-18', [73.12, 90.48], [70.49, 88.3]),
    ...accuracies('1-bit I3D, 18 layers', [69.5, 88.13], [68.82, 88.95]),
    ...accuracies('I3D, ResNet3D-50', [74.52, 91.09], [72.75, 89.32]),
    ...accuracies('1-bit I3D, 50 layers', [70.02, 88.37], [70.71, 89.68]),
    ...accuracies('SlowOnly, 50 layers', [81.95, 95.43], [77.25, 91.28]),
    ...accuracies('1-bit SlowOnly, 50 layers', [78.27, 92.78], [74.27, 90.84]),
    ...accuracies('1-bit C3D without shortcuts', [79.06, 93.75]),
    ...accuracies('1-bit C3D without Sign2', [76.88, 92.81]),
    ...accuracies('1-bit I3D, 50 layers, without shortcuts', [69.31, 87.02]),
    ...accuracies('1-bit I3D, 50 layers, without Sign2', [66.69, 86.47]),
    memory('C3D', 77.996),
    memory('1-bit C3D', 51.225),
    memory('I3D, ResNet3D-50 (it is the 18-layer network)', 33.166),
    memory('1-bit I3D, 50 layers', 8.503),
  ],
  datasets: [
    {
      name: 'UCF101',
      layout: 'UCF-101/<class>/*.avi, ucfTrainTestlist/{classInd,trainlist01,testlist01}.txt',
      note: 'the lists of data.split; labels of the lists must agree with the folders',
    },
    {
      name: 'HMDB51',
      layout: '<class>/*.avi',
      note: '1 of 5 videos of each class for tests, at random as in the paper; with testTrainMulti_7030_splits/ the official lists of data.split',
    },
    {
      name: 'folders of classes',
      layout: '<class>/**/*.{mp4,mov,mkv,webm,avi}, or train/<class>/… and test/<class>/… (or val)',
    },
  ],
} as const satisfies SystemCard
