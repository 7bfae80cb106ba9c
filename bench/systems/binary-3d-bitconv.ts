import { Config, createNetwork, packNetwork } from '../../lib/models/video/binary-3d-bitconv'
import { parseConfig } from '../../lib/pipeline'
import { randn } from '../../lib/tensor'
import { networkRun, type SystemCase } from '../support/system-case'

/** C3D of one bit, packed; the peer has the network that it was packed from. */
export const systemCase: SystemCase = {
  system: 'binary-3d-bitconv',
  title: 'C3D packed, clip of 16×112×112',
  unit: 'clips',
  peerConfig: { classes: 101, hidden: 4096 },
  make: (device) => {
    const config = parseConfig(Config, {}, 'systems')
    return networkRun(
      {
        create: () => createNetwork(config),
        deploy: (model) => packNetwork(model, config),
        inputs: () => [randn([1, 3, 16, 112, 112])],
        forward: (model, clip) => [model.forward(clip)],
      },
      device,
    )
  },
}
