import { Config, MapNetwork } from '../../lib/models/segmentation/mitoem'
import { parseConfig } from '../../lib/pipeline'
import { rand } from '../../lib/tensor'
import { networkRun, type SystemCase } from '../support/system-case'

const WINDOW = [16, 128, 128] as const

/** U3D on a window of an eighth of the paper's voxels. */
export const systemCase: SystemCase = {
  system: 'mitoem',
  title: `U3D, window of ${WINDOW.join('×')}`,
  unit: 'windows',
  peerConfig: {},
  make: (device) =>
    networkRun(
      {
        create: () => new MapNetwork(parseConfig(Config, {}, 'systems')),
        inputs: () => [rand([1, 1, ...WINDOW])],
        forward: (model, window) => [model.forward(window)],
      },
      device,
    ),
}
