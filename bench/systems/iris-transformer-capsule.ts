import { Config, TransCapsIris } from '../../lib/models/biometrics/iris-transformer-capsule'
import { parseConfig } from '../../lib/pipeline'
import { randn, type Tensor } from '../../lib/tensor'
import { networkRun, type SystemCase } from '../support/system-case'

/** Two normalised irises: CNN, tokens and transformer, and the capsules that judge the difference. */
export const systemCase: SystemCase = {
  system: 'iris-transformer-capsule',
  title: 'pair of irises of 256×256',
  unit: 'pairs',
  peerConfig: {},
  make: (device) =>
    networkRun(
      {
        create: () => new TransCapsIris(parseConfig(Config, {}, 'systems')),
        inputs: () => [randn([1, 3, 256, 256]), randn([1, 3, 256, 256])],
        forward: (model, first, second) => {
          const { difference, capsules } = model.forward(first, second)
          return [difference, capsules as Tensor]
        },
      },
      device,
    ),
}
