import type { SystemCard } from '../../../pipeline'

const METRICS = ['GAR at FAR 10 % (%)', 'GAR at FAR 1 % (%)', 'EER (%)'] as const
const row = (dataset: string, gar10: number, gar1: number, eer: number, setting: string = 'the whole system') =>
  [
    { dataset, metric: METRICS[0], value: gar10, setting },
    { dataset, metric: METRICS[1], value: gar1, setting },
    { dataset, metric: METRICS[2], value: eer, setting },
  ] as const

export const card = {
  name: 'iris-transformer-capsule',
  family: 'biometrics',
  task: 'match',
  summary: 'tells whether two pictures from different cameras, visible or infrared, show the same iris',
  paper: {
    title: 'Toward More Accurate Heterogeneous Iris Recognition with Transformers and Capsules',
    venue: 'MMM',
    year: 2023,
  },
  parameters: [
    { network: 'whole network', count: 28_902_656 },
    { network: 'ResNet-18 trunk', part: 'extractor.trunk', count: 11_176_512 },
    { network: 'reduction to 32 channels', part: 'extractor.reduce', count: 16_416 },
    { network: 'token generator', part: 'extractor.tokenizer', count: 128 },
    { network: 'transformer with positions', part: 'extractor.transformer', count: 62_816 },
    { network: 'capsule convolution', part: 'matcher.conv', count: 36_992 },
    { network: '3D capsule layer, kernel of 3 × 3 × 3 with β', part: 'matcher.routed', count: 3_712 },
    {
      network: '3D capsule layer, kernel of 3 × 3 × 16 with β',
      part: 'matcher.routed',
      count: 18_688,
      config: { network: { kernelDepth: 16 } },
    },
    { network: 'digit capsules', part: 'matcher.digits', count: 16_777_216 },
    { network: 'reconstruction', part: 'matcher.reconstruction', count: 828_864 },
  ],
  published: [
    ...row('PolyU cross-spectral', 99.72, 98.45, 1.36),
    ...row('PolyU cross-spectral', 99.05, 96.81, 2.4, 'DenseSENet'),
    ...row('PolyU cross-spectral', 96.41, 90.71, 5.39, 'CNN-SDH'),
    ...row('PolyU cross-spectral', 64.91, 47.74, 24.5, 'MRF'),
    ...row('PolyU cross-spectral', 51.89, 33.12, 30.81, 'IrisCode'),
    ...row('IIIT-D contact lens', 99.56, 98.91, 0.68),
    ...row('IIIT-D contact lens', 98.94, 98.07, 1.73, 'DenseSENet'),
    ...row('IIIT-D contact lens', 89.92, 85.04, 10.02, 'DA-DBNN'),
    ...row('IIIT-D contact lens', 49.2, 21.53, 29.59, 'ESG'),
    ...row('IIIT-D contact lens', 72.52, 61.43, 19.26, 'ablation: CNN only'),
    ...row('IIIT-D contact lens', 96.14, 94.87, 2.76, 'ablation: CNN and transformer over chunks'),
    ...row('IIIT-D contact lens', 97.9, 96.34, 2.46, 'ablation: CNN, tokens and transformer'),
    ...row('IIIT-D contact lens', 80.89, 75.76, 12.84, 'ablation: CNN and capsules'),
    ...row('IIIT-D contact lens', 97.89, 95.63, 2.21, 'λₘ 0.1, λᵣ 0.1'),
    ...row('IIIT-D contact lens', 98.46, 97.04, 1.94, 'λₘ 0.25, λᵣ 0.1'),
    ...row('IIIT-D contact lens', 97.72, 95.54, 2.3, 'λₘ 0.1, λᵣ 0.25'),
    ...row('IIIT-D contact lens', 97.32, 95.12, 2.56, 'λₘ 0.1, λᵣ 0.5'),
  ],
  datasets: [
    {
      name: 'PolyU cross-spectral iris, IIIT-D contact lens iris, or one’s own',
      layout: 'iris.csv with the columns path,subject,eye,domain,instance; or subject/eye/domain/instance.png',
      note: 'eye is L or R; pictures of eyes, or strips that are normalised already',
    },
  ],
} as const satisfies SystemCard
