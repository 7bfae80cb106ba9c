// Every tensor that a network begins with is drawn as its authors' package draws it: tools/reference/backbones/first_values.py
// wrote their means and mean absolute deviations, each from one draw.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { type BackboneName, createBackbone } from '../../lib/backbones'
import type { Module } from '../../lib/nn'
import { manualSeed, tidy } from '../../lib/tensor'

interface FirstValues {
  readonly name: string
  readonly network: BackboneName
  readonly options: object
  readonly tensors: readonly (readonly [name: string, mean: number, deviation: number])[]
}

const references = gunzipSync(readFileSync(new URL('../fixtures/backbones/first-values.ndjson.gz', import.meta.url)))
  .toString()
  .split('\n')
  .map((line) => JSON.parse(line) as FirstValues)

/** Of both draws, in standard errors: thousands of tensors are compared. */
const SURPRISE = 6

test.each(references.map((each) => [each.name, each] as const))('%s', (_, { network: name, options, tensors }) => {
  manualSeed(7)
  tidy(() => {
    using network = createBackbone(name, options) as Module
    const state = network.stateDict()
    const wrong = tensors.flatMap(([key, mean, deviation]) => {
      const own = state.get(key)
      if (own === undefined) return [`${key} is missing`]
      return tidy(() => {
        const values = own.detach().to('float64')
        const ownMean = values.mean().toNumber()
        const ownDeviation = values.sub(ownMean).abs().mean().toNumber()
        const size = own.numel
        const spread = Math.max(deviation, ownDeviation)
        // A normal distribution's standard deviation is 1.25 of it.
        const meanError = SURPRISE * 1.25 * spread * Math.sqrt(2 / size) + 1e-4 * Math.abs(mean)
        // A deviation that is one is within a factor, and one that is not stays none.
        const deviationError = size < 16 ? spread : Math.min(0.9, SURPRISE / Math.sqrt(size)) * spread
        const same =
          (deviation === 0) === ownDeviation < 1e-9 &&
          Math.abs(ownMean - mean) <= meanError + 1e-12 &&
          Math.abs(ownDeviation - deviation) <= deviationError + 1e-4 * deviation
        const shown = [mean, deviation, ownMean, ownDeviation].map((x) => x.toPrecision(4))
        return same ? [] : [`${key} [${own.shape}]: ${shown[0]} ± ${shown[1]} there, ${shown[2]} ± ${shown[3]} here`]
      })
    })
    expect(wrong).toEqual([])
  })
})
