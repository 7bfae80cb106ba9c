// The native functions of bindings.d.ts, called as only a mistake of ours, or someone who gets hold of them, would.
import fc from 'fast-check'
import { errorOfKind, VisionNativeError } from '../../../lib/native/errors'
import { bridge, native } from '../../../lib/native/frame'
import { shown } from '../../../lib/native/shown'
import { ones, type Tensor } from '../../../lib/tensor'
import { HANDLE } from '../../../lib/tensor/handle'
import type { Random } from '../../abuse/random'
import { values } from '../fixtures'
import { json } from '../mutators'
import type { Target } from '../target'

/** JavaScript expressions of every kind of value; `h` and `g` are tensors, `gone` was one. */
const EXPRESSIONS = [
  ...['undefined', 'null', 'true', 'false', '0', '-0', '1', '-1', '2', '3', '8', '1.5', '-1.5', '255', '4096', '65536'],
  ...['2**31', '-(2**31)', '2**32', '2**53', '2**64', '1e300', '-1e300', 'NaN', 'Infinity', '-Infinity', '5e-324'],
  ...[
    '0n',
    '1n',
    '-1n',
    '2n**63n',
    '2n**64n - 1n',
    '-(2n**63n)',
    '10n**40n',
    '""',
    '"cpu"',
    '"cuda"',
    '"cuda:0"',
    '"meta"',
  ],
  ...[
    '"aten::add"',
    '"aten::nothing"',
    '"vision_native::nms"',
    '"float32"',
    '"\\u0000"',
    '"x".repeat(1e5)',
    '"\\ud800"',
  ],
  ...[
    'Symbol("s")',
    'Symbol.iterator',
    '() => 1',
    'function f() {}',
    'async () => {}',
    'class A {}',
    '() => { throw own }',
  ],
  ...[
    '() => ({})',
    '() => 1n',
    '() => h',
    'Math',
    'new Date()',
    '/x/',
    'new Map()',
    'new Set([1])',
    'Promise.resolve(1)',
  ],
  ...[
    'new Error("e")',
    'new WeakMap()',
    '[]',
    '[""]',
    '["Tensor"]',
    '["Tensor", "Scalar"]',
    '[1, 2]',
    '[,]',
    '[null]',
    '[[]]',
  ],
  ...[
    'new Array(1000).fill("out")',
    '{}',
    'Object.create(null)',
    '({ length: 3 })',
    '({ length: -1 })',
    '({ valueOf() { throw own } })',
  ],
  ...[
    '({ toString() { throw own } })',
    'new Proxy({}, { get() { throw own } })',
    'new Proxy([], {})',
    'new Proxy(() => 1, {})',
  ],
  ...['new ArrayBuffer(0)', 'new ArrayBuffer(8)', 'new ArrayBuffer(1 << 20)', 'new SharedArrayBuffer(64)', 'detached'],
  ...[
    'new Uint8Array(0)',
    'new Uint8Array(3)',
    'new Float64Array(8)',
    'new BigInt64Array(2)',
    'new DataView(new ArrayBuffer(9), 1)',
  ],
  ...[
    'new Float32Array(new ArrayBuffer(64), 4, 3)',
    'new Uint8Array(detached)',
    'new Int16Array(new SharedArrayBuffer(8))',
    'Buffer.from("abc")',
  ],
  ...['h', 'h', 'g', 'gone', '-h', 'h + 1', 'h + 0.5', 'h + 2**32', 'globalThis'],
]

/** Numbers as they stand in the frame: tags, small counts, handles and what is none of these. */
const FRAME = [
  '0',
  '1',
  '2',
  '3',
  '4',
  '5',
  '7',
  '10',
  '11',
  '15',
  '16',
  '-1',
  '-2',
  '100',
  '1e9',
  '2**53',
  'NaN',
  '1.5',
  '-1e300',
  'Infinity',
  'h',
  'g',
  'gone',
]

interface Call {
  readonly name: string
  readonly args: readonly string[]
  /** What the frame begins with. */
  readonly frame?: readonly string[]
}

