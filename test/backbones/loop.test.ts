import { expect, test } from 'vitest'
import { networksWithoutCase, referencesWithoutCase, sizeOf, testBackbones } from '../support/backbone-loop'
import { LARGEST_QUICK } from '../support/backbone-runs'

testBackbones((name) => sizeOf(name) <= LARGEST_QUICK)

/** Networks that differ in a number only from one that is run. */
const NUMBER_ONLY = [
  'wide_resnet101_2',
  ...['vit_l_32', 'vit_h_14'],
  ...['swin_v2_s', 'swin_v2_b', 'swin3d_s', 'swin3d_b'],
  ...['mnasnet0_75', 'mnasnet1_3'],
  ...['shufflenet_v2_x1_5', 'shufflenet_v2_x2_0'],
  ...['efficientnet_v2_m', 'efficientnet_v2_l'],
  ...['tf_efficientnet_b1', 'tf_efficientnet_b2', 'tf_efficientnet_b5', 'tf_efficientnet_b6'],
  ...['regnet_x_800mf', 'regnet_x_1_6gf', 'regnet_x_3_2gf', 'regnet_x_8gf', 'regnet_x_16gf', 'regnet_x_32gf'],
  ...['regnet_y_800mf', 'regnet_y_1_6gf', 'regnet_y_3_2gf', 'regnet_y_8gf', 'regnet_y_16gf', 'regnet_y_32gf'],
]

test('every network of the registry is run, but for those that differ from one that is in a number only', () => {
  expect(networksWithoutCase().sort()).toEqual(NUMBER_ONLY.sort())
})

test('every published list of names is compared', () => {
  expect(referencesWithoutCase()).toEqual([])
})
