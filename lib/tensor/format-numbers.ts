import type { DType } from './types'

/** How the elements of one tensor are written: all in one notation and one width. */
export interface Formatter {
  /** Characters of the widest element. */
  readonly width: number
  /** Text of the element with this index, padded to the width of its notation. */
  format(index: number): string
}

type Elements = ArrayLike<number | bigint>

const PRECISION = 4
/** Digits that write any double of the range in which they are used exactly. */
const EXACT = 100

const FORMATTERS: ReadonlyMap<string, (elements: Elements) => Formatter> = new Map([
  ...(['uint8', 'int8', 'int16', 'int32', 'int64'] as const).map((dtype) => [dtype, plain(String)] as const),
  ['bool', plain((value) => String(value !== 0))] as const,
  ...(['float16', 'bfloat16', 'float32', 'float64'] as const).map((dtype) => [dtype, floats] as const),
  ...(['complex64', 'complex128'] as const).map((dtype) => [dtype, complexes] as const),
])

/** False for element types that JavaScript has no array for, such as float8. */
export function isFormatted(dtype: DType): boolean {
  return FORMATTERS.has(dtype)
}

/** The formatter for all of `elements`, as `dataSync()` gives them. */
export function formatterOf(dtype: DType, elements: Elements): Formatter {
  return (FORMATTERS.get(dtype) ?? floats)(elements)
}

function plain(text: (value: number | bigint) => string): (elements: Elements) => Formatter {
  return (elements) => {
    const texts = Array.from(elements, text)
    const width = texts.reduce((widest, { length }) => Math.max(widest, length), 1)
    return { width, format: (index) => (texts[index] as string).padStart(width) }
  }
}

function floats(elements: Elements): Formatter {
  const values = elements as ArrayLike<number>
  const { write, width } = notation(values)
  return { width, format: (index) => write(values[index] as number).padStart(width) }
}

/** Real and imaginary parts have a notation each. */
function complexes(elements: Elements): Formatter {
  const part = (offset: number) =>
    Array.from({ length: elements.length / 2 }, (_, i) => elements[2 * i + offset] as number)
  const [real, imaginary] = [floats(part(0)), floats(part(1))]
  return {
    width: real.width + imaginary.width + 1,
    format(index) {
      const text = `${imaginary.format(index).trimStart()}j`
      return `${real.format(index)}${text.startsWith('-') ? '' : '+'}${text}`
    },
  }
}

interface Notation {
  readonly width: number
  write(value: number): string
}

/**
 * PyTorch's choice: scientific where magnitudes span more than 1,000 or leave 10⁻⁴ … 10⁸, `2.` where all are whole,
 * otherwise four decimals. Zeros, infinities and NaN have no say in it, nor in the width.
 */
function notation(values: ArrayLike<number>): Notation {
  const deciding = Array.from(values).filter((value) => Number.isFinite(value) && value !== 0)
  const magnitudes = deciding.map(Math.abs)
  const largest = magnitudes.reduce((a, b) => Math.max(a, b), 0)
  const smallest = magnitudes.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const whole = deciding.every(Number.isInteger)
  const scientific = deciding.length > 0 && (largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4)
  const digits = scientific ? exponential : whole ? (value: number) => `${value}.` : fixed
  const write = (value: number): string => {
    if (Number.isNaN(value)) return 'nan'
    const sign = value < 0 || Object.is(value, -0) ? '-' : ''
    return sign + (Number.isFinite(value) ? digits(Math.abs(value)) : 'inf')
  }
  return { write, width: deciding.reduce((widest, value) => Math.max(widest, write(value).length), 1) }
}

/** `1.5000`: ties go to the even digit, as in C and Python; JavaScript's own rounding takes them up. */
function fixed(value: number): string {
  const rounded = value.toFixed(PRECISION)
  return evenOfTie(value.toFixed(EXACT)) ?? rounded
}

/** `1.5000e+08`, ties to the even digit. */
function exponential(value: number): string {
  const [exact = '', exponent = ''] = value.toExponential(EXACT).split('e')
  const rounded = value.toExponential(PRECISION).split('e')
  const tie = evenOfTie(exact)
  const [digits, power] = tie === undefined ? rounded : [tie, exponent]
  return `${digits}e${(power ?? exponent).replace(/^([+-])(\d)$/, '$10$2')}`
}

const TIE = new RegExp(`^(.*\\.\\d{${PRECISION - 1}}[02468])50*$`)

/** The digits of a number that lies halfway between two roundings and whose lower one is even. */
function evenOfTie(exact: string): string | undefined {
  return TIE.exec(exact)?.[1]
}
