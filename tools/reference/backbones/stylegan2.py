"""test/fixtures/backbones/stylegan2.json: StyleGAN2 composed of PyTorch's operators as the paper describes it.

Names and configurations are those of NVIDIA's stylegan2-ada-pytorch. Resampling is written out: zeros between the pixels,
one padded filter, then an ordinary convolution.
"""
import math

import torch
import torch.nn.functional as F
from common import record
from torch import nn


def low_pass():
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    kernel = taps[:, None] * taps[None, :]
    return kernel / kernel.sum()


def filtered(x, kernel, before, after):
    """Convolves every map with the kernel, after so many zeros at both ends."""
    n, c, h, w = x.shape
    padded = F.pad(x, [before, after, before, after])
    turned = kernel.flip([0, 1])[None, None]
    return F.conv2d(padded.reshape(n * c, 1, *padded.shape[2:]), turned).reshape(n, c, *_after(padded, kernel))


def _after(padded, kernel):
    return [padded.shape[2] - kernel.shape[0] + 1, padded.shape[3] - kernel.shape[1] + 1]


def spread(x):
    """Zeros between the pixels and after the last."""
    n, c, h, w = x.shape
    wide = x.new_zeros(n, c, 2 * h, 2 * w)
    wide[:, :, ::2, ::2] = x
    return wide


def leaky(x, gain=1.0):
    return F.leaky_relu(x, 0.2) * math.sqrt(2) * gain