const NAMES = Object.keys(bridge()).sort()

const callArbitrary: fc.Arbitrary<Call> = fc.record({
  name: fc.constantFrom(...NAMES),
  args: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...EXPRESSIONS) },
      { weight: 1, arbitrary: fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value))) },
      { weight: 1, arbitrary: fc.bigInt().map((value) => `${value}n`) },
      { weight: 1, arbitrary: fc.string().map((value) => JSON.stringify(value)) },
    ),
    { maxLength: 5 },
  ),
  frame: fc.array(fc.constantFrom(...FRAME), { maxLength: 16 }),
})

const someCalls = (random: Random): readonly Call[] => {
  const calls = fc.array(callArbitrary, { minLength: 1, maxLength: 6 })
  const [sample = []] = fc.sample(calls, { seed: random.int(0, 2 ** 31 - 1), numRuns: 1 })
  return sample
}

const MEMORY_LIMIT = 2 ** 28

/** Brings back what a call may have changed for all that follow. */
function restore(frame: ArrayBuffer): void {
  const { attach, abortCapture, setGradEnabled, setInferenceMode, setAnomaly, setNumThreads, ...b } = bridge()
  attach(frame, errorOfKind)
  abortCapture()
  setInferenceMode(false)
  setGradEnabled(true)
  setAnomaly(false, false, () => '')
  setNumThreads(1)
  b.setDeterministic(0)
  b.setCpuMemoryLimit(MEMORY_LIMIT)
  for (const device of ['cpu', 'cuda'] as const) {
    while (b.autocastModes(device) !== initialAutocast[device]) b.leaveAutocast(device, initialAutocast[device])
  }
  native.strings.clear()
  b.resetStrings()
}

const initialAutocast = { cpu: bridge().autocastModes('cpu'), cuda: 0 }

const OWN = new Error('of the caller')

export const bridgeCalls: Target = {
  keepsTensors: true,
  corpus: values([{ name: 'numThreads', args: [] }]),
  mutators: [(_, random) => Buffer.from(JSON.stringify(someCalls(random))), json(...NAMES, ...EXPRESSIONS)],
  read: async (input) => {
    const calls = JSON.parse(input.toString())
    if (!Array.isArray(calls)) return
    const frame = native.doubles.buffer as ArrayBuffer
    const [h, g, gone] = [ones([3]), ones([2, 2], { requiresGrad: true }), ones([1])] as [Tensor, Tensor, Tensor]
    gone.dispose()
    const detached = new ArrayBuffer(8)
    structuredClone(detached, { transfer: [detached] })
    const scope = { own: OWN, h: h[HANDLE], g: g[HANDLE], gone: gone[HANDLE], detached, Buffer }
    const value = (text: unknown) => expression(text, scope)
    const refusals: unknown[] = []
    try {
      for (const call of calls) {
        const { name, args, frame: words } = call ?? {}
        if (typeof name !== 'string') continue
        const fn = (bridge() as unknown as Readonly<Record<string, unknown>>)[name]
        if (typeof fn !== 'function' || !Array.isArray(args)) continue
        const made = args.map(value)
        if (Array.isArray(words)) for (const [i, word] of words.entries()) native.doubles[i] = Number(value(word)) || 0
        try {
          fn(...made)
        } catch (error) {
          if (error !== OWN && !VisionNativeError.is(error))
            throw new Error(`bridge().${name}(${shown(args)}) threw something else`, { cause: error })
          refusals.push(error)
        } finally {
          restore(frame)
        }
      }
      // What was begun on the pool settles here.
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      h.dispose()
      g.dispose()
    }
    const [first] = refusals
    if (first !== undefined && refusals.length === calls.length)
      throw VisionNativeError.is(first) ? first : errorOfKind('Argument', 'own')
  },
}

/** A text that is no expression stands for itself. */
function expression(text: unknown, scope: object): unknown {
  if (typeof text !== 'string') return text
  try {
    return new Function(...Object.keys(scope), `return (${text})`)(...Object.values(scope))
  } catch {
    return text
  }
}
