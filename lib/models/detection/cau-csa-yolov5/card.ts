import type { SystemCard } from '../../../pipeline'

const sites = {
  YOLOv5: ['nearest', 'none'],
  CAU: ['cau', 'none'],
  CSA: ['nearest', 'csa'],
  both: ['cau', 'csa'],
} as const

const count = (base: 's' | 'l6', classes: 45 | 80, variant: keyof typeof sites, count: number) => {
  const [upsampling, attention] = sites[variant]
  const name = variant === 'YOLOv5' ? '' : variant === 'both' ? ' + CAU + CSA' : ` + ${variant}`
  return {
    network: `YOLOv5${base}${name}, ${classes} classes`,
    count,
    config: { classes, network: { base, upsampling, attention } },
  }
}

const rows = (dataset: string, metrics: readonly string[], table: Readonly<Record<string, readonly number[]>>) =>
  Object.entries(table).flatMap(([setting, values]) =>
    values.map((value, i) => ({ dataset, metric: metrics[i] ?? '', value, setting })),
  )

const AP = ['AP_s', 'AP_m', 'AP_l', 'AP50', 'mAP']

export const card = {
  name: 'cau-csa-yolov5',
  family: 'detection',
  task: 'detect',
  summary: 'finds objects, small ones above all: YOLOv5 with content-aware upsampling and channel shuffle attention',
  paper: { title: 'Feature Enhancement and Reconstruction for Small Object Detection', venue: 'MMM', year: 2023 },
  parameters: [
    count('s', 80, 'both', 8_481_428),
    count('s', 80, 'CAU', 7_705_477),
    count('s', 80, 'CSA', 8_011_340),
    count('s', 80, 'YOLOv5', 7_235_389),
    count('s', 45, 'both', 8_387_033),
    count('s', 45, 'CAU', 7_611_082),
    count('s', 45, 'CSA', 7_916_945),
    count('s', 45, 'YOLOv5', 7_140_994),
    count('l6', 45, 'both', 84_880_600),
    count('l6', 45, 'CAU', 80_451_780),
    count('l6', 45, 'CSA', 80_929_772),
    count('l6', 45, 'YOLOv5', 76_500_952),
    count('l6', 80, 'both', 85_149_820),
    count('l6', 80, 'CAU', 80_721_000),
    count('l6', 80, 'CSA', 81_198_992),
    count('l6', 80, 'YOLOv5', 76_770_172),
    {
      network: 'YOLOv5l6 + CAU without its last convolution, 45 classes',
      count: 79_531_204,
      config: { classes: 45, network: { base: 'l6', attention: 'none', post: 'none' } },
    },
    ...[
      [768, 2_470_820, 13],
      [512, 1_142_180, 17],
      [256, 337_828, 21],
    ].map(([channels, size = 0, row]) => ({
      network: `CAU of ${channels} channels`,
      count: size,
      part: `model.${row}`,
      config: { classes: 45, network: { base: 'l6' } },
    })),
    { network: 'CAU of 128 channels', count: 132_260, part: 'model.15' },
    { network: 'CSA of 128 channels', count: 37_125, part: 'model.24.csa.0' },
    ...[
      [256, 147_973],
      [512, 590_853],
      [768, 1_328_645],
      [1024, 2_361_349],
    ].map(([channels, size = 0], i) => ({
      network: `CSA of ${channels} channels`,
      count: size,
      part: `model.33.csa.${i}`,
      config: { classes: 45, network: { base: 'l6' } },
    })),
  ],
  published: [
    ...rows('TT-100K', AP, {
      'YOLOv5l6 + CAU + CSA': [66.1, 82.8, 88.5, 96.4, 78.2],
      'YOLOv5l6 + CAU': [65.8, 81.9, 88.2, 95.9, 77.5],
      YOLOv5l6: [63.9, 81.3, 87.1, 95.5, 76.5],
      YOLOv4: [62.8, 79.8, 85.4, 94.7, 74.9],
      'Cascade R-CNN': [55.7, 85.4, 90.4, 92.5, 74.9],
      'Faster R-CNN': [50.0, 82.0, 88.0, 90.3, 72.1],
      SSD: [25.3, 67.8, 81.5, 83.5, 59.8],
      RetinaNet: [60.9, 79.5, 81.2, 92.4, 70.9],
      YOLOv3: [60.4, 76.7, 81.1, 91.6, 70.2],
    }),
    ...rows('TT-100K', AP.slice(1), { 'EfficientDet-D0': [74.4, 83.6, 85.4, 66.7] }),
    ...rows('COCO 2017', AP, {
      'YOLOv5s + CAU + CSA': [21.9, 42.9, 47.8, 57.1, 37.5],
      YOLOv5s: [21.1, 42.3, 47.5, 56.7, 37.1],
      'Faster R-CNN': [15.7, 35.8, 44.3, 55.2, 34.1],
      'Cascade R-CNN': [19.6, 38.9, 48.0, 55.8, 36.8],
      'Deformable R-FCN': [19.4, 40.1, 52.5, 58.0, 37.5],
      CoupleNet: [11.6, 36.3, 50.1, 53.5, 33.1],
      CornerNet: [17.0, 39.0, 50.5, 53.7, 37.8],
      RefineDet: [16.5, 38.8, 51.5, 57.0, 36.1],
      DSSD513: [13.0, 35.4, 51.1, 53.3, 33.2],
      RetinaNet: [18.5, 37.2, 45.4, 53.4, 35.1],
      DeNet: [12.3, 36.1, 50.8, 53.4, 33.8],
      YOLOv3: [20.5, 39.3, 45.9, 54.8, 35.1],
    }),
    ...rows('640 × 640', ['GFLOPs'], {
      'YOLOv5l6, 45 classes': [110.8],
      'YOLOv5l6 + CAU, 45 classes': [116.6],
      'YOLOv5l6 + CAU + CSA, 45 classes': [121.9],
    }),
  ],
  datasets: [
    {
      name: 'YOLO',
      layout: 'images/{train,val}/**, labels/{train,val}/**/*.txt and data.yaml or classes.txt',
      note: 'or {train,valid}/{images,labels}',
    },
    {
      name: 'COCO 2017',
      layout: '{train,val}2017/*.jpg or images/{train,val}2017, annotations/instances_{train,val}2017.json',
    },
    {
      name: 'TT-100K',
      layout: 'annotations.json, train/*.jpg, test/*.jpg',
      note: 'the 45 usual classes; the folder other is ignored. Set crop=1280 size=1280 network.base=l6',
    },
  ],
} as const satisfies SystemCard
