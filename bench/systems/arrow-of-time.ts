import { Config, createNetwork } from '../../lib/models/video/arrow-of-time'
import { parseConfig } from '../../lib/pipeline'
import { randint } from '../../lib/tensor'
import { networkRun, type SystemCase } from '../support/system-case'

/** A view of a group of 20 flow maps, in two chunks of bytes less 128; a clip has a hundred views. */
export const systemCase: SystemCase = {
  system: 'arrow-of-time',
  title: 'view of a group, 1×2×20×224×224',
  unit: 'views',
  peerConfig: { chunks: 2, length: 10, width: 1 },
  make: (device) =>
    networkRun(
      {
        create: () => createNetwork(parseConfig(Config, {}, 'systems')),
        inputs: () => [randint(-128, 128, [1, 2, 20, 224, 224]).to('float32')],
        forward: (model, views) => [model.forward(views)],
      },
      device,
    ),
}
