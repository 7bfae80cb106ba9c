import type { SystemCard } from '../../../pipeline'

const ablation = (setting: string, value: number) =>
  ({ dataset: 'Flickr-AoT', metric: 'accuracy (%)', value, setting: `flow, VGG-16, ${setting}` }) as const
const benchmark = (dataset: string, setting: string, value: number) =>
  ({ dataset, metric: 'accuracy (%)', value, setting }) as const

export const card = {
  name: 'arrow-of-time',
  family: 'video',
  task: 'time-arrow',
  summary: 'tells from motion alone whether a video plays forward or backward, and shows where the evidence is',
  paper: { title: 'Learning and Using the Arrow of Time', venue: 'CVPR', year: 2018 },
  parameters: [
    { network: 'T-CAM, 2 chunks of 10 flow maps', count: 43_054_721 },
    { network: 'T-CAM, 2 chunks of 5 flow maps', count: 43_048_961, config: { network: { maps: 10 } } },
    { network: 'T-CAM, 1 chunk of 20 flow maps', count: 38_347_649, config: { network: { chunks: 1 } } },
    { network: 'T-CAM, 4 chunks of 5 flow maps', count: 52_486_145, config: { network: { chunks: 4 } } },
    { network: 'T-CAM, 1 chunk of 10 flow maps', count: 38_336_129, config: { network: { maps: 10, chunks: 1 } } },
    { network: 'T-CAM, 1 chunk of 40 flow maps', count: 38_370_689, config: { network: { maps: 40, chunks: 1 } } },
    {
      network: 'T-CAM with the two classifier convolutions of the released model',
      count: 33_614_465,
      config: { network: { classifierConvs: 2 } },
    },
    { network: 'T-CAM on 2 chunks of 10 RGB frames', count: 43_060_481, config: { network: { modality: 'rgb' } } },
    { network: 'T-CAM of ResNet-50', count: 99_067_009, config: { network: { trunk: 'resnet50' } } },
    {
      network: 'AlexNet on 10 flow maps',
      count: 57_139_585,
      config: { network: { trunk: 'alexnet', maps: 10, chunks: 1 } },
    },
  ],
  published: [
    ablation('10 maps in 1 chunk', 65),
    ablation('20 maps in 1 chunk', 62),
    ablation('40 maps in 1 chunk', 67),
    ablation('10 maps in 2 chunks', 79),
    ablation('20 maps in 2 chunks', 81),
    ablation('20 maps in 4 chunks', 71),
    ablation('10 maps in 2 chunks, half overlapping', 75),
    ablation('20 maps in 2 chunks, half overlapping', 76),
    ablation('20 maps in 4 chunks, half overlapping', 73),
    benchmark('TA-180', 'trained on Flickr-AoT', 83),
    benchmark('TA-180', 'trained on Kinetics-AoT', 79),
    benchmark('TA-180', 'people', 93),
    benchmark('Flickr-AoT', 'trained on Kinetics-AoT', 73),
    benchmark('Flickr-AoT', 'people', 81),
    benchmark('Kinetics-AoT', 'trained on Flickr-AoT', 71),
    benchmark('Kinetics-AoT', 'trained on Kinetics-AoT', 79),
    benchmark('Kinetics-AoT', 'people', 83),
    benchmark('UCF101', 'with black frames', 98),
    benchmark('UCF101', 'black frames set to 0', 90),
    benchmark('UCF101', 'clips that can be stabilised, before', 88),
    benchmark('UCF101', 'clips that can be stabilised, after', 75),
    benchmark('Reverse Film', 'trained on Flickr-AoT', 76),
    benchmark('Reverse Film', 'trained on Kinetics-AoT', 72),
    benchmark('Reverse Film', 'people', 80),
    benchmark('three-cushion billiards', 'trained on simulated shots', 85),
    benchmark('UCF101 actions, split 1', 'fine-tuned from UCF101: last layer', 58.6),
    benchmark('UCF101 actions, split 1', 'fine-tuned from UCF101: after fusion', 81.2),
    benchmark('UCF101 actions, split 1', 'fine-tuned from UCF101: all layers', 86.3),
    benchmark('UCF101 actions, split 1', 'fine-tuned from UCF101: ResNet-50, all layers', 87.2),
    benchmark('HMDB51 actions', 'fine-tuned from UCF101: all layers', 55.4),
  ],
  datasets: [
    {
      name: 'lists of flow, as released for UCF101, Flickr-AoT and Kinetics-AoT',
      layout: 'train.txt and test.txt with rows "<folder> <maps> <label>"; <folder>/flow_{x,y}_0001.{png,jpg} …',
      note: 'label 0 is forward in the released lists; paths may be relative to the lists',
    },
    {
      name: 'a folder of videos',
      layout: '**/*.{mp4,mov,mkv,webm,avi}',
      note: 'cut into shots, stabilised and turned into flow in the folder of the run; 70 % of the videos are for training',
    },
  ],
} as const satisfies SystemCard
