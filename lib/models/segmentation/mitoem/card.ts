import type { SystemCard } from '../../../pipeline'

const ap75 = (
  tissue: 'MitoEM-H' | 'MitoEM-R',
  setting: string,
  [small, medium, large, all]: readonly [number, number, number, number],
) =>
  [
    { dataset: tissue, metric: 'AP-75', value: all, setting },
    { dataset: tissue, metric: 'AP-75 small', value: small, setting },
    { dataset: tissue, metric: 'AP-75 medium', value: medium, setting },
    { dataset: tissue, metric: 'AP-75 large', value: large, setting },
  ] as const

export const card = {
  name: 'mitoem',
  family: 'segmentation',
  task: 'segment3d',
  summary: 'numbers every mitochondrion of an electron-microscopy volume, and measures how well',
  paper: {
    title: 'MitoEM Dataset: Large-scale 3D Mitochondria Instance Segmentation from EM Images',
    venue: 'MICCAI',
    year: 2020,
  },
  parameters: [
    { network: 'U3D-B (mask)', count: 1_410_191, config: { network: { representation: 'B' } } },
    { network: 'U3D-BC (mask and contour)', count: 1_410_894 },
    { network: 'U3D-A (affinities)', count: 1_411_597, config: { network: { representation: 'A' } } },
    { network: 'U3D-AC (affinities and contour)', count: 1_412_300, config: { network: { representation: 'AC' } } },
    { network: 'U3D-BC without the last batch norm', count: 1_410_890, config: { network: { finalNorm: false } } },
    { network: 'U3D-BC of half the width', count: 354_438, config: { network: { width: 0.5 } } },
    {
      network: 'U2D-B (2D U-Net)',
      count: 31_042_369,
      config: { network: { kind: 'u2d', representation: 'B' } },
    },
  ],
  published: [
    ...ap75('MitoEM-H', 'U3D-BC + MW', [0.489, 0.82, 0.618, 0.605]),
    ...ap75('MitoEM-R', 'U3D-BC + MW', [0.29, 0.751, 0.49, 0.521]),
    ...ap75('MitoEM-H', 'U3D-BC + CC', [0.48, 0.801, 0.611, 0.594]),
    ...ap75('MitoEM-R', 'U3D-BC + CC', [0.187, 0.551, 0.402, 0.397]),
    ...ap75('MitoEM-H', 'U3D-B + MW', [0.439, 0.794, 0.567, 0.561]),
    ...ap75('MitoEM-R', 'U3D-B + MW', [0.254, 0.692, 0.397, 0.447]),
    ...ap75('MitoEM-H', 'U3D-B + CC', [0.109, 0.497, 0.437, 0.271]),
    ...ap75('MitoEM-R', 'U3D-B + CC', [0.017, 0.39, 0.275, 0.208]),
    ...ap75('MitoEM-H', 'U2D-B + CC', [0.408, 0.814, 0.711, 0.597]),
    ...ap75('MitoEM-R', 'U2D-B + CC', [0.104, 0.628, 0.481, 0.355]),
    ...ap75('MitoEM-H', 'U3D-A + zwatershed', [0.564, 0.774, 0.615, 0.617]),
    ...ap75('MitoEM-R', 'U3D-A + zwatershed', [0.408, 0.235, 0.653, 0.328]),
    ...ap75('MitoEM-H', 'U3D-A + waterz', [0.454, 0.763, 0.628, 0.572]),
    ...ap75('MitoEM-R', 'U3D-A + waterz', [0.324, 0.149, 0.539, 0.294]),
    ...ap75('MitoEM-H', 'U3D-BC + MW, trained on the other tissue', [0.587, 0.862, 0.669, 0.69]),
    ...ap75('MitoEM-R', 'U3D-BC + MW, trained on the other tissue', [0.224, 0.674, 0.359, 0.411]),
    ...ap75('MitoEM-H', 'U3D-BC + CC, trained on the other tissue', [0.533, 0.833, 0.664, 0.65]),
    ...ap75('MitoEM-R', 'U3D-BC + CC, trained on the other tissue', [0.218, 0.64, 0.354, 0.407]),
    { dataset: 'Lucchi', metric: 'AP-75', value: 0.812, setting: 'U3D-BC + MW' },
    { dataset: 'Lucchi', metric: 'AP-75', value: 0.77, setting: 'U3D-BC + CC' },
    { dataset: 'Lucchi', metric: 'AP-75', value: 0.77, setting: 'U3D-B + MW' },
    { dataset: 'Lucchi', metric: 'AP-75', value: 0.769, setting: 'U3D-B + CC' },
    { dataset: 'Lucchi', metric: 'AP-75', value: 0.76, setting: 'U2D-B + CC' },
    { dataset: 'Lucchi', metric: 'AP-75', value: 0.521, setting: 'U2D-B + MC' },
    { dataset: 'Lucchi', metric: 'AP-75', value: 0.801, setting: 'U3D-A + zwatershed' },
    { dataset: 'Lucchi', metric: 'AP-75', value: 0.802, setting: 'U3D-A + waterz' },
    { dataset: 'Lucchi', metric: 'Jaccard', value: 0.881, setting: 'U3D-B' },
    { dataset: 'Lucchi', metric: 'Jaccard', value: 0.887, setting: 'U3D-BC' },
  ],
  datasets: [
    {
      name: 'MitoEM-R and MitoEM-H',
      layout: 'im/im0000.png …, mito_train/*.{png,tif} and mito_val/*.{png,tif}',
      note: 'labels go with the slice of the same number; coloured ones hold red · 65536 + green · 256 + blue',
    },
    {
      name: 'Lucchi (EPFL hippocampus)',
      layout: '{training,testing}.tif and {training,testing}_groundtruth.tif',
      note: 'components of the masks are the objects',
    },
    {
      name: 'your own volumes',
      layout: '{train,val}/NAME.npz with volume and labels, or {train,val}/NAME and NAME.labels',
      note: 'each of the latter a folder of slices, a .tif, or the .json of a volume in tiles',
    },
  ],
} as const satisfies SystemCard
