"""test/fixtures/backbones/ddpm.json, from diffusers' UNet2DModel."""
import re

import diffusers
import torch
from common import record
from diffusers import UNet2DModel

# The configuration that all of google/ddpm-* share.
COMMON = {
    'attention_head_dim': None,
    'downsample_padding': 0,
    'flip_sin_to_cos': False,
    'freq_shift': 1,
    'norm_eps': 1e-6,
    'layers_per_block': 2,
}


def unet(channels, attention, **options):
    downs = ['AttnDownBlock2D' if attends else 'DownBlock2D' for attends in attention]
    ups = ['AttnUpBlock2D' if attends else 'UpBlock2D' for attends in reversed(attention)]
    return UNet2DModel(
        block_out_channels=channels, down_block_types=downs, up_block_types=ups, **{**COMMON, **options},
    )


class OlderNames(torch.nn.Module):
    """The names that diffusers gave to attention in its first releases, which the hub's files have."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def state_dict(self):
        new = {'to_q': 'query', 'to_k': 'key', 'to_v': 'value', 'to_out.0': 'proj_attn'}
        rename = lambda name: re.sub('|'.join(re.escape(k) for k in new), lambda m: new[m[0]], name)
        return {rename(name): value for name, value in self.network.state_dict().items()}

    def forward(self, *args):
        return self.network(*args).sample


SOURCE = f'diffusers {diffusers.__version__}: UNet2DModel'
STEPS = {'shape': [2], 'high': 1000}
sample = lambda net, args: net(*args).sample

record('ddpm', {
    'ddpm_small': {
        'network': 'ddpm_cifar10_32',
        'options': {'channels': [16, 32, 32], 'attention': [False, True, False], 'groups': 8},
        'make': lambda: unet((16, 32, 32), (False, True, False), norm_num_groups=8),
        'inputs': [{'shape': [2, 3, 16, 24]}, STEPS],
        'run': sample,
        'source': SOURCE,
    },
    'ddpm_classes': {
        'network': 'ddpm_celebahq_256',
        'options': {
            'inChannels': 1, 'outChannels': 2, 'channels': [8, 16], 'attention': [False, True], 'groups': 4,
            'layersPerBlock': 1, 'headChannels': 8, 'flipSinToCos': True, 'frequencyShift': 0, 'downsamplePadding': 1,
            'numClasses': 5, 'eps': 1e-5,
        },
        'make': lambda: unet(
            (8, 16), (False, True), norm_num_groups=4, in_channels=1, out_channels=2, layers_per_block=1,
            attention_head_dim=8, flip_sin_to_cos=True, freq_shift=0, downsample_padding=1, num_class_embeds=5,
            norm_eps=1e-5,
        ),
        'inputs': [{'shape': [2, 1, 12, 8]}, STEPS, {'shape': [2], 'high': 5}],
        'run': sample,
        'source': SOURCE,
    },
    'ddpm_hub_names': {
        'network': 'ddpm_cifar10_32',
        'options': {'channels': [16, 16], 'groups': 8, 'layersPerBlock': 1},
        'layout': 'ddpm-hub',
        'make': lambda: OlderNames(unet((16, 16), (False, True), norm_num_groups=8, layers_per_block=1)),
        'inputs': [{'shape': [2, 3, 8, 8]}, STEPS],
        'source': SOURCE,
    },
    'ddpm_cifar10_32': {
        'make': lambda: unet((128, 256, 256, 256), (False, True, False, False)),
        'inputs': [{'shape': [2, 3, 32, 32]}, STEPS],
        'run': sample,
        'source': SOURCE,
    },
    'ddpm_celebahq_256': {
        'make': lambda: unet((128, 128, 256, 256, 512, 512), (False, False, False, False, True, False)),
        'inputs': [{'shape': [1, 3, 64, 64]}, {'shape': [1], 'high': 1000}],
        'run': sample,
        'source': SOURCE,
    },
})
