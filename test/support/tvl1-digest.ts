// Prints a digest of every kind of TV-L1 result, for tests that run it under other settings of the environment.
import { createHash } from 'node:crypto'
import { tvl1Flow } from '../../lib/ops'
import { bits, frames, shifted, texture } from './tvl1'

const { first, second } = shifted(texture(2, 1, 60), 83, 61, 1.4, -0.7)
const hash = createHash('sha256')
for (const options of [{}, { preset: 'opencv24-cuda' }, { preset: 'ipol' }, { gamma: 0.1 }] as const) {
  hash.update(bits(tvl1Flow(frames(first), frames(second), options).flow))
}
// Wide enough for two tiles of columns, and ending inside a vector.
const wide = shifted(texture(3, 2, 20), 803, 40, 1.4, -0.7)
for (const options of [{}, { zeroBorder: true, coordinateSteps: 32, gamma: 0.1 }, { gradientFloor: 30 }] as const) {
  const { flow, residuals } = tvl1Flow(frames(wide.first), frames(wide.second), { scales: 2, warps: 2, ...options })
  hash.update(bits(flow)).update(bits(residuals))
}
console.log(hash.digest('hex'))
