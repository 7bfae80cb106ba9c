// Layers over graphs, as torch_geometric defines them: nodes are rows, an edge is a column (source, target) of `edgeIndex`.
import { ShapeError } from '../native/errors'
import {
  type Buffer,
  buffer,
  functional as F,
  GRUCell,
  init,
  Linear,
  Module,
  ModuleList,
  type Parameter,
  parameter,
} from '../nn'
import { arange, cat, empty, full, ones, type Tensor, where, zeros } from '../tensor'

/** @throws ShapeError unless nodes are `[N, channels]` and edges `[2, E]` */
function checkGraph(layer: string, nodes: Tensor, edgeIndex: Tensor, channels: number): void {
  if (nodes.ndim !== 2 || nodes.size(1) !== channels) {
    throw new ShapeError(`${layer}: the nodes have shape [${nodes.shape.join(', ')}]; it must be [N, ${channels}]`)
  }
  if (edgeIndex.ndim !== 2 || edgeIndex.size(0) !== 2) {
    throw new ShapeError(
      `${layer}: edgeIndex has shape [${edgeIndex.shape.join(', ')}]; it must be [2, E]: sources, then targets`,
    )
  }
}

function ends(edgeIndex: Tensor): [sources: Tensor, targets: Tensor] {
  return edgeIndex.unbind() as [Tensor, Tensor]
}

/** Sums rows by the node that they arrive at: `[E, …]` → `[count, …]`. */
function sumAt(targets: Tensor, messages: Tensor, count: number): Tensor {
  const shape = [count, ...messages.shape.slice(1)]
  return zeros(shape, { dtype: messages.dtype, device: messages.device }).indexAdd(0, targets, messages)
}

/** Softmax over the edges that arrive at the same node; `[E, heads]`. */
function softmaxAt(targets: Tensor, scores: Tensor, count: number): Tensor {
  const made = { dtype: scores.dtype, device: scores.device }
  const index = targets.unsqueeze(1).expandAs(scores)
  const lowest = full([count, scores.size(1)], Number.NEGATIVE_INFINITY, made)
  const highest = lowest.scatterReduce(0, index, scores.detach(), 'amax')
  const raised = scores.sub(highest.indexSelect(0, targets)).exp()
  const sums = sumAt(targets, raised, count).add(1e-16)
  return raised.div(sums.indexSelect(0, targets))
}

export interface GCNConvOptions {
  /** Weight of a node's edge to itself; default 1, `improved` 2 of torch_geometric. */
  readonly selfWeight?: number
  /** Adds an edge from each node to itself where there is none; default true. */
  readonly addSelfLoops?: boolean
  /** Divides by the square roots of both ends' degrees; default true. */
  readonly normalize?: boolean
  readonly bias?: boolean
}

/** Graph convolution (Kipf and Welling, ICLR 2017): D^(−½) (A + I) D^(−½) X W. */
export class GCNConv extends Module {
  readonly bias: Parameter | null
  readonly lin: Linear
  readonly #options: Required<Omit<GCNConvOptions, 'bias'>>

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    { selfWeight = 1, addSelfLoops = true, normalize = true, bias = true }: GCNConvOptions = {},
  ) {
    super()
    this.#options = { selfWeight, addSelfLoops, normalize }
    this.lin = new Linear(inChannels, outChannels, { bias: false })
    this.bias = bias ? parameter(zeros([outChannels])) : null
    init.xavierUniform_(this.lin.weight)
  }

  /**
   * @param edgeIndex int64 `[2, E]`
   * @param edgeWeight `[E]`, default 1; no edge may be there twice from a node to itself
   */
  forward(nodes: Tensor, edgeIndex: Tensor, edgeWeight?: Tensor): Tensor {
    checkGraph('GCNConv', nodes, edgeIndex, this.inChannels)
    const x = this.lin.forward(nodes)
    const { sources, targets, weights } = this.#edges(edgeIndex, edgeWeight, x)
    const out = sumAt(targets, x.indexSelect(0, sources).mul(weights.unsqueeze(1)), x.size(0))
    return this.bias ? out.add(this.bias) : out
  }

  #edges(edgeIndex: Tensor, edgeWeight: Tensor | undefined, { dtype, device, shape }: Tensor) {
    const { selfWeight, addSelfLoops, normalize } = this.#options
    const count = shape[0] ?? 0
    let [sources, targets] = ends(edgeIndex)
    let weights = edgeWeight ?? ones([edgeIndex.size(1)], { dtype, device })
    if (addSelfLoops && normalize) {
      // An edge to itself that is there already keeps its weight; it moves to the end, and leaves 0 behind.
      const isLoop = sources.eq(targets)
      const given = sumAt(targets, weights.mul(isLoop), count)
      const has = sumAt(targets, isLoop.to(dtype), count).gt(0)
      const all = arange(count, { dtype: 'int64', device })
      weights = cat([weights.mul(isLoop.logicalNot()), where(has, given, selfWeight)])
      sources = cat([sources, all])
      targets = cat([targets, all])
    }
    if (!normalize) return { sources, targets, weights }
    const degrees = sumAt(targets, weights, count)
    const scale = where(degrees.gt(0), degrees.rsqrt(), 0)
    return { sources, targets, weights: scale.indexSelect(0, sources).mul(weights).mul(scale.indexSelect(0, targets)) }
  }
}

