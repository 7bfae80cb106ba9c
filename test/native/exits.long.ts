// Every way to end, with all kinds of work and with each alone; and many workers.
import { describe, test } from 'vitest'
import { EXITS, expectExit, expectRounds, inFlight } from '../support/exits'

const run = inFlight()
const WORK = ['calls', 'async', 'graph', 'training', 'hooks', 'scopes', 'files', 'video', 'loader']

describe.each(Object.keys(EXITS))('a process ends by %s', (ENDING) => {
  test.each([...WORK, WORK.join()])('while %s is under way', async (WORK) => {
    for (const DELAY_MS of ['0', '7']) await expectExit(run, { ENDING, WORK, DELAY_MS })
  })
})

test.each([1, 2, 3, 4, 5])('workers may end in every way at any moment (seed %i)', async (seed) => {
  await expectRounds(run, seed, 10)
})
