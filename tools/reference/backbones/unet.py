"""test/fixtures/backbones/unet.json: U-Net, 3D U-Net and residual U-Net written from their papers, with padded convolutions
and batch norm."""
import torch
import torch.nn.functional as F
from common import record
from torch import nn


class Net(nn.Module):
    """Fig. 1 of Ronneberger et al. 2015; `keeps`: Fig. 2 of Cicek et al. 2016, whose up-convolutions keep the channels."""

    def __init__(self, volume, ins, classes, widths, keeps):
        super().__init__()
        conv, norm = (nn.Conv3d, nn.BatchNorm3d) if volume else (nn.Conv2d, nn.BatchNorm2d)
        transposed = nn.ConvTranspose3d if volume else nn.ConvTranspose2d
        self.pool = F.max_pool3d if volume else F.max_pool2d

        def double(a, b, c):
            return nn.Sequential(conv(a, b, 3, padding=1), norm(b), nn.ReLU(), conv(b, c, 3, padding=1), norm(c), nn.ReLU())

        self.down, self.up, self.join = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        last = ins
        for first, second in widths:
            self.down.append(double(last, first, second))
            last = second
        for _, skip in reversed(widths[:-1]):
            raised = last if keeps else skip
            self.up.append(transposed(last, raised, 2, 2))
            self.join.append(double(skip + raised, skip, skip))
            last = skip
        self.head = conv(last, classes, 1)

    def forward(self, x):
        kept = []
        for level, block in enumerate(self.down):
            x = block(self.pool(x, 2) if level else x)
            kept.append(x)
        kept.pop()
        for up, join in zip(self.up, self.join):
            x = join(torch.cat([kept.pop(), up(x)], 1))
        return self.head(x)


class Unit(nn.Module):
    def __init__(self, a, b, stride, plain):
        super().__init__()
        front = [] if plain else [nn.BatchNorm2d(a), nn.ReLU()]
        self.body = nn.Sequential(*front, nn.Conv2d(a, b, 3, stride, 1), nn.BatchNorm2d(b), nn.ReLU(), nn.Conv2d(b, b, 3, 1, 1))
        self.shortcut = nn.Conv2d(a, b, 1, stride)

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class Residual(nn.Module):
    """Fig. 2 of Zhang et al. 2018."""

    def __init__(self, ins, classes, widths):
        super().__init__()
        self.down = nn.ModuleList(Unit(a, b, 2 if i else 1, i == 0) for i, (a, b) in enumerate(zip([ins, *widths], widths)))
        self.join = nn.ModuleList(Unit(widths[i] + widths[i + 1], widths[i], 1, False) for i in reversed(range(len(widths) - 1)))
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, x):
        kept = []
        for unit in self.down:
            x = unit(x)
            kept.append(x)
        kept.pop()
        for unit in self.join:
            x = unit(torch.cat([F.interpolate(x, scale_factor=2), kept.pop()], 1))
        return self.head(x)


plane = [[8, 8], [16, 16], [32, 32], [64, 64], [96, 96]]
volume = [[4, 8], [8, 16], [16, 32]]
record('unet', {
    'unet': {
        'make': lambda: Net(False, 1, 2, plane, False),
        'options': {'widths': plane},
        'inputs': [{'shape': [2, 1, 32, 48]}],
        'source': 'PyTorch composition after Ronneberger et al. 2015',
    },
    'unet3d': {
        'make': lambda: Net(True, 2, 3, volume, True),
        'options': {'inChannels': 2, 'numClasses': 3, 'widths': volume},
        'inputs': [{'shape': [1, 2, 8, 12, 16]}],
        'source': 'PyTorch composition after Cicek et al. 2016',
    },
    'residual_unet': {
        'make': lambda: Residual(3, 1, [8, 16, 24, 32]),
        'options': {'widths': [8, 16, 24, 32]},
        'inputs': [{'shape': [2, 3, 32, 24]}],
        'source': 'PyTorch composition after Zhang et al. 2018',
    },
})
