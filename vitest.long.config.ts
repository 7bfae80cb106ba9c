import { mergeConfig } from 'vitest/config'
import quick from './vitest.config'

/** The tests that take minutes: large networks. One file at a time, since each may hold gigabytes. */
export default mergeConfig(
  { ...quick, test: { ...quick.test, include: [] } },
  { test: { include: ['test/**/*.long.ts'], maxWorkers: 1, testTimeout: 600_000 } },
)
