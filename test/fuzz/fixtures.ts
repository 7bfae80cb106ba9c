import { readFileSync } from 'node:fs'

/** Files of the tests, small enough to be read thousands of times. */
export const fixtures = (...paths: readonly string[]): Buffer[] =>
  paths.map((path) => readFileSync(new URL(`../${path}`, import.meta.url)))

export const texts = (...all: readonly string[]): Buffer[] => all.map((each) => Buffer.from(each))
export const values = (...all: readonly unknown[]): Buffer[] => texts(...all.map((each) => JSON.stringify(each)))
