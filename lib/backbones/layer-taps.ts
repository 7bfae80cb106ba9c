import { type Layer, type Member, Module } from '../nn'
import type { Tensor } from '../tensor'

/**
 * Layers one after the other, of which some outputs are taken, as torchvision's `IntermediateLayerGetter`.
 *
 * Shapes: `[N, C, H, W]` → a map for each tap, in order.
 */
export class LayerTaps extends Module {
  readonly #layers: readonly Layer[]
  readonly #taps: ReadonlySet<number>

  /** @param taps places of the layers whose outputs are taken; layers after the last are left out */
  constructor(layers: Iterable<Layer>, taps: readonly number[]) {
    super()
    this.#layers = [...layers].slice(0, Math.max(...taps) + 1)
    this.#taps = new Set(taps)
  }

  protected override *members(): Iterable<readonly [name: string, member: Member]> {
    yield* super.members()
    for (const [i, layer] of this.#layers.entries()) yield [String(i), layer]
  }

  forward(input: Tensor): Tensor[] {
    let value = input
    const taken: Tensor[] = []
    for (const [i, layer] of this.#layers.entries()) {
      value = layer.forward(value)
      if (this.#taps.has(i)) taken.push(value)
    }
    return taken
  }
}
