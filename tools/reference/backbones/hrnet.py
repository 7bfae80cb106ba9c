"""test/fixtures/backbones/hrnet.json, from timm."""
import timm
from common import record

record('hrnet', {
    f'timm_{name}': {
        'network': name,
        'make': lambda name=name: timm.create_model(name, pretrained=False),
        'inputs': [{'shape': [1, 3, 64, 64]}],
        'source': f'timm {timm.__version__}: timm.create_model({name!r})',
    }
    for name in ['hrnet_w18', 'hrnet_w32', 'hrnet_w48']
})
