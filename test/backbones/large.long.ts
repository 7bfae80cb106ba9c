import { sizeOf, testBackbones } from '../support/backbone-loop'
import { LARGEST_QUICK } from '../support/backbone-runs'

testBackbones((name) => sizeOf(name) > LARGEST_QUICK)
