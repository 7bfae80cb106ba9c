// Networks over graphs: GCN, GAT, GraphSAGE, GIN and gated message passing, with torch_geometric's names.
import { ArgumentError, ShapeError } from '../native/errors'
import { Dropout, functional as F, Module, ModuleList } from '../nn'
import type { Tensor } from '../tensor'
import { GATConv, GatedGraphConv, GCNConv, GINConv, SAGEConv } from './graph-layers'
import type { NetworkEntry } from './network'

/** A layer that turns nodes `[N, C]` and edges `[2, E]` into nodes. */
export interface GraphLayer extends Module {
  forward(nodes: Tensor, edgeIndex: Tensor): Tensor
}

export interface GraphNetworkOptions {
  /** Numbers of a node; default 1433, those of Cora. */
  readonly inChannels?: number
  /** Default 16; for GAT all heads together, 64. */
  readonly hiddenChannels?: number
  /** Default 7, the classes of Cora. */
  readonly outChannels?: number
  /** Default 2. */
  readonly numLayers?: number
  /** Share of the values that are dropped between layers in training; default 0.5, for GAT 0.6. */
  readonly dropout?: number
  /** Between layers; default ReLU, for GAT ELU. */
  readonly activation?: 'relu' | 'elu'
}

export interface GATOptions extends GraphNetworkOptions {
  /** Default 8. */
  readonly heads?: number
}

type MakeLayer = (from: number, to: number, last: boolean) => GraphLayer

/** Layers one after the other, with activation and dropout between them. Shapes: `[N, inChannels]` → `[N, outChannels]`. */
export class GraphNetwork extends Module {
  readonly convs: ModuleList<GraphLayer>
  readonly dropout: Dropout
  readonly activation: 'relu' | 'elu'

  constructor(make: MakeLayer, options: GraphNetworkOptions) {
    super()
    const { inChannels = 1433, hiddenChannels = 16, outChannels = 7, numLayers = 2 } = options
    if (!Number.isInteger(numLayers) || numLayers < 1) {
      throw new ArgumentError(`GraphNetwork: numLayers is ${numLayers}; it must be a whole number of 1 or more`)
    }
    this.convs = new ModuleList(
      Array.from({ length: numLayers }, (_, i) => {
        const last = i === numLayers - 1
        return make(i === 0 ? inChannels : hiddenChannels, last ? outChannels : hiddenChannels, last)
      }),
    )
    this.dropout = new Dropout({ p: options.dropout ?? 0.5 })
    this.activation = options.activation ?? 'relu'
  }

  /** @param edgeIndex int64 `[2, E]`: sources, then targets; an undirected edge stands there both ways */
  forward(nodes: Tensor, edgeIndex: Tensor): Tensor {
    let x = nodes
    for (const [i, conv] of [...this.convs].entries()) {
      if (i > 0) x = this.dropout.forward(this.activation === 'elu' ? F.elu(x) : x.relu())
      x = conv.forward(x, edgeIndex)
    }
    return x
  }
}

/** Graph convolutional network (Kipf and Welling, ICLR 2017). */
export const gcn = (options: GraphNetworkOptions = {}) => new GraphNetwork((from, to) => new GCNConv(from, to), options)

/** Graph attention network (Veličković et al., ICLR 2018): heads side by side, in the last layer their mean. */
export const gat = ({ heads = 8, ...options }: GATOptions = {}) => {
  const hiddenChannels = options.hiddenChannels ?? 64
  if (hiddenChannels % heads !== 0) {
    throw new ShapeError(`gat: ${hiddenChannels} hidden channels do not divide into ${heads} heads`)
  }
  return new GraphNetwork(
    (from, to, last) =>
      new GATConv(from, last ? to : to / heads, { heads, concat: !last, dropout: options.dropout ?? 0.6 }),
    { dropout: 0.6, activation: 'elu', ...options, hiddenChannels },
  )
}

/** GraphSAGE (Hamilton, Ying, Leskovec, NeurIPS 2017), neighbours by their mean. */
export const graphsage = (options: GraphNetworkOptions = {}) =>
  new GraphNetwork((from, to) => new SAGEConv(from, to), options)

/** Graph isomorphism network (Xu, Hu, Leskovec, Jegelka, ICLR 2019). */
export const gin = (options: GraphNetworkOptions = {}) => new GraphNetwork((from, to) => new GINConv(from, to), options)

export interface GatedGraphOptions {
  /** Default 64. */
  readonly channels?: number
  /** Steps of message passing; default 4. */
  readonly numLayers?: number
}

/** Gated message passing (Li, Tarlow, Brockschmidt, Zemel, ICLR 2016). */
export const gatedGraph = ({ channels = 64, numLayers = 4 }: GatedGraphOptions = {}) =>
  new GatedGraphConv(channels, numLayers)

const nodes = { task: 'graph', input: { kind: 'graph' } } as const

export const GRAPH_NETWORKS = {
  gcn: { create: gcn, ...nodes },
  graphsage: { create: graphsage, ...nodes },
  gin: { create: gin, ...nodes },
} as const satisfies Readonly<Record<string, NetworkEntry<GraphNetworkOptions>>>

export const GRAPH_ATTENTION_NETWORKS = {
  gat: { create: gat, ...nodes },
} as const satisfies Readonly<Record<string, NetworkEntry<GATOptions>>>

export const GATED_GRAPH_NETWORKS = {
  gated_graph: { create: gatedGraph, ...nodes },
} as const satisfies Readonly<Record<string, NetworkEntry<GatedGraphOptions>>>
