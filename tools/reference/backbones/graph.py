"""test/fixtures/backbones/graph.json, from torch_geometric."""
import torch_geometric
import torch_geometric.nn as gnn
from common import record

SOURCE = f'torch_geometric {torch_geometric.__version__}: torch_geometric.nn.'
# Some of the edges go from a node to itself, some stand there twice.
GRAPH = [{'shape': [12, 9]}, {'shape': [2, 40], 'high': 12}]
SIZES = {'inChannels': 9, 'hiddenChannels': 8, 'outChannels': 5, 'numLayers': 3}


def network(kind, **options):
    return lambda: kind(9, 8, 3, out_channels=5, **options)


record('graph', {
    'gcn': {'make': network(gnn.GCN), 'options': SIZES, 'inputs': GRAPH,
            'source': f'{SOURCE}GCN(9, 8, 3, out_channels=5)'},
    'graphsage': {'make': network(gnn.GraphSAGE), 'options': SIZES, 'inputs': GRAPH,
                  'source': f'{SOURCE}GraphSAGE(9, 8, 3, out_channels=5)'},
    'gin': {'make': network(gnn.GIN), 'options': SIZES, 'inputs': GRAPH, 'source': f'{SOURCE}GIN(9, 8, 3, out_channels=5)'},
    'gat': {'make': network(gnn.GAT, heads=2, act='elu'), 'options': {**SIZES, 'heads': 2}, 'inputs': GRAPH,
            'source': f"{SOURCE}GAT(9, 8, 3, out_channels=5, heads=2, act='elu')"},
    'gated_graph': {'make': lambda: gnn.GatedGraphConv(11, 3), 'options': {'channels': 11, 'numLayers': 3}, 'inputs': GRAPH,
                    'source': f'{SOURCE}GatedGraphConv(11, 3)'},
})
