// Which network a state dict is of.

/** Names and shapes. */
export type Shapes = ReadonlyMap<string, readonly number[]>

/** A network that a state dict may be of. */
export interface FitCandidate {
  readonly name: string
  /** Made when it is compared: networks are large. */
  readonly shapes: () => Shapes
}

/** How well a state dict fits a network. */
export interface Fit {
  readonly name: string
  /** Tensors that agree in name and shape, of all that either has: 1 when it is the network's own. */
  readonly byName: number
  /** The same by shapes alone, whatever the names: 1 for another publisher's names of the same network. */
  readonly byShape: number
  /** Tensors of the network that the state dict lacks, */
  readonly missing: number
  /** those that the network does not have, */
  readonly unexpected: number
  /** and those of another shape, such as the last layer's for another number of classes. */
  readonly misshaped: readonly string[]
}

/**
 * The networks that fit a state dict, the best first.
 *
 * @param state anything with names and shapes: tensors, or a file's header
 */
export function rankFits(
  state: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  candidates: Iterable<FitCandidate>,
): Fit[] {
  const own: Shapes = new Map([...state].map(([name, { shape }]) => [name, shape]))
  return [...candidates].map(({ name, shapes }) => compare(name, own, shapes())).sort((a, b) => scoreOf(b) - scoreOf(a))
}

/**
 * The network that fits a state dict best; undefined when none has even a tenth of it.
 *
 * @param candidates as of `rankFits`; the likelier ones first, as none is made after one that fits whole
 */
export function bestFit(
  state: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  candidates: Iterable<FitCandidate>,
): Fit | undefined {
  let best: Fit | undefined
  for (const candidate of candidates) {
    const [fit] = rankFits(state, [candidate])
    if (fit !== undefined && scoreOf(fit) > (best === undefined ? 0.1 : scoreOf(best))) best = fit
    // Networks are large: no other one is made once the very one is found.
    if (best?.byName === 1) break
  }
  return best
}

/** What a fit means, as the end of an error's message. */
export function describeFit(fit: Fit | undefined): string {
  if (fit === undefined) return 'it fits none of the known networks'
  const { name, byName, byShape, missing, unexpected, misshaped } = fit
  if (byName === 1) return `it is a checkpoint of '${name}'`
  if (missing + unexpected === 0) {
    return `it fits '${name}' with other options: ${misshaped.slice(0, 4).join(', ')} ${misshaped.length === 1 ? 'has' : 'have'} another shape`
  }
  if (byShape === 1)
    return `it has the shapes of '${name}' under other names; rename them with \`vision-native weights convert\``
  return `of the known networks '${name}' fits best: ${Math.round(100 * Math.max(byName, byShape))} % of the tensors agree${byShape > byName ? ' in shape' : ''}, ${missing} are missing, ${unexpected} unexpected`
}

function scoreOf({ byName, byShape }: Fit): number {
  // Of two networks with the same shapes, names decide.
  return Math.max(byName, 0.9 * byShape) + byName / 1000
}

function compare(name: string, state: Shapes, network: Shapes): Fit {
  const misshaped: string[] = []
  let [agreeing, missing] = [0, 0]
  for (const [key, shape] of network) {
    const other = state.get(key)
    if (other === undefined) missing++
    else if (String(other) === String(shape)) agreeing++
    else misshaped.push(key)
  }
  const shared = agreeing + misshaped.length
  const unexpected = state.size - shared
  const byName = agreeing / Math.max(1, shared + missing + unexpected)
  return { name, byName, byShape: shapeOverlap(state, network), missing, unexpected, misshaped }
}

/** Of all tensors, the share that can be paired by shape. */
function shapeOverlap(a: Shapes, b: Shapes): number {
  const counts = new Map<string, number>()
  for (const shape of a.values()) counts.set(String(shape), (counts.get(String(shape)) ?? 0) + 1)
  let paired = 0
  for (const shape of b.values()) {
    const left = counts.get(String(shape)) ?? 0
    if (left > 0) paired++
    counts.set(String(shape), left - 1)
  }
  return paired / Math.max(1, a.size + b.size - paired)
}
