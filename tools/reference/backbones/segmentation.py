"""test/fixtures/backbones/segmentation.json, from torchvision."""
import torchvision
from common import record
from torchvision.models import segmentation

VERSION = f'torchvision {torchvision.__version__.split("+")[0]}'
cases = {}
for name in ('fcn_resnet50', 'fcn_resnet101', 'deeplabv3_resnet50', 'deeplabv3_resnet101', 'deeplabv3_mobilenet_v3_large', 'lraspp_mobilenet_v3_large'):
    for aux in (False,) if name.startswith('lraspp') else (False, True):
        options = {} if name.startswith('lraspp') else {'aux_loss': aux}
        cases[name + ('_aux' if aux else '')] = {
            'make': lambda name=name, options=options: getattr(segmentation, name)(weights=None, weights_backbone=None, **options),
            'network': name,
            'options': {'auxLoss': True} if aux else {},
            'inputs': [{'shape': [1, 3, 64, 64]}],
            'source': f'{VERSION}: torchvision.models.segmentation.{name}(weights=None, weights_backbone=None, num_classes=21)',
        }

record('segmentation', cases)
