"""test/fixtures/backbones/image_translation.json: pix2pix, CycleGAN and SPADE composed of PyTorch's layers after the papers.

Names are those of pytorch-CycleGAN-and-pix2pix and of NVlabs/SPADE.
"""
import math
from collections import OrderedDict

import torch
import torch.nn.functional as F
from common import record
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils import spectral_norm as hooked_spectral_norm

BATCH = lambda c: nn.BatchNorm2d(c)
INSTANCE = lambda c: nn.InstanceNorm2d(c)


def patchgan(inputs, width, layers, norm):
    """Isola et al., appendix: C64-C128-C256-C512, then one value a patch."""
    bias = norm is INSTANCE
    widths = [width * 2 ** min(i, 3) for i in range(layers + 1)]
    parts = [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        parts += [nn.Conv2d(a, b, 4, 1 if i == layers - 1 else 2, 1, bias=bias), norm(b), nn.LeakyReLU(0.2)]
    parts.append(nn.Conv2d(widths[-1], 1, 4, 1, 1))
    return nn.Sequential(OrderedDict(model=nn.Sequential(*parts)))


class Shape(nn.Module):
    """A U-Net built from the inside out; every level joins its input to its output, but the last."""

    def __init__(self, level, inside, final):
        super().__init__()
        self.model = nn.Sequential(*level[0], *([inside] if inside else []), *level[1])
        self.final = final

    def forward(self, x):
        y = self.model(x)
        return y if self.final else torch.cat((x, y), 1)


def unet(inputs, outputs, downs, width, norm, dropout):
    bias = norm is INSTANCE
    leaky, relu = (lambda: nn.LeakyReLU(0.2)), (lambda: nn.ReLU())
    channels = [width * min(2 ** i, 8) for i in range(downs)]
    inside = None
    for i in reversed(range(1, downs)):
        outer, inner = channels[i - 1], channels[i]
        innermost = inside is None
        down = [leaky(), nn.Conv2d(outer, inner, 4, 2, 1, bias=bias)] + ([] if innermost else [norm(inner)])
        up = [relu(), nn.ConvTranspose2d(inner * (1 if innermost else 2), outer, 4, 2, 1, bias=bias), norm(outer)]
        if dropout and not innermost and outer == inner:
            up.append(nn.Dropout(0.5))
        inside = Shape((down, up), inside, False)
    down = [nn.Conv2d(inputs, width, 4, 2, 1, bias=bias)]
    up = [relu(), nn.ConvTranspose2d(width * 2, outputs, 4, 2, 1), nn.Tanh()]
    return nn.Sequential(OrderedDict(model=Shape((down, up), inside, True)))


class Residual(nn.Module):
    def __init__(self, c, norm, dropout):
        super().__init__()
        conv = lambda: [nn.ReflectionPad2d(1), nn.Conv2d(c, c, 3, bias=norm is INSTANCE), norm(c)]
        self.conv_block = nn.Sequential(*conv(), nn.ReLU(), *([nn.Dropout(0.5)] if dropout else []), *conv())

    def forward(self, x):
        return x + self.conv_block(x)


def resnet(inputs, outputs, width, norm, blocks, dropout=False):
    """Zhu et al., appendix: c7s1-64, d128, d256, R256 × blocks, u128, u64, c7s1-3."""
    bias = norm is INSTANCE
    parts = [nn.ReflectionPad2d(3), nn.Conv2d(inputs, width, 7, bias=bias), norm(width), nn.ReLU()]
    for a, b in ((width, 2 * width), (2 * width, 4 * width)):
        parts += [nn.Conv2d(a, b, 3, 2, 1, bias=bias), norm(b), nn.ReLU()]
    parts += [Residual(4 * width, norm, dropout) for _ in range(blocks)]
    for a, b in ((4 * width, 2 * width), (2 * width, width)):
        parts += [nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1, bias=bias), norm(b), nn.ReLU()]
    parts += [nn.ReflectionPad2d(3), nn.Conv2d(width, outputs, 7), nn.Tanh()]
    return nn.Sequential(OrderedDict(model=nn.Sequential(*parts)))


class Scales(nn.Module):
    def __init__(self, inputs, scales, width, layers, norm, spectral, bias):
        super().__init__()
        for s in range(scales):
            parts = OrderedDict(model0=nn.Sequential(nn.Conv2d(inputs, width, 4, 2, 2), nn.LeakyReLU(0.2)))
            c = width
            for i in range(1, layers):
                d = min(2 * c, 512)
                conv = nn.Conv2d(c, d, 4, 2 if i < layers - 1 else 1, 2, bias=bias or norm is None)
                conv = spectral(conv) if spectral else conv
                parts[f'model{i}'] = nn.Sequential(nn.Sequential(conv, norm(d)) if norm else conv, nn.LeakyReLU(0.2))
                c = d
            parts[f'model{layers}'] = nn.Sequential(nn.Conv2d(c, 1, 4, 1, 2))
            setattr(self, f'discriminator_{s}', nn.Sequential(parts))

    def forward(self, x):
        every = []
        for branch in self.children():
            maps, y = [], x
            for layer in branch:
                y = layer(y)
                maps.append(y)
            every.append(maps)
            x = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return every


