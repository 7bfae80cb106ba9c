import { describe, expect, test } from 'vitest'
import { call, type DType, getNumThreads, gradcheck, setNumThreads, type Tensor, tensor, tidy } from '../../lib/tensor'

/** What a kernel computes, and the slow, obvious way to the same. Inputs are float64 unless they are whole numbers. */
export interface OpCase {
  readonly name: string
  readonly inputs: () => readonly Tensor[]
  readonly run: (...inputs: Tensor[]) => Tensor | readonly Tensor[]
  /** In float64; the same shapes as `run`. */
  readonly reference: (...inputs: Tensor[]) => Tensor | readonly Tensor[]
  /** Places of the inputs that have gradients; none unless stated. */
  readonly differentiable?: readonly number[] | undefined
  /** `gradcheck` of large cases takes long. */
  readonly skipGradients?: boolean | undefined
}

export interface OpTests {
  /** Largest absolute difference from the reference, by dtype of the floating-point inputs. */
  readonly tolerances: Partial<Readonly<Record<DType, number>>>
  readonly cases: readonly OpCase[]
  /** Largest absolute difference of a gradient in float64; 1e-6 unless stated. */
  readonly gradientTolerance?: number | undefined
}

const LAYOUTS = ['contiguous', 'strided', 'channels last'] as const

/**
 * Crosses the cases of an operator with dtypes and memory layouts against its reference, checks gradients in float64,
 * shapes on the meta device, and that neither a second run nor another number of threads changes a bit.
 */
export function testOp(name: string, { tolerances, cases, gradientTolerance = 1e-6 }: OpTests): void {
  describe(name, () => {
    for (const opCase of cases) {
      describe(opCase.name, () => {
        for (const [dtype, tolerance] of Object.entries(tolerances) as [DType, number][]) {
          test.each(LAYOUTS)(`${dtype}, %s: equals the reference`, (layout) => {
            tidy(() => {
              // Rounded first, so that the reference sees what the kernel sees.
              const inputs = opCase.inputs().map((input) => (isFloating(input) ? input.to(dtype) : input))
              const actual = list(opCase.run(...inputs.map((input) => laidOut(input, layout))))
              const expected = list(opCase.reference(...inputs.map((i) => (isFloating(i) ? i.to('float64') : i))))
              expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape))
              for (const [i, value] of actual.entries()) {
                expect(largestDifference(value, expected[i] as Tensor)).toBeLessThanOrEqual(tolerance)
              }
            })
          })
        }
        if (opCase.differentiable && !opCase.skipGradients) {
          test('its gradients agree with differences', () => {
            tidy(() => {
              const inputs = opCase.inputs().map((input, i) => {
                return opCase.differentiable?.includes(i) ? input.detach().clone().requiresGrad_() : input
              })
              gradcheck((...given: Tensor[]) => [...list(opCase.run(...given))], inputs, { atol: gradientTolerance })
            })
          })
        }
        test('has the same shape and dtype on the meta device', () => {
          tidy(() => {
            const inputs = opCase.inputs()
            const real = list(opCase.run(...inputs))
            const meta = list(opCase.run(...inputs.map((input) => input.to('meta'))))
            expect(meta.map(({ shape, dtype }) => [shape, dtype])).toEqual(real.map((t) => [t.shape, t.dtype]))
          })
        })
        test('gives the same bits again, and with any number of threads', () => {
          tidy(() => {
            const inputs = opCase.inputs().map((input) => (isFloating(input) ? input.to('float32') : input))
            const before = getNumThreads()
            try {
              const runs = [1, 2, 2, 3].map((threads) => {
                setNumThreads(threads)
                return list(opCase.run(...inputs)).map(bytesOf)
              })
              for (const again of runs.slice(1)) {
                // `toEqual` looks at large arrays element by element, for seconds.
                expect(again.map((bytes, i) => Buffer.compare(bytes, runs[0]?.[i] as Uint8Array))).toEqual(
                  again.map(() => 0),
                )
              }
            } finally {
              setNumThreads(before)
            }
          })
        })
      })
    }
  })
}

function list(result: Tensor | readonly Tensor[]): readonly Tensor[] {
  return Array.isArray(result) ? result : [result as Tensor]
}

export function isFloating(t: Tensor): boolean {
  return /^b?float/.test(t.dtype)
}

/** The same values in another order of memory. */
export function laidOut(t: Tensor, layout: (typeof LAYOUTS)[number]): Tensor {
  if (layout === 'contiguous' || t.ndim === 0) return t.contiguous()
  if (layout === 'channels last' && t.ndim === 4) return t.contiguous({ memoryFormat: 'channels_last' })
  if (layout === 'channels last' && t.ndim === 5) return t.contiguous({ memoryFormat: 'channels_last_3d' })
  // Every second element along a last axis that is stored first.
  const spread = t
    .unsqueeze(-1)
    .expand([...t.shape, 2])
    .contiguous()
    .select(-1, 0)
  return t.ndim > 1 ? spread.transpose(0, -1).contiguous().transpose(0, -1) : spread
}

export function largestDifference(a: Tensor, b: Tensor): number {
  if (a.numel === 0) return 0
  const difference = a.to('float64').sub(b.to('float64')).abs()
  // NaN in both is no difference; in one it is an infinite one.
  const [x, y] = [a.to('float64').isnan(), b.to('float64').isnan()]
  if (x.ne(y).any().item()) return Number.POSITIVE_INFINITY
  return difference.nanToNum().max().toNumber()
}

/** The bytes of a tensor's elements, for comparisons bit for bit. */
export function bytesOf(t: Tensor): Uint8Array {
  const data = t.contiguous().dataSync() as { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Numbers in −1…1 that look random and are the same everywhere; float64. */
export function noise(shape: readonly number[], seed = 1): Tensor {
  const count = shape.reduce((a, b) => a * b, 1)
  let state = (seed * 2654435761) >>> 0
  const values = Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state / 2 ** 32) * 2 - 1
  })
  return tensor(values, { shape: [...shape], dtype: 'float64' })
}

/** An operator of this package by its name. */
export function native(
  name: string,
  args: readonly unknown[],
  options: Readonly<Record<string, unknown>> = {},
): Tensor {
  return call(`vision_native::${name}`, args as never, options as never) as Tensor
}
