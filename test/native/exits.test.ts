// How a process and its workers end while work of every kind is under way (test/support/work-in-flight.ts). All ways, and
// each kind of work alone, are in exits.long.ts.
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectExit, expectRounds, FEW_EXITS, inFlight } from '../support/exits'

const run = inFlight()

test.each(FEW_EXITS)('a process with work of every kind under way ends by %s as any other does', async (ENDING) => {
  await expectExit(run, { ENDING, DELAY_MS: '5' })
  expect(existsSync('core')).toBe(false)
})

test('workers may end in every way at any moment, and nothing stays of them', async () => {
  await expectRounds(run, 3, 2)
})
