import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { LayerCase } from './layer-cases'

interface Printed {
  readonly printed: string
  readonly state: readonly string[]
}

const path = new URL('../fixtures/nn/layers.json', import.meta.url)
const layers = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, Printed>>

/** PyTorch leaves out what these do, or prints parameters in another way. */
const PRINTED_OTHERWISE = /^(Fractional|ParameterList|ParameterDict|Hardswish inplace|Hardsigmoid inplace)/

/** A group of tests: the cases' modules print as PyTorch's do, and name their state in the same order. */
export function testPrintedLayers(cases: readonly LayerCase[]): void {
  describe('prints and names its state as PyTorch', () => {
    test.each(cases.filter(({ name }) => layers[name]))('$name', ({ name, make }) => {
      const module = make?.()
      const { printed, state } = layers[name] as Printed
      expect([...(module?.stateDict().keys() ?? [])]).toEqual(state.filter((key) => key !== '_random_samples'))
      if (!PRINTED_OTHERWISE.test(name)) expect(comparable(String(module))).toBe(comparable(inCamelCase(printed)))
      module?.dispose()
    })
  })
}

function inCamelCase(printed: string): string {
  return printed
    .replace(/\b[a-z]\w*(?==)/g, (name) => name.replace(/(?<=[a-z\d])_([a-z\d])/g, (_, c: string) => c.toUpperCase()))
    .replaceAll('True', 'true')
    .replaceAll('False', 'false')
    .replaceAll('None', 'null')
}

/** Numbers in one form; quotes and the comma of a list of one left out, about which PyTorch itself is of two minds. */
function comparable(line: string): string {
  return line
    .replace(/(?<![\w.])\d[\d.]*(e-?\d+)?(?![\w.])/g, (number) => String(Number(number)))
    .replace(/\((\d+),\)/g, '$1')
    .replaceAll("'", '')
}