class Spade(nn.Module):
    def __init__(self, c, labels, norm, hidden):
        super().__init__()
        self.param_free_norm = nn.BatchNorm2d(c, affine=False) if norm == 'batch' else nn.InstanceNorm2d(c)
        self.mlp_shared = nn.Sequential(nn.Conv2d(labels, hidden, 3, 1, 1), nn.ReLU())
        self.mlp_gamma = nn.Conv2d(hidden, c, 3, 1, 1)
        self.mlp_beta = nn.Conv2d(hidden, c, 3, 1, 1)

    def forward(self, x, s):
        h = self.mlp_shared(F.interpolate(s, size=x.shape[2:]))
        return self.param_free_norm(x) * (1 + self.mlp_gamma(h)) + self.mlp_beta(h)


class SpadeBlock(nn.Module):
    def __init__(self, a, b, labels, norm, hidden, spectral):
        super().__init__()
        m = min(a, b)
        self.conv_0 = spectral(nn.Conv2d(a, m, 3, 1, 1))
        self.conv_1 = spectral(nn.Conv2d(m, b, 3, 1, 1))
        if a != b:
            self.conv_s = spectral(nn.Conv2d(a, b, 1, bias=False))
        self.norm_0 = Spade(a, labels, norm, hidden)
        self.norm_1 = Spade(m, labels, norm, hidden)
        if a != b:
            self.norm_s = Spade(a, labels, norm, hidden)

    def forward(self, x, s):
        y = self.conv_0(F.leaky_relu(self.norm_0(x, s), 0.2))
        y = self.conv_1(F.leaky_relu(self.norm_1(y, s), 0.2))
        return y + (self.conv_s(self.norm_s(x, s)) if hasattr(self, 'conv_s') else x)


