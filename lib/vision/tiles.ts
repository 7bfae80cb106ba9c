// Large pictures through a network piece by piece, with what lies around each piece.
import { ArgumentError, ShapeError, throwIfCancelled } from '../native/errors'
import { empty, type Tensor, tidyAsync } from '../tensor'

export interface TileOptions {
  /** Side of the tiles; pictures that are smaller are one tile. */
  readonly tile: number
  /** How far the network sees around a pixel: tiles overlap by twice as much. */
  readonly halo: number
  /** Tiles begin at multiples of this; the tile, the halo and the pictures' sides are multiples of it. Default 1. */
  readonly multiple?: number
  readonly signal?: AbortSignal | undefined
  readonly onProgress?:
    | ((progress: { readonly stage: string; readonly done: number; readonly total: number }) => void)
    | undefined
}

/** Where a tile lies along one side, and which of it is kept. */
export interface TileSpan {
  readonly start: number
  readonly length: number
  readonly keepFrom: number
  readonly keepTo: number
}

/** Tiles along a side: of one length each, so that one captured graph serves for all. */
export function tileSpans(size: number, { tile, halo, multiple = 1 }: TileOptions): TileSpan[] {
  for (const [name, value] of Object.entries({ tile, halo, 'size of the picture': size })) {
    if (Number.isInteger(value / multiple) && value >= 0) continue
    throw new ArgumentError(`tileSpans: ${name} is ${value}; it must be a multiple of ${multiple}`)
  }
  if (tile <= 2 * halo)
    throw new ArgumentError(`tileSpans: tile is ${tile}; it must be more than twice the halo, ${halo}`)
  if (size <= tile) return [{ start: 0, length: size, keepFrom: 0, keepTo: size }]
  const spans: TileSpan[] = []
  for (let kept = 0; kept < size; ) {
    const start = Math.min(Math.max(0, kept - halo), size - tile)
    const keepTo = start + tile === size ? size : start + tile - halo
    spans.push({ start, length: tile, keepFrom: kept, keepTo })
    kept = keepTo
  }
  return spans
}

/**
 * The result of a network for pictures of any size, computed tile by tile in bounded memory; with a halo as wide as the
 * network sees, it is that of the whole picture.
 *
 * @param inputs `[B, C, H, W]` of one height and width
 * @param compute the network, from as many tiles to `[B, C', h, w]` of the tile's size
 * @returns `[B, C', H, W]`
 * @throws CancelledError when `signal` is aborted; it is looked at before each tile
 */
export async function mapTiles(
  inputs: readonly Tensor[],
  options: TileOptions,
  compute: (...tiles: Tensor[]) => Promise<Tensor>,
): Promise<Tensor> {
  const [first] = inputs
  if (first === undefined) throw new ArgumentError('mapTiles: there are no inputs')
  const [batch = 0, , height = 0, width = 0] = first.shape
  for (const { shape } of inputs) {
    if (shape[2] === height && shape[3] === width) continue
    throw new ShapeError(`mapTiles: inputs have the shapes [${first.shape.join(', ')}] and [${shape.join(', ')}]`)
  }
  const [rows, columns] = [tileSpans(height, options), tileSpans(width, options)]
  const total = rows.length * columns.length
  return tidyAsync(async () => {
    let output: Tensor | undefined
    let done = 0
    for (const row of rows) {
      for (const column of columns) {
        throwIfCancelled(options.signal, 'mapTiles')
        const cut = (x: Tensor) => x.narrow(2, row.start, row.length).narrow(3, column.start, column.length)
        const made = output
        output = await tidyAsync(async () => {
          const result = await compute(...inputs.map((input) => cut(input).contiguous()))
          const whole =
            made ?? empty([batch, result.size(1), height, width], { dtype: result.dtype, device: result.device })
          const [kept, place] = [keep(result, row, column, true), keep(whole, row, column, false)]
          place.copy_(kept)
          return whole
        })
        options.onProgress?.({ stage: 'tiles', done: ++done, total })
      }
    }
    return output as Tensor
  })
}

/** The part of a tile (or of the whole picture) that is kept. */
function keep(x: Tensor, row: TileSpan, column: TileSpan, inTile: boolean): Tensor {
  const part = (t: Tensor, dim: number, { start, keepFrom, keepTo }: TileSpan) =>
    t.narrow(dim, keepFrom - (inTile ? start : 0), keepTo - keepFrom)
  return part(part(x, 2, row), 3, column)
}