export interface GATConvOptions {
  /** Default 1. */
  readonly heads?: number
  /** Heads stand side by side; otherwise their mean is taken. Default true. */
  readonly concat?: boolean
  readonly negativeSlope?: number
  /** Share of the edges' weights that are dropped in training; default 0. */
  readonly dropout?: number
  /** Adds an edge from each node to itself; default true. */
  readonly addSelfLoops?: boolean
  readonly bias?: boolean
}

/** Graph attention (Veličković et al., ICLR 2018). Shapes: `[N, inChannels]` → `[N, heads · outChannels]`. */
export class GATConv extends Module {
  readonly attSrc: Parameter
  readonly attDst: Parameter
  readonly bias: Parameter | null
  readonly lin: Linear
  readonly #options: Required<Omit<GATConvOptions, 'bias'>>

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    options: GATConvOptions = {},
  ) {
    super()
    const { heads = 1, concat = true, negativeSlope = 0.2, dropout = 0, addSelfLoops = true, bias = true } = options
    this.#options = { heads, concat, negativeSlope, dropout, addSelfLoops }
    this.lin = new Linear(inChannels, heads * outChannels, { bias: false })
    this.attSrc = parameter(empty([1, heads, outChannels]))
    this.attDst = parameter(empty([1, heads, outChannels]))
    this.bias = bias ? parameter(zeros([concat ? heads * outChannels : outChannels])) : null
    for (const weight of [this.lin.weight, this.attSrc, this.attDst]) glorot_(weight)
  }

  forward(nodes: Tensor, edgeIndex: Tensor): Tensor {
    checkGraph('GATConv', nodes, edgeIndex, this.inChannels)
    const { heads, concat, negativeSlope, dropout, addSelfLoops } = this.#options
    const count = nodes.size(0)
    const x = this.lin.forward(nodes).view([count, heads, this.outChannels])
    let [sources, targets] = ends(edgeIndex)
    let isLoop: Tensor | undefined
    if (addSelfLoops) {
      const all = arange(count, { dtype: 'int64', device: nodes.device })
      // Edges to itself that are there already count once.
      isLoop = cat([sources.eq(targets), all.lt(0)])
      sources = cat([sources, all])
      targets = cat([targets, all])
    }
    const sent = x.mul(this.attSrc).sum({ dim: [2] })
    const received = x.mul(this.attDst).sum({ dim: [2] })
    let scores = F.leakyRelu(sent.indexSelect(0, sources).add(received.indexSelect(0, targets)), { negativeSlope })
    if (isLoop) scores = scores.maskedFill(isLoop.unsqueeze(1), Number.NEGATIVE_INFINITY)
    const attention = F.dropout(softmaxAt(targets, scores, count), { p: dropout, training: this.training })
    const out = sumAt(targets, x.indexSelect(0, sources).mul(attention.unsqueeze(2)), count)
    const joined = concat ? out.flatten({ startDim: 1 }) : out.mean({ dim: [1] })
    return this.bias ? joined.add(this.bias) : joined
  }
}

/** Uniform within ±√(6 / (last two dimensions' sum)). */
function glorot_(weight: Tensor): void {
  const bound = Math.sqrt(6 / (weight.size(-2) + weight.size(-1)))
  init.uniform_(weight, { a: -bound, b: bound })
}

export interface SAGEConvOptions {
  /** How neighbours are brought together; default `'mean'`. */
  readonly aggregation?: 'mean' | 'max' | 'sum'
  /** Divides each row by its length; default false. */
  readonly normalize?: boolean
  readonly bias?: boolean
}

