import { expect, test } from 'vitest'
import { loadPth, savePth } from '../../lib/io'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()

test('values are whole wherever the memory of the pickle grows', async () => {
  // Its memory grows at 4096 bytes; the padding moves every kind of value across that place.
  const values = {
    text: 'param_groups',
    float: 0.1,
    byte: 200,
    short: 60_000,
    int: -70_000,
    long: 2n ** 70n,
    list: [1.5],
  }
  const path = folder('grown.pth')
  for (let padding = 3990; padding < 4096; padding++) {
    const written = { padding: 'x'.repeat(padding), ...values }
    await savePth(path, written)
    expect(await loadPth(path), `padding of ${padding}`).toEqual(written)
  }
})

test('so are references to more than 256 values', async () => {
  const path = folder('references.pth')
  for (let padding = 0; padding < 40; padding++) {
    const texts = Array.from({ length: 320 }, (_, i) => `name ${i}`)
    const written = { padding: 'x'.repeat(padding), texts, again: texts.map((text) => ({ text, value: 1 / 3 })) }
    await savePth(path, written)
    expect(await loadPth(path), `padding of ${padding}`).toEqual(written)
  }
})
