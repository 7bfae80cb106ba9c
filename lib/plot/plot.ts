import { extname } from 'node:path'
import type { TopLevelSpec } from 'vega-lite'
import { writeFileAtomic } from '../native/atomic-file'
import { ArgumentError } from '../native/errors'
import { CONFIG } from './theme'

export interface PngOptions {
  /** Pixels for each unit of the plot's width and height; 2 unless stated, so that text is sharp on dense screens. */
  readonly scale?: number | undefined
}

/** A figure that is drawn when asked for. Make one with `lineChart`, `barChart` and the like. */
export class Plot {
  /**
   * The figure as a Vega-Lite 5 specification: plain JSON, to edit at https://vega.github.io/editor or to embed in a
   * page.
   */
  readonly spec: object

  /** @internal */
  constructor(spec: object) {
    this.spec = spec
  }

  /** The figure as an SVG document. Text stays text. */
  async toSvg(): Promise<string> {
    // Vega takes a third of a second to load, which only those who draw should wait for.
    const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
    const compiled = vegaLite.compile(this.spec as TopLevelSpec, { config: CONFIG, logger: quiet(vega) })
    const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none', logger: quiet(vega) })
    try {
      return await view.toSVG()
    } finally {
      view.finalize()
    }
  }

  /** The figure as the bytes of a PNG file. */
  async toPng({ scale = 2 }: PngOptions = {}): Promise<Uint8Array> {
    if (!(scale > 0 && scale <= 16)) {
      throw new ArgumentError(`Plot.toPng: scale is ${scale}; it is a number above 0 and at most 16`)
    }
    const svg = await this.toSvg()
    const { default: sharp } = await import('sharp')
    // A document without a stated resolution has 72 dots an inch, one pixel each.
    return sharp(Buffer.from(svg), { density: 72 * scale, limitInputPixels: false })
      .png({ compressionLevel: 9 })
      .toBuffer()
  }

  /**
   * Writes the figure to a file, whole or not at all; the extension says as what.
   *
   * @param path ends in `.svg` or `.png`
   * @throws ArgumentError when the extension is another one, or the file cannot be written
   */
  async toFile(path: string, options: PngOptions = {}): Promise<void> {
    const extension = typeof path === 'string' ? extname(path).toLowerCase() : ''
    if (extension !== '.svg' && extension !== '.png') {
      throw new ArgumentError(`Plot.toFile: '${String(path)}' does not end in .svg or .png; name one of them`)
    }
    const data = extension === '.svg' ? Buffer.from(await this.toSvg()) : await this.toPng(options)
    await writeFileAtomic(path, data, 'Plot.toFile')
  }
}

/** Vega warns on the console about scales that are empty, which is no news to who passed no points. */
function quiet(vega: typeof import('vega')) {
  return vega.logger(vega.Error)
}
