"""test/fixtures/backbones/resnet.json, from torchvision."""
import torchvision
from common import record

NAMES = ['resnet18', 'resnet34', 'resnet50', 'resnet101', 'resnet152', 'resnext50_32x4d', 'resnext101_32x8d', 'wide_resnet50_2']
VERSION = f'torchvision {torchvision.__version__.split("+")[0]}'

record('resnet', {
    name: {
        'make': lambda name=name: torchvision.models.get_model(name, weights=None),
        'inputs': [{'shape': [1, 3, 64, 64]}],
        'source': f'{VERSION}: torchvision.models.{name}(weights=None)',
    }
    for name in NAMES
})
