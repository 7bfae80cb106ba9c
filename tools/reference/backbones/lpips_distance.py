"""test/fixtures/backbones/lpips.json, from the lpips package."""
from importlib.metadata import version

import lpips
from common import record

VERSION = f'lpips {version("lpips")}'


def case(net, options=None, **arguments):
    shown = ''.join(f', {key}={value!r}' for key, value in arguments.items())
    made = {
        'make': lambda: lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False, **arguments),
        'network': f'lpips_{net}',
        'inputs': [{'shape': [2, 3, 64, 64]}] * 2,
        'source': f'{VERSION}: lpips.LPIPS(net={net!r}, pretrained=False, pnet_rand=True{shown})',
        'options': options or {},
    }
    return made


record('lpips', {
    'lpips_alex': case('alex'),
    'lpips_vgg': case('vgg'),
    'lpips_squeeze': case('squeeze'),
    'lpips_squeeze_spatial': case('squeeze', {'spatial': True, 'trainFeatures': True}, spatial=True, pnet_tune=True),
})
