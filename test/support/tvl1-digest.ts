// Prints a digest of every kind of TV-L1 result, for tests that run it under other settings of the environment.
import { createHash } from 'node:crypto'
import { tvl1Flow } from '../../lib/ops'
import { bits, frames, shifted, texture } from './tvl1'

const { first, second } = shifted(texture(2, 1, 60), 83, 61, 1.4, -0.7)
const hash = createHash('sha256')
for (const options of [{}, { preset: 'opencv24-cuda' }, { preset: 'ipol' }, { gamma: 0.1 }] as const) {
  hash.update(bits(tvl1Flow(frames(first), frames(second), options).flow))
}
console.log(hash.digest('hex'))
