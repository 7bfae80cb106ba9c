"""test/fixtures/backbones/beit-mixer.json, from timm."""
import timm
from common import record

record('beit-mixer', {
    f'timm_{name}': {
        'make': lambda name=name: timm.create_model(name, pretrained=False),
        'network': name,
        'inputs': [{'shape': [1, 3, 224, 224]}],
        'source': f"timm {timm.__version__}: timm.create_model('{name}', pretrained=False)",
    }
    for name in ['beit_base_patch16_224', 'mixer_b16_224']
})
