import type { Reporter, TestModule } from 'vitest/node'

/** Prints the count as the last line of a run: `N passed, N failed, N skipped`. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        count[state === 'pending' ? 'skipped' : state] += 1
      }
      // A file that cannot be loaded has no tests to count, yet the run has failed.
      if (module.state() === 'failed' && module.errors().length > 0) count.failed += 1
    }
    count.failed += unhandledErrors.length
    // The default reporter's own summary is written first, at the end of the same event.
    setImmediate(() => console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`))
  }
}
