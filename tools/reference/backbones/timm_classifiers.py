"""Image classifiers of timm: test/fixtures/backbones/timm_<family>.json, all families or those named as arguments."""
import sys

import timm
from common import record

SMALL = [{'shape': [1, 3, 64, 64]}]
# An odd size, whose borders TensorFlow's padding treats differently.
ODD = [{'shape': [1, 3, 65, 48]}]


def case(name, inputs=SMALL, layout=None, network=None):
    made = {
        'make': lambda: timm.create_model(name, pretrained=False),
        'network': network or name,
        'inputs': inputs,
        'source': f'timm {timm.__version__}: timm.create_model({name!r}, pretrained=False)',
    }
    return made | ({'layout': layout} if layout else {})


FAMILIES = {
    'efficientnet': {f'timm_{name}': case(name, ODD, 'efficientnet-timm') for name in [f'tf_efficientnet_b{i}' for i in (0, 3, 4, 7)]}
    | {'timm_tf_efficientnetv2_s': case('tf_efficientnetv2_s', ODD, 'efficientnet-v2-s-timm')},
    'xception': {'timm_legacy_xception': case('legacy_xception', network='xception')}
    | {f'timm_xception{depth}': case(f'xception{depth}') for depth in (41, 65, 71)},
    'resnet': {f'timm_{name}': case(name) for name in ('res2net50_26w_4s', 'res2net101_26w_4s', 'seresnet50')},
    'ghostnet': {'timm_ghostnet_100': case('ghostnet_100')},
    'inception_resnet_v2': {'timm_inception_resnet_v2': case('inception_resnet_v2', [{'shape': [1, 3, 96, 96]}])},
    'convnext': {f'timm_{name}': case(name, layout='convnext-timm') for name in ('convnext_tiny', 'convnext_base')},
}

for family in sys.argv[1:] or FAMILIES:
    record(f'timm_{family}', FAMILIES[family])
