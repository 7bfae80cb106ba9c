// Downloads LibTorch into the cache: what `vision-native setup` does, for a working copy that is not built yet.
import { fileURLToPath } from 'node:url'
import { setup } from '../lib/native/setup'

/** Fills the cache unless it is complete. */
export async function setUpLibTorch(): Promise<void> {
  const { root } = await setup({ showPip: true, onMessage: (message) => console.log(`setup: ${message}`) })
  console.log(`setup: LibTorch is in ${root}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setUpLibTorch().catch((error: Error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