class Dense(nn.Module):
    def __init__(self, inputs, outputs, lr=1.0, active=False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.lr, self.active = lr, active

    def forward(self, x):
        y = x @ (self.weight * self.lr / math.sqrt(self.weight.shape[1])).T + self.bias * self.lr
        return leaky(y) if self.active else y


class Conv(nn.Module):
    def __init__(self, inputs, outputs, size, bias=True, active=True, down=False):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, size, size))
        if bias:
            self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer('resample_filter', low_pass())
        self.active, self.down, self.has_bias = active, down, bias

    def forward(self, x, gain=1.0):
        size = self.weight.shape[-1]
        weight = self.weight / math.sqrt(self.weight[0].numel())
        if self.down:
            # A filter of four taps before every second pixel: one more zero than the kernel's at both ends.
            x = filtered(x, self.resample_filter, size // 2 + 1, size // 2 + 1)
            y = F.conv2d(x, weight, stride=2)
        else:
            y = F.conv2d(x, weight, padding=size // 2)
        if self.has_bias:
            y = y + self.bias[None, :, None, None]
        return leaky(y, gain) if self.active else y * gain


def modulated(x, weight, style, demodulate, up=None):
    """One image after the other, each with weights of its own."""
    made = []
    for image, s in zip(x, style):
        own = weight * s[None, :, None, None]
        if demodulate:
            own = own / torch.sqrt((own ** 2).sum(dim=[1, 2, 3], keepdim=True) + 1e-8)
        if up is None:
            made.append(F.conv2d(image[None], own, padding=own.shape[-1] // 2))
        else:
            # Zero insertion, the filter (times 4 for the zeros), and the kernel turned as a transposed convolution's.
            wide = filtered(spread(image[None]), up, 3, 2) * 4
            made.append(F.conv2d(wide, own.flip([2, 3])))
    return torch.cat(made)


class Style(nn.Module):
    def __init__(self, inputs, outputs, w, side, up=False):
        super().__init__()
        self.affine = Dense(w, inputs)
        self.register_buffer('resample_filter', low_pass())
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.register_buffer('noise_const', torch.randn(side, side))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.up = up

    def forward(self, x, w):
        y = modulated(x, self.weight, self.affine(w), True, self.resample_filter if self.up else None)
        return leaky(y + self.noise_const * self.noise_strength + self.bias[None, :, None, None])


class Colours(nn.Module):
    def __init__(self, inputs, w):
        super().__init__()
        self.affine = Dense(w, inputs)
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x, w):
        style = self.affine(w) / math.sqrt(self.weight.shape[1])
        return modulated(x, self.weight, style, False) + self.bias[None, :, None, None]


class Block(nn.Module):
    def __init__(self, inputs, outputs, w, side):
        super().__init__()
        self.register_buffer('resample_filter', low_pass())
        if inputs is None:
            self.const = nn.Parameter(torch.randn(outputs, side, side))
        else:
            self.conv0 = Style(inputs, outputs, w, side, up=True)
        self.conv1 = Style(outputs, outputs, w, side)
        self.torgb = Colours(outputs, w)
        self.first = inputs is None


class Synthesis(nn.Module):
    def __init__(self, side, base, most, w):
        super().__init__()
        self.sides = [2 ** i for i in range(2, int(math.log2(side)) + 1)]
        width = lambda s: min(base // s, most)
        for s in self.sides:
            setattr(self, f'b{s}', Block(None if s == 4 else width(s // 2), width(s), w, s))

    def forward(self, ws):
        image = x = None
        place = 0
        for s in self.sides:
            block = getattr(self, f'b{s}')
            if block.first:
                x = block.const[None].repeat(len(ws), 1, 1, 1)
            else:
                x = block.conv0(x, ws[:, place])
                place += 1
            x = block.conv1(x, ws[:, place])
            place += 1
            colours = block.torgb(x, ws[:, place])
            image = colours if image is None else filtered(spread(image), block.resample_filter, 2, 1) * 4 + colours
        return image


def unit(z):
    return z / torch.sqrt((z ** 2).mean(dim=1, keepdim=True) + 1e-8)


class Mapping(nn.Module):
    def __init__(self, z, c, w, layers, repeats):
        super().__init__()
        if c:
            self.embed = Dense(c, w)
        for i in range(layers):
            setattr(self, f'fc{i}', Dense(z + (w if c else 0) if i == 0 else w, w, lr=0.01, active=True))
        if repeats:
            self.register_buffer('w_avg', torch.zeros(w))
        self.layers, self.repeats, self.labels, self.latents = layers, repeats, c > 0, z > 0

    def forward(self, z, c=None, psi=1.0, cutoff=None):
        parts = ([unit(z)] if self.latents else []) + ([unit(self.embed(c))] if self.labels else [])
        x = torch.cat(parts, dim=1)
        for i in range(self.layers):
            x = getattr(self, f'fc{i}')(x)
        if not self.repeats:
            return x
        ws = torch.stack([x] * self.repeats, dim=1)
        cutoff = self.repeats if cutoff is None else cutoff
        ws[:, :cutoff] = self.w_avg + psi * (ws[:, :cutoff] - self.w_avg)
        return ws


class Generator(nn.Module):
    def __init__(self, z, w, side, base, most, layers=8, c=0):
        super().__init__()
        self.synthesis = Synthesis(side, base, most, w)
        self.mapping = Mapping(z, c, w, layers, 2 * len(self.synthesis.sides))

    def forward(self, z, c=None, psi=1.0, cutoff=None):
        return self.synthesis(self.mapping(z, c, psi, cutoff))


class DownBlock(nn.Module):
    def __init__(self, inputs, outputs, first):
        super().__init__()
        self.register_buffer('resample_filter', low_pass())
        if first:
            self.fromrgb = Conv(3, inputs, 1)
        self.conv0 = Conv(inputs, inputs, 3)
        self.conv1 = Conv(inputs, outputs, 3, down=True)
        self.skip = Conv(inputs, outputs, 1, bias=False, active=False, down=True)
        self.first = first

    def forward(self, x):
        if self.first:
            x = self.fromrgb(x)
        return self.conv1(self.conv0(x), math.sqrt(0.5)) + self.skip(x, math.sqrt(0.5))


class Epilogue(nn.Module):
    def __init__(self, width, outputs, group):
        super().__init__()
        self.conv = Conv(width + 1, width, 3)
        self.fc = Dense(width * 16, width, active=True)
        self.out = Dense(width, outputs)
        self.group = group

    def forward(self, x):
        # Image i is compared with the images i + k · (number of groups).
        groups = len(x) // min(self.group, len(x))
        spread_of = [torch.sqrt(x[g::groups].var(dim=0, unbiased=False) + 1e-8).mean() for g in range(groups)]
        added = torch.stack([spread_of[i % groups] for i in range(len(x))])[:, None, None, None]
        x = torch.cat([x, added.expand(-1, 1, *x.shape[2:])], dim=1)
        return self.out(self.fc(self.conv(x).flatten(1)))


class Discriminator(nn.Module):
    def __init__(self, side, base, most, c=0, group=4):
        super().__init__()
        self.sides = [2 ** i for i in range(int(math.log2(side)), 2, -1)]
        width = lambda s: min(base // s, most)
        for s in self.sides:
            setattr(self, f'b{s}', DownBlock(width(s), width(s // 2), s == side))
        if c:
            self.mapping = Mapping(0, c, width(4), 8, 0)
        self.b4 = Epilogue(width(4), width(4) if c else 1, group)
        self.labels = c > 0

    def forward(self, x, c=None):
        for s in self.sides:
            x = getattr(self, f'b{s}')(x)
        x = self.b4(x)
        if not self.labels:
            return x
        w = self.mapping(None, c)
        return (x * w).sum(dim=1, keepdim=True) / math.sqrt(w.shape[1])


class Rosinality(nn.Module):
    """The same network with the names and shapes of rosinality's stylegan2-pytorch."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x)

    def state_dict(self):
        return self.generator() if isinstance(self.network, Generator) else self.discriminator()

    def generator(self):
        net, named = self.network, {}
        for i in range(net.mapping.layers):
            dense(named, f'style.{i + 1}', getattr(net.mapping, f'fc{i}'))
        named['input.input'] = net.synthesis.b4.const[None]
        styles, colours = [], []
        for side in net.synthesis.sides:
            block = getattr(net.synthesis, f'b{side}')
            styles += [block.conv1] if block.first else [block.conv0, block.conv1]
            colours.append(block)
        for i, style in enumerate(styles):
            name = 'conv1' if i == 0 else f'convs.{i - 1}'
            modulation(named, name, style)
            named[f'{name}.noise.weight'] = style.noise_strength.reshape(1)
            named[f'{name}.activate.bias'] = style.bias
            named[f'noises.noise_{i}'] = style.noise_const[None, None]
            if style.up:
                named[f'{name}.conv.blur.kernel'] = style.resample_filter * 4
        for i, block in enumerate(colours):
            name = 'to_rgb1' if i == 0 else f'to_rgbs.{i - 1}'
            modulation(named, name, block.torgb)
            named[f'{name}.bias'] = block.torgb.bias.reshape(1, 3, 1, 1)
            if i > 0:
                named[f'{name}.upsample.kernel'] = block.resample_filter * 4
        return named

    def discriminator(self):
        net, named = self.network, {}
        first = getattr(net, f'b{net.sides[0]}').fromrgb
        named['convs.0.0.weight'], named['convs.0.1.bias'] = first.weight, first.bias
        for i, side in enumerate(net.sides):
            block, name = getattr(net, f'b{side}'), f'convs.{i + 1}'
            named[f'{name}.conv1.0.weight'], named[f'{name}.conv1.1.bias'] = block.conv0.weight, block.conv0.bias
            named[f'{name}.conv2.0.kernel'] = block.conv1.resample_filter
            named[f'{name}.conv2.1.weight'], named[f'{name}.conv2.2.bias'] = block.conv1.weight, block.conv1.bias
            named[f'{name}.skip.0.kernel'] = block.skip.resample_filter
            named[f'{name}.skip.1.weight'] = block.skip.weight
        named['final_conv.0.weight'], named['final_conv.1.bias'] = net.b4.conv.weight, net.b4.conv.bias
        dense(named, 'final_linear.0', net.b4.fc)
        dense(named, 'final_linear.1', net.b4.out)
        return named


def dense(named, name, layer):
    named[f'{name}.weight'], named[f'{name}.bias'] = layer.weight, layer.bias


def modulation(named, name, layer):
    named[f'{name}.conv.weight'] = layer.weight[None]
    dense(named, f'{name}.conv.modulation', layer.affine)


SOURCE = f'PyTorch {torch.__version__.split("+")[0]}: composed after Karras et al. 2020'
# Weights as training has them: of variance 1, and larger by the inverse of the learning rate's factor.
SPREADS = {r'mapping\.fc\d+\.weight$': 100 * math.sqrt(3), r'(weight|const)$': math.sqrt(3)}
ROSINALITY_SPREADS = {
    r'noise\.weight$': 0.1, r'^style\.\d+\.weight$': 100 * math.sqrt(3), r'(weight|input)$': math.sqrt(3),
}
SMALL = {'resolution': 32, 'zDim': 24, 'wDim': 20, 'channelBase': 384, 'channelMax': 16, 'mappingLayers': 3}

record('stylegan2', {
    'stylegan2_small': {
        'network': 'stylegan2_256',
        'options': SMALL,
        'make': lambda: Generator(24, 20, 32, 384, 16, layers=3),
        'inputs': [{'shape': [2, 24]}],
        'spreads': SPREADS,
        'source': SOURCE,
    },
    'stylegan2_truncated': {
        'network': 'stylegan2_1024',
        'options': {**SMALL, 'cDim': 5},
        'make': lambda: Generator(24, 20, 32, 384, 16, layers=3, c=5),
        'inputs': [{'shape': [2, 24]}, {'shape': [2, 5]}],
        'run': lambda net, args: net(*args, psi=0.6, cutoff=5),
        'spreads': SPREADS,
        'source': SOURCE,
    },
    'stylegan2_discriminator_small': {
        'network': 'stylegan2_discriminator_256',
        'options': {'resolution': 32, 'channelBase': 384, 'channelMax': 16},
        'make': lambda: Discriminator(32, 384, 16),
        'inputs': [{'shape': [2, 3, 32, 32]}],
        'spreads': SPREADS,
        'source': SOURCE,
    },
    'stylegan2_discriminator_labels': {
        'network': 'stylegan2_discriminator_1024',
        'options': {'resolution': 16, 'channelBase': 192, 'channelMax': 16, 'cDim': 5, 'groupSize': 2},
        'make': lambda: Discriminator(16, 192, 16, c=5, group=2),
        'inputs': [{'shape': [4, 3, 16, 16]}, {'shape': [4, 5]}],
        'spreads': SPREADS,
        'source': SOURCE,
    },
    'stylegan2_256': {
        'make': lambda: Generator(512, 512, 256, 16384, 512),
        'inputs': [{'shape': [1, 512]}],
        'spreads': SPREADS,
        'source': SOURCE,
    },
    'stylegan2_discriminator_256': {
        'make': lambda: Discriminator(256, 16384, 512),
        'inputs': [{'shape': [1, 3, 256, 256]}],
        'spreads': SPREADS,
        'source': SOURCE,
    },
    'stylegan2_rosinality': {
        'network': 'stylegan2_256',
        'options': SMALL,
        'layout': 'stylegan2-rosinality',
        'make': lambda: Rosinality(Generator(24, 20, 32, 384, 16, layers=3)),
        'inputs': [{'shape': [2, 24]}],
        'spreads': ROSINALITY_SPREADS,
        'source': SOURCE,
    },
    'stylegan2_discriminator_rosinality': {
        'network': 'stylegan2_discriminator_256',
        'options': {'channelBase': 512, 'channelMax': 8},
        'layout': 'stylegan2-discriminator-256-rosinality',
        'make': lambda: Rosinality(Discriminator(256, 512, 8)),
        'inputs': [{'shape': [2, 3, 256, 256]}],
        'spreads': ROSINALITY_SPREADS,
        'source': SOURCE,
    },
})
