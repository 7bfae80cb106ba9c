import { expect, test } from 'vitest'
import { networksWithoutCase, sizeOf, testBackbones } from '../support/backbone-loop'

/** Larger ones are in the long tests, `npm run test:long`. */
export const LARGEST_QUICK = 12e6

testBackbones((name) => sizeOf(name) <= LARGEST_QUICK)

test('every network of the registry is run', () => {
  expect(networksWithoutCase()).toEqual(['wide_resnet101_2'])
})
