import { Config, LowLightNetworks } from '../../lib/models/enhancement/fusion-low-light-enhancement'
import { syntheticPicture } from '../../lib/models/enhancement/fusion-low-light-enhancement/synthetic'
import { parseConfig } from '../../lib/pipeline'
import { networkRun, type SystemCase } from '../support/system-case'

const SIDE = 512

/** Curve maps, upper branch and fusion of a whole picture; the guide, which BM3D would make, is given. */
export const systemCase: SystemCase = {
  system: 'fusion-low-light-enhancement',
  title: `picture of ${SIDE}×${SIDE}, guide given`,
  unit: 'pictures',
  peerConfig: {},
  make: (device) =>
    networkRun(
      {
        create: () => new LowLightNetworks(parseConfig(Config, {}, 'systems')),
        inputs: () => {
          const { dark, bright } = syntheticPicture(0, SIDE)
          return [dark.unsqueeze(0), bright.mul(0.2).unsqueeze(0)]
        },
        forward: (model, picture, guide) => [model.forward(picture, guide)],
      },
      device,
    ),
}
