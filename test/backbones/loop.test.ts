import { expect, test } from 'vitest'
import { networksWithoutCase, sizeOf, testBackbones } from '../support/backbone-loop'
import { LARGEST_QUICK } from '../support/backbone-runs'

testBackbones((name) => sizeOf(name) <= LARGEST_QUICK)

test('every network of the registry is run, but for those that differ from one that is in a number only', () => {
  expect(networksWithoutCase()).toEqual(['wide_resnet101_2'])
})
