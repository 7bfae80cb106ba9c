import type { Reporter, TestModule } from 'vitest/node'

/**
 * Prints why tests were skipped (`skip(reason)` of a test's context), and as the last line of a run the count:
 * `N passed, N failed, N skipped`.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 }
    const lines: string[] = []
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result()
        count[result.state === 'pending' ? 'skipped' : result.state] += 1
        if (result.state === 'skipped') lines.push(`skipped: ${test.fullName}: ${result.note ?? 'no reason given'}`)
      }
      // A file that cannot be loaded has no tests to count, yet the run has failed.
      if (module.state() === 'failed' && module.errors().length > 0) count.failed += 1
    }
    count.failed += unhandledErrors.length
    // The default reporter's own summary is written first, at the end of the same event.
    lines.push(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
    setImmediate(() => console.log(lines.join('\n')))
  }
}
