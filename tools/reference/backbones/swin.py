"""test/fixtures/backbones/swin.json, from torchvision and timm."""
import timm
import torchvision
from common import record

TORCHVISION = f'torchvision {torchvision.__version__.split("+")[0]}'

record('swin', {
    name: {
        'make': lambda name=name: torchvision.models.get_model(name, weights=None),
        # Windows are filled up and shift, in the last stage one window holds everything.
        'inputs': [{'shape': [2, 3, 72, 100] if name == 'swin_t' else [1, 3, 64, 64]}],
        'source': f'{TORCHVISION}: torchvision.models.{name}(weights=None)',
    }
    for name in ['swin_t', 'swin_s', 'swin_b', 'swin_v2_t']
} | {
    'swin3d_t': {
        'make': lambda: torchvision.models.get_model('swin3d_t', weights=None),
        'inputs': [{'shape': [1, 3, 9, 72, 64]}],
        'source': f'{TORCHVISION}: torchvision.models.video.swin3d_t(weights=None)',
    },
} | {
    f'timm_{name}': {
        'make': lambda name=name: timm.create_model(name, pretrained=False),
        'network': name,
        'layout': 'swin-timm',
        'inputs': [{'shape': [1, 3, 224, 224]}],
        'source': f"timm {timm.__version__}: timm.create_model('{name}', pretrained=False)",
    }
    for name in ['swin_tiny_patch4_window7_224', 'swin_base_patch4_window7_224']
})
