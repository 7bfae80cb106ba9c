// `npm run test:sanitize`: native code under tools that see what tests cannot. Each check ends with a planted defect, which
// must be reported.
//
//   npm run test:sanitize [-- threads kernels bridge leaks races] [--seconds 60] [--seed 1] [--only OPERATOR]
import { parseArgs } from 'node:util'
import { BuildError } from './run'
import { bridge } from './sanitize/bridge'
import { kernels } from './sanitize/kernels'
import { leaks } from './sanitize/leaks'
import { races } from './sanitize/races'
import { threads } from './sanitize/threads'

const CHECKS = new Map(Object.entries({ threads, kernels, bridge, leaks, races }))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
})
const unknown = positionals.find((name) => !CHECKS.has(name))
if (unknown !== undefined) {
  throw new BuildError(`sanitize: there is no '${unknown}'; there are ${[...CHECKS.keys()].join(', ')}`)
}
for (const [name, check] of CHECKS) if (positionals.length === 0 || positionals.includes(name)) await check(values)
