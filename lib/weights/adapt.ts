// Weights of a network inside those of a larger one.

/** What `adaptState` found. */
export interface AdaptedState<T> {
  /** The network's tensors under its own names. */
  readonly state: ReadonlyMap<string, T>
  /** What the file puts before the names, such as `roberta.`. */
  readonly prefix: string
  /** Tensors of the file that the network has no place for: heads for other tasks. */
  readonly unused: readonly string[]
}

interface Shaped {
  readonly shape: readonly number[]
}

/**
 * Finds a network's tensors in the file of a larger one, as the encoder in a model with a head: all names of the network,
 * after a prefix that they share, with `gamma` and `beta` for the weight and bias of norms. Of tensors that the network
 * itself shares one name is enough.
 *
 * @param state of the file
 * @param network names and tensors of the network: a shared tensor is the same object under each of its names
 * @returns undefined unless every tensor of the network is there in its shape
 */
export function adaptState<T extends Shaped>(
  state: ReadonlyMap<string, T>,
  network: ReadonlyMap<string, Shaped>,
): AdaptedState<T> | undefined {
  const [first] = network.keys()
  if (first === undefined) return undefined
  const endings = spellings(first)
  const prefixes = [...state.keys()].flatMap((name) =>
    endings
      .filter((ending) => name === ending || name.endsWith(`.${ending}`))
      .map((ending) => name.slice(0, -ending.length)),
  )
  for (const prefix of new Set(prefixes)) {
    const found = underPrefix(state, network, prefix)
    if (found !== undefined) return found
  }
  return undefined
}

function underPrefix<T extends Shaped>(
  state: ReadonlyMap<string, T>,
  network: ReadonlyMap<string, Shaped>,
  prefix: string,
): AdaptedState<T> | undefined {
  const adapted = new Map<string, T>()
  const used = new Set<string>()
  const given = new Set<Shaped>()
  for (const [name, own] of network) {
    // A head stands beside what is under the prefix.
    const source = [...spellings(prefix + name), name].find((each) => state.has(each))
    const tensor = source === undefined ? undefined : state.get(source)
    if (source === undefined || tensor === undefined) continue
    if (String(tensor.shape) !== String(own.shape)) return undefined
    adapted.set(name, tensor)
    used.add(source)
    given.add(own)
  }
  if (![...network.values()].every((own) => given.has(own))) return undefined
  return { state: adapted, prefix, unused: [...state.keys()].filter((name) => !used.has(name)) }
}

/** A name, and as early releases of BERT wrote it. */
function spellings(name: string): string[] {
  const old = name.replace(/\.weight$/, '.gamma').replace(/\.bias$/, '.beta')
  return old === name ? [name] : [name, old]
}
