"""test/fixtures/backbones/raft.json, from torchvision."""
import torchvision
from common import record
from torchvision.models import optical_flow

VERSION = f'torchvision {torchvision.__version__.split("+")[0]}'

record('raft', {
    name: {
        'make': lambda name=name: getattr(optical_flow, name)(weights=None),
        'inputs': [{'shape': [1, 3, 128, 136]}, {'shape': [1, 3, 128, 136]}],
        'run': lambda net, frames: net(*frames, num_flow_updates=3),
        'source': f'{VERSION}: torchvision.models.optical_flow.{name}(weights=None), three updates',
    }
    for name in ['raft_large', 'raft_small']
})
