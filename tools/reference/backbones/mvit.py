"""test/fixtures/backbones/mvit.json, from torchvision and PyTorchVideo."""
import importlib.metadata

import torchvision
from common import record
from pytorchvideo.models import hub

TORCHVISION = f'torchvision {torchvision.__version__.split("+")[0]}'
INPUTS = [{'shape': [1, 3, 16, 224, 224]}]

record('mvit', {
    name: {
        'make': lambda name=name: torchvision.models.get_model(name, weights=None),
        'inputs': INPUTS,
        'source': f'{TORCHVISION}: torchvision.models.video.{name}(weights=None)',
    }
    for name in ['mvit_v1_b', 'mvit_v2_s']
} | {
    'pytorchvideo_mvit_base_16x4': {
        'make': lambda: hub.mvit_base_16x4(pretrained=False),
        'network': 'mvit_v1_b',
        'layout': 'mvit-pytorchvideo',
        'inputs': INPUTS,
        'source': f"pytorchvideo {importlib.metadata.version('pytorchvideo')}: pytorchvideo.models.hub.mvit_base_16x4(pretrained=False)",
    },
})