class Spades(nn.Module):
    def __init__(self, labels, width, start, more, most, norm='batch', hidden=128, z=None, spectral=lambda conv: conv):
        super().__init__()
        block = lambda a, b: SpadeBlock(a * width // 2, b * width // 2, labels, norm, hidden, spectral)
        self.fc = nn.Linear(z, 16 * width * math.prod(start)) if z else nn.Conv2d(labels, 16 * width, 3, 1, 1)
        self.head_0, self.G_middle_0, self.G_middle_1 = block(32, 32), block(32, 32), block(32, 32)
        self.up_0, self.up_1, self.up_2, self.up_3 = block(32, 16), block(16, 8), block(8, 4), block(4, 2)
        if most:
            self.up_4 = block(2, 1)
        self.conv_img = nn.Conv2d(width // 2 if most else width, 3, 3, 1, 1)
        self.start, self.more, self.most, self.z = start, more or most, most, z

    def forward(self, s, z=None):
        double = nn.Upsample(scale_factor=2)
        x = self.fc(z).unflatten(1, (-1, *self.start)) if self.z else self.fc(F.interpolate(s, size=self.start))
        x = self.G_middle_0(double(self.head_0(x, s)), s)
        x = self.G_middle_1(double(x) if self.more else x, s)
        for block in [self.up_0, self.up_1, self.up_2, self.up_3] + ([self.up_4] if self.most else []):
            x = block(double(x), s)
        return torch.tanh(self.conv_img(F.leaky_relu(x, 0.2)))


TORCH = torch.__version__.split('+')[0]
PIX2PIX = f'PyTorch {TORCH}: composed after Isola et al. 2017, Zhu et al. 2017'
SPADE = f'PyTorch {TORCH}: composed after Park et al. 2019'
SPECTRAL = parametrizations.spectral_norm
# So that estimates of the largest singular value are not near 0, and pictures far from the ends of tanh.
SPREADS = {'_[uv]$': 4.0, r'^conv_img\.weight$': 0.1}

record('image_translation', {
    'patchgan_70': {
        'make': lambda: patchgan(3, 64, 3, BATCH),
        'inputs': [{'shape': [2, 3, 64, 48]}],
        'source': PIX2PIX,
    },
    'patchgan_instance': {
        'network': 'patchgan_70',
        'options': {'inChannels': 6, 'width': 8, 'layers': 4, 'norm': 'instance'},
        'make': lambda: patchgan(6, 8, 4, INSTANCE),
        'inputs': [{'shape': [2, 6, 64, 64]}],
        'source': PIX2PIX,
    },
    'patchgan_plain': {
        'network': 'patchgan_70',
        'options': {'width': 8, 'norm': 'none'},
        'make': lambda: patchgan(3, 8, 3, lambda c: nn.Identity()),
        'inputs': [{'shape': [2, 3, 32, 40]}],
        'source': PIX2PIX,
    },
    'pix2pix_unet_small': {
        'network': 'pix2pix_unet_128',
        'options': {'inChannels': 1, 'outChannels': 2, 'downs': 6, 'width': 8, 'dropout': True},
        'make': lambda: unet(1, 2, 6, 8, BATCH, True),
        'inputs': [{'shape': [2, 1, 64, 128]}],
        'source': PIX2PIX,
    },
    'pix2pix_unet_256': {
        'make': lambda: unet(3, 3, 8, 64, BATCH, False),
        'inputs': [{'shape': [1, 3, 256, 256]}],
        'source': PIX2PIX,
    },
    'cyclegan_resnet_small': {
        'network': 'cyclegan_resnet_6blocks',
        'options': {'width': 8, 'blocks': 2, 'dropout': True, 'outChannels': 2},
        'make': lambda: resnet(3, 2, 8, INSTANCE, 2, True),
        'inputs': [{'shape': [2, 3, 32, 48]}],
        'source': PIX2PIX,
    },
    'cyclegan_resnet_batch': {
        'network': 'cyclegan_resnet_9blocks',
        'options': {'width': 4, 'blocks': 3, 'norm': 'batch'},
        'make': lambda: resnet(3, 3, 4, BATCH, 3),
        'inputs': [{'shape': [1, 3, 36, 32]}],
        'source': PIX2PIX,
    },
    'cyclegan_resnet_9blocks': {
        'make': lambda: resnet(3, 3, 64, INSTANCE, 9),
        'inputs': [{'shape': [1, 3, 64, 64]}],
        'source': PIX2PIX,
    },
    'multiscale_patchgan': {
        'make': lambda: Scales(3, 2, 64, 4, INSTANCE, SPECTRAL, False),
        'inputs': [{'shape': [1, 3, 64, 64]}],
        'spreads': SPREADS,
        'source': SPADE,
    },
    'multiscale_patchgan_hd': {
        'network': 'multiscale_patchgan',
        'options': {'scales': 3, 'width': 8, 'spectral': False, 'normBias': True},
        'make': lambda: Scales(3, 3, 8, 4, INSTANCE, None, True),
        'inputs': [{'shape': [1, 3, 64, 80]}],
        'spreads': SPREADS,
        'source': SPADE,
    },
    'multiscale_patchgan_plain': {
        'network': 'multiscale_patchgan',
        'options': {'width': 8, 'norm': 'none', 'layers': 3},
        'make': lambda: Scales(3, 2, 8, 3, None, SPECTRAL, True),
        'inputs': [{'shape': [1, 3, 32, 32]}],
        'spreads': SPREADS,
        'source': SPADE,
    },
    'spade_small': {
        'network': 'spade_ade20k',
        'options': {'semanticChannels': 5, 'width': 4, 'size': 64, 'hidden': 12},
        'make': lambda: Spades(5, 4, (2, 2), False, False, hidden=12, spectral=SPECTRAL),
        'inputs': [{'shape': [1, 5, 48, 64]}],
        'spreads': SPREADS,
        'source': SPADE,
    },
    'spade_most': {
        'network': 'spade_coco',
        'options': {
            'semanticChannels': 3, 'width': 4, 'size': 256, 'aspectRatio': 2, 'upsampling': 'most',
            'norm': 'instance', 'hidden': 8, 'spectral': False, 'zDim': 6,
        },
        'make': lambda: Spades(3, 4, (1, 2), True, True, norm='instance', hidden=8, z=6),
        'inputs': [{'shape': [1, 3, 128, 256]}, {'shape': [1, 6]}],
        'spreads': SPREADS,
        'source': SPADE,
    },
    'spade_cityscapes_small': {
        'network': 'spade_cityscapes',
        'options': {'width': 2, 'size': 128, 'hidden': 8},
        'layout': 'spade-hooks',
        'make': lambda: Spades(36, 2, (1, 2), True, False, hidden=8, spectral=hooked_spectral_norm),
        'inputs': [{'shape': [1, 36, 64, 128]}],
        'spreads': SPREADS,
        'source': SPADE,
    },
    'multiscale_patchgan_hooks': {
        'network': 'multiscale_patchgan',
        'options': {'width': 8},
        'layout': 'spade-hooks',
        'make': lambda: Scales(3, 2, 8, 4, INSTANCE, hooked_spectral_norm, False),
        'inputs': [{'shape': [1, 3, 64, 64]}],
        'spreads': SPREADS,
        'source': SPADE,
    },
})
