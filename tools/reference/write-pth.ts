import { savePth } from '../../lib/io'
import { pthFixture, valueToWrite } from '../../test/support/pth-written'

/**
 * Writes test/fixtures/pth/written.pth with this package's own writer. Run it when what the writer writes changes on
 * purpose, then let Python judge the file: python tools/reference/pth_written.py. Tests compare with it byte for byte.
 */
async function main(): Promise<void> {
  await savePth(pthFixture('written.pth'), await valueToWrite())
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
