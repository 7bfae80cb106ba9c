import { Config, createLocalizer } from '../../lib/models/video/rsc-wtal'
import { parseConfig } from '../../lib/pipeline'
import { rand } from '../../lib/tensor'
import { networkRun, type SystemCase } from '../support/system-case'

const SEGMENTS = 320
const FEATURES = 1024

/** CO2-Net behind the projection, on features of a video of three and a half minutes. */
export const systemCase: SystemCase = {
  system: 'rsc-wtal',
  title: `CO2-Net, features of ${SEGMENTS} segments`,
  unit: 'videos',
  peerConfig: { features: FEATURES, classes: 20 },
  make: (device) =>
    networkRun(
      {
        create: () => createLocalizer(parseConfig(Config, {}, 'systems')),
        inputs: () => [rand([1, SEGMENTS, 2 * FEATURES])],
        forward: (model, features) => {
          const { activation, attention } = model.forward(features)
          return [activation, attention]
        },
      },
      device,
    ),
}
