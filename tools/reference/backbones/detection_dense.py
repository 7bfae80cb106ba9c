"""test/fixtures/backbones/detection-dense.json, from torchvision: what the heads of single-stage detectors say."""
import torchvision
from common import record
from torchvision.models import detection, resnet50
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.ops import FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

VERSION = f'torchvision {torchvision.__version__.split("+")[0]}'


def plain(name):
    return lambda: getattr(detection, name)(weights=None, weights_backbone=None)


def frozen(kind, inside):
    body = lambda: resnet50(weights=None, norm_layer=FrozenBatchNorm2d)
    extra = {'returned_layers': [2, 3, 4], 'extra_blocks': LastLevelP6P7(inside, 256)}
    return lambda: kind(_resnet_fpn_extractor(body(), 5, **extra), 91)


def heads(net, inputs):
    return net.head(list(net.backbone(inputs[0]).values()))


cases = {}
for name, make in {
    'retinanet_resnet50_fpn': frozen(detection.RetinaNet, 256),
    'fcos_resnet50_fpn': frozen(detection.FCOS, 256),
}.items():
    shared = {'inputs': [{'shape': [1, 3, 64, 64]}], 'source': f'{VERSION}: head of {name}', 'run': heads}
    cases[name] = {'make': plain(name), **shared}
    cases[f'{name}_frozenbn'] = {'make': make, 'network': name, 'options': {'frozenNorm': True}, **shared}
for name, side in {'ssd300_vgg16': 300, 'ssdlite320_mobilenet_v3_large': 64}.items():
    cases[name] = {
        'make': plain(name),
        'inputs': [{'shape': [1, 3, side, side]}],
        'source': f'{VERSION}: head of {name}(weights=None, weights_backbone=None)',
        'run': heads,
    }

record('detection-dense', cases)