/** GraphSAGE (Hamilton, Ying, Leskovec, NeurIPS 2017): W₁ of the neighbours' mean, and W₂ of the node. */
export class SAGEConv extends Module {
  readonly linL: Linear
  readonly linR: Linear
  readonly #options: Required<Omit<SAGEConvOptions, 'bias'>>

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    { aggregation = 'mean', normalize = false, bias = true }: SAGEConvOptions = {},
  ) {
    super()
    this.#options = { aggregation, normalize }
    this.linL = new Linear(inChannels, outChannels, { bias })
    this.linR = new Linear(inChannels, outChannels, { bias: false })
  }

  forward(nodes: Tensor, edgeIndex: Tensor): Tensor {
    checkGraph('SAGEConv', nodes, edgeIndex, this.inChannels)
    const out = this.linL.forward(this.#gather(nodes, edgeIndex)).add(this.linR.forward(nodes))
    return this.#options.normalize ? F.normalize(out, { dim: 1 }) : out
  }

  #gather(nodes: Tensor, edgeIndex: Tensor): Tensor {
    const [sources, targets] = ends(edgeIndex)
    const messages = nodes.indexSelect(0, sources)
    const { aggregation } = this.#options
    if (aggregation === 'max') {
      const index = targets.unsqueeze(1).expandAs(messages)
      // Nodes without neighbours keep 0.
      const nothing = zeros(nodes.shape, { dtype: nodes.dtype, device: nodes.device })
      return nothing.scatterReduce(0, index, messages, 'amax', { includeSelf: false })
    }
    const sum = sumAt(targets, messages, nodes.size(0))
    if (aggregation === 'sum') return sum
    const degrees = sumAt(targets, ones([targets.size(0)], { dtype: nodes.dtype, device: nodes.device }), nodes.size(0))
    return sum.div(degrees.clamp({ min: 1 }).unsqueeze(1))
  }
}

/** Linear layers with ReLU between them, as torch_geometric names them. */
export class GraphMLP extends Module {
  readonly lins: ModuleList<Linear>

  constructor(widths: readonly number[]) {
    super()
    this.lins = new ModuleList(widths.slice(1).map((to, i) => new Linear(widths[i] ?? 0, to)))
  }

  forward(x: Tensor): Tensor {
    let y = x
    for (const [i, lin] of [...this.lins].entries()) y = lin.forward(i === 0 ? y : y.relu())
    return y
  }
}

/** Graph isomorphism layer (Xu, Hu, Leskovec, Jegelka, ICLR 2019): a perceptron of (1 + ε) · the node + its neighbours. */
export class GINConv extends Module {
  readonly eps: Buffer | Parameter
  readonly nn: GraphMLP

  constructor(
    readonly inChannels: number,
    outChannels: number,
    { eps = 0, trainEps = false }: { readonly eps?: number; readonly trainEps?: boolean } = {},
  ) {
    super()
    const value = full([1], eps, { dtype: 'float32' })
    this.eps = trainEps ? parameter(value) : buffer(value)
    this.nn = new GraphMLP([inChannels, outChannels, outChannels])
  }

  forward(nodes: Tensor, edgeIndex: Tensor): Tensor {
    checkGraph('GINConv', nodes, edgeIndex, this.inChannels)
    const [sources, targets] = ends(edgeIndex)
    const sum = sumAt(targets, nodes.indexSelect(0, sources), nodes.size(0))
    return this.nn.forward(sum.add(this.eps.add(1).mul(nodes)))
  }
}

/**
 * Gated message passing (Li, Tarlow, Brockschmidt, Zemel, ICLR 2016): in each step a node's messages are summed and taken in
 * by a GRU. Shapes: `[N, ≤ outChannels]`, filled up with zeros → `[N, outChannels]`.
 */
export class GatedGraphConv extends Module {
  readonly weight: Parameter
  readonly rnn: GRUCell

  constructor(
    readonly outChannels: number,
    readonly numLayers: number,
    { bias = true }: { readonly bias?: boolean } = {},
  ) {
    super()
    this.weight = parameter(empty([numLayers, outChannels, outChannels]))
    this.rnn = new GRUCell(outChannels, outChannels, { bias })
    const bound = 1 / Math.sqrt(outChannels)
    init.uniform_(this.weight, { a: -bound, b: bound })
  }

  forward(nodes: Tensor, edgeIndex: Tensor): Tensor {
    const missing = this.outChannels - nodes.size(-1)
    if (missing < 0) {
      throw new ShapeError(
        `GatedGraphConv: the nodes have ${nodes.size(-1)} channels, the layer ${this.outChannels}; it must have as many or more`,
      )
    }
    let x = missing === 0 ? nodes : F.pad(nodes, [0, missing])
    checkGraph('GatedGraphConv', x, edgeIndex, this.outChannels)
    const [sources, targets] = ends(edgeIndex)
    for (let step = 0; step < this.numLayers; step++) {
      const messages = x.matmul(this.weight.at(step)).indexSelect(0, sources)
      x = this.rnn.forward(sumAt(targets, messages, x.size(0)), x)
    }
    return x
  }
}
