import { call } from './call'
import { type Formatter, formatterOf, isFormatted } from './format-numbers'
import { tidy } from './scope'
import type { Tensor } from './tensor'
import type { DType, TypedArray } from './types'

/** PyTorch's print options: larger tensors are summarised by this many items at each edge of each dimension. */
const SUMMARISE_ABOVE = 1000
const EDGE_ITEMS = 3
const LINE_WIDTH = 80
const PREFIX = 'tensor('

/** dtypes that the elements themselves show. */
const SHOWN_BY_ELEMENTS: ReadonlySet<DType> = new Set(['float32', 'bool', 'complex64'])

/**
 * Text of a tensor as PyTorch prints it: aligned columns, four digits, scientific notation where magnitudes differ by
 * more than a thousand, edges only above 1,000 elements. What is not printed is not read.
 */
export function formatTensor(tensor: Tensor): string {
  const { device, dtype, shape, numel, layout, requiresGrad } = tensor
  const suffixes: string[] = []
  const readable = device !== 'meta' && layout === 'strided' && isFormatted(dtype)
  if (device !== 'cpu') suffixes.push(`device='${device}'`)
  if (layout !== 'strided') suffixes.push(`layout='${layout}'`)
  // Without elements there is nothing else to tell the shape and the dtype by.
  if (!readable || (numel === 0 && shape.length !== 1)) suffixes.push(`size=[${shape.join(', ')}]`)
  const shown = readable && numel > 0 ? SHOWN_BY_ELEMENTS.has(dtype) : dtype === 'float32'
  if (!shown) suffixes.push(`dtype=${dtype}`)
  if (requiresGrad) suffixes.push('requiresGrad=true')
  return addSuffixes(`${PREFIX}${readable ? elementsText(tensor) : '...'}`, suffixes)
}

function addSuffixes(text: string, suffixes: readonly string[]): string {
  let out = text
  let lineLength = text.length - text.lastIndexOf('\n') + 1
  for (const suffix of suffixes) {
    if (lineLength + suffix.length + 2 > LINE_WIDTH) {
      out += `,\n${' '.repeat(PREFIX.length)}${suffix}`
      lineLength = PREFIX.length + suffix.length
    } else {
      out += `, ${suffix}`
      lineLength += suffix.length + 2
    }
  }
  return `${out})`
}

function elementsText(tensor: Tensor): string {
  if (tensor.numel === 0) return '[]'
  const summarise = tensor.numel > SUMMARISE_ABOVE
  const elements = tidy(() => readShown(tensor, summarise))
  return new Layout(tensor.shape, summarise, formatterOf(tensor.dtype, elements)).text()
}

/** The elements that are printed, in row-major order. */
function readShown(tensor: Tensor, summarise: boolean): TypedArray {
  let shown = call('aten::detach', [tensor]) as Tensor
  if (summarise) {
    shown.shape.forEach((size, dim) => {
      if (size <= 2 * EDGE_ITEMS) return
      const first = call('aten::narrow', [shown, dim, 0, EDGE_ITEMS])
      const last = call('aten::narrow', [shown, dim, size - EDGE_ITEMS, EDGE_ITEMS])
      shown = call('aten::cat', [[first, last]], { dim }) as Tensor
    })
  }
  return shown.dataSync()
}

/** Arranges formatted elements in brackets and lines. */
class Layout {
  #next = 0

  constructor(
    private readonly shape: readonly number[],
    private readonly summarise: boolean,
    private readonly formatter: Formatter,
  ) {}

  text(): string {
    return this.#nested(0, PREFIX.length)
  }

  #nested(dim: number, indent: number): string {
    const remaining = this.shape.length - dim
    if (remaining === 0) return this.formatter.format(this.#next++)
    if (remaining === 1) return this.#vector(dim, indent)
    const items = this.#items(dim, '...', () => this.#nested(dim + 1, indent + 1))
    return `[${items.join(`,${'\n'.repeat(remaining - 1)}${' '.repeat(indent + 1)}`)}]`
  }

  #vector(dim: number, indent: number): string {
    const items = this.#items(dim, ' ...', () => this.formatter.format(this.#next++))
    const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (this.formatter.width + 2)))
    const lines: string[] = []
    for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(', '))
    return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`
  }

  /** The items of a dimension; dots stand for those left out. */
  #items(dim: number, dots: string, item: () => string): string[] {
    const size = this.shape[dim] as number
    if (!this.summarise || size <= 2 * EDGE_ITEMS) return Array.from({ length: size }, item)
    const edge = () => Array.from({ length: EDGE_ITEMS }, item)
    return [...edge(), dots, ...edge()]
  }
}
