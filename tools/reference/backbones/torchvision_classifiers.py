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


def with_aux(network, inputs):
    # The flag of the whole network alone asks for the auxiliary logits; its layers still behave as in evaluation.
    network.training = True
    return network(*inputs)


FAMILIES = {
    'alexnet': {'alexnet': case('alexnet')},
    'vgg': {name: case(name) for name in [f'vgg{depth}{norm}' for depth in (11, 13, 16, 19) for norm in ('', '_bn')]},
    'squeezenet': {name: case(name) for name in ('squeezenet1_0', 'squeezenet1_1')},
    'googlenet': {
        'googlenet': case('googlenet', options={'auxLogits': False}, aux_logits=False, init_weights=False),
        'googlenet_aux': case('googlenet', run=with_aux, aux_logits=True, init_weights=False),
        'googlenet_transform': case(
            'googlenet', options={'auxLogits': False, 'transformInput': True, 'numClasses': 10},
            aux_logits=False, init_weights=False, transform_input=True, num_classes=10,
        ),
    },
    'inception_v3': {
        'inception_v3': case(
            'inception_v3', options={'auxLogits': False}, inputs=[{'shape': [1, 3, 96, 96]}], aux_logits=False, init_weights=False,
        ),
        'inception_v3_aux': case(
            'inception_v3', run=with_aux, inputs=[{'shape': [1, 3, 299, 299]}], aux_logits=True, init_weights=False,
        ),
    },
    # The smallest one small, as the quick tests run it.
    'densenet': {'densenet121': case('densenet121', [{'shape': [1, 3, 32, 32]}])}
    | {name: case(name) for name in ('densenet161', 'densenet169', 'densenet201')},
    'mobilenet': {name: case(name) for name in ('mobilenet_v2', 'mobilenet_v3_large', 'mobilenet_v3_small')} | {
        'mobilenet_v2_narrow': case('mobilenet_v2', options={'widthMult': 0.35, 'numClasses': 10}, width_mult=0.35, num_classes=10),
        'mobilenet_v3_large_segmentation': case(
            'mobilenet_v3_large', options={'reducedTail': True, 'dilated': True}, reduced_tail=True, dilated=True,
        ),
    },
    'mnasnet': {'mnasnet1_0': case('mnasnet1_0'), 'mnasnet0_5': case('mnasnet0_5')},
    'efficientnet': {name: case(name) for name in [f'efficientnet_b{i}' for i in range(8)] + ['efficientnet_v2_s']},
    'regnet': {name: case(name) for name in ('regnet_y_400mf', 'regnet_x_400mf')},
    'convnext': {name: case(name) for name in [f'convnext_{size}' for size in ('tiny', 'small', 'base', 'large')]},
    'shufflenet_v2': {name: case(name) for name in ('shufflenet_v2_x1_0', 'shufflenet_v2_x0_5')},
}

for family in sys.argv[1:] or FAMILIES:
    record(family, FAMILIES[family])
