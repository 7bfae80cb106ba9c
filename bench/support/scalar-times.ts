// Prints the times of a benchmark's cases with the kernels that this process was told to take.
import { type OperatorCase, ownTimes } from './operator-rows'

const { CASES } = (await import(process.argv[2] ?? '')) as { CASES: readonly OperatorCase[] }
process.stdout.write(JSON.stringify(ownTimes(CASES)))
