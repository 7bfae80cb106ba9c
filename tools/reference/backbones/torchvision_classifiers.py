"""Image classifiers of torchvision: test/fixtures/backbones/<family>.json, all families or those named as arguments."""
import sys

import torchvision
from common import record

VERSION = f'torchvision {torchvision.__version__.split("+")[0]}'
SMALL = [{'shape': [1, 3, 64, 64]}]


def case(builder, inputs=SMALL, options=None, run=None, **arguments):
    """`arguments` are torchvision's; `options` are ours, where they differ from none."""
    shown = ''.join(f', {key}={value!r}' for key, value in arguments.items())
    made = {
        'make': lambda: torchvision.models.get_model(builder, weights=None, **arguments),
        'network': builder,
        'inputs': inputs,
        'source': f'{VERSION}: torchvision.models.{builder}(weights=None{shown})',
        'options': options or {},
    }
    return made | ({'run': run} if run else {})


FAMILIES = {
    'alexnet': {'alexnet': case('alexnet')},
    'vgg': {name: case(name) for name in [f'vgg{depth}{norm}' for depth in (11, 13, 16, 19) for norm in ('', '_bn')]},
    'squeezenet': {name: case(name) for name in ('squeezenet1_0', 'squeezenet1_1')},
}

for family in sys.argv[1:] or FAMILIES:
    record(family, FAMILIES[family])
