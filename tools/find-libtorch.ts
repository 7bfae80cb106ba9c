// Prints the folder of the LibTorch that would be used, for CMakeLists.txt and scripts.
import { findLibTorch } from '../lib/native/libtorch'

try {
  console.log(findLibTorch().root)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
