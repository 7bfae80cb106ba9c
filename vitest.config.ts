import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A process a file: a crash of native code ends one file's tests and is told as a failure.
    pool: 'forks',
    maxWorkers: 2,
    // Two files run at a time, each with LibTorch's threads: those that wait must not hold the cores that others need.
    env: { OMP_WAIT_POLICY: 'passive' },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/support/count-reporter.ts'],
  },
})
