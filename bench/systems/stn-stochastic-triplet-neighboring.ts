import { DenoisingUNet } from '../../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import { rand } from '../../lib/tensor'
import { networkRun, type SystemCase } from '../support/system-case'

const SIDE = 256

export const systemCase: SystemCase = {
  system: 'stn-stochastic-triplet-neighboring',
  title: `picture of ${SIDE}×${SIDE}`,
  unit: 'pictures',
  peerConfig: { channels: 3, width: 48 },
  make: (device) =>
    networkRun(
      {
        create: () => new DenoisingUNet(),
        inputs: () => [rand([1, 3, SIDE, SIDE])],
        forward: (model, picture) => [model.forward(picture)],
      },
      device,
    ),
}
