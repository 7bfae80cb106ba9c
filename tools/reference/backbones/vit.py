"""test/fixtures/backbones/vit.json, from torchvision and timm."""
import timm
import torchvision
from common import record

TORCHVISION = f'torchvision {torchvision.__version__.split("+")[0]}'
INPUTS = [{'shape': [1, 3, 224, 224]}]

record('vit', {
    name: {
        'make': lambda name=name: torchvision.models.get_model(name, weights=None),
        'inputs': INPUTS,
        'source': f'{TORCHVISION}: torchvision.models.{name}(weights=None)',
    }
    for name in ['vit_b_16', 'vit_b_32', 'vit_l_16']
} | {
    f'timm_{name}': {
        'make': lambda name=name: timm.create_model(name, pretrained=False),
        'network': name,
        'layout': 'vit-timm',
        'inputs': INPUTS,
        'source': f"timm {timm.__version__}: timm.create_model('{name}', pretrained=False)",
    }
    for name in [
        'vit_tiny_patch16_224',
        'vit_small_patch16_224',
        'vit_base_patch16_224',
        'vit_base_patch32_224',
        'deit_tiny_patch16_224',
        'deit_small_patch16_224',
        'deit_base_patch16_224',
        'deit_base_distilled_patch16_224',
    ]
})
