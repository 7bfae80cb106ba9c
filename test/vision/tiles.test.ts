import { expect, test } from 'vitest'
import { memory, rand, tidyAsync } from '../../lib/tensor'
import { mapTiles } from '../../lib/vision'
import { CheckedSignal } from '../support/count-checks'

const options = { tile: 8, halo: 2 }

test('tiles that a network does not change make up the picture again', async () => {
  await tidyAsync(async () => {
    const picture = rand([1, 2, 20, 13])
    const whole = await mapTiles([picture], options, async (tile) => tile.clone())
    expect(whole.equal(picture)).toBe(true)
  })
})

test('a signal stops it before the next tile, as an error of its own kind, and no tensors remain', async () => {
  const before = memory.stats().tensors
  for (const check of [1, 3]) {
    let tiles = 0
    const { signal } = new CheckedSignal(check)
    const call = tidyAsync(() =>
      mapTiles([rand([1, 1, 32, 8])], { ...options, signal }, async (tile) => {
        tiles++
        return tile.clone()
      }),
    )
    const error = await call.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ kind: 'Cancelled', cause: { message: `aborted at check ${check}` } })
    expect(tiles).toBe(check - 1)
  }
  expect(memory.stats().tensors).toBe(before)
})
