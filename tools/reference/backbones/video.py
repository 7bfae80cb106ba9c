"""test/fixtures/backbones/video.json: R3D, MC3, R(2+1)D and S3D from torchvision; C3D and I3D composed here after their
papers, with the names of the ports that their published weights are for."""
import torch
import torch.nn.functional as F
import torchvision
from common import record
from torch import nn
from torchvision.models import video

VERSION = f'torchvision {torchvision.__version__.split("+")[0]}'


class C3D(nn.Module):
    """Table of the C3D paper: eight convolutions of 3x3x3, five pools (the first in space only), three linear layers."""
    LAYERS = [('conv1', 3, 64), ('conv2', 64, 128), ('conv3a', 128, 256), ('conv3b', 256, 256),
              ('conv4a', 256, 512), ('conv4b', 512, 512), ('conv5a', 512, 512), ('conv5b', 512, 512)]

    def __init__(self):
        super().__init__()
        for name, cin, cout in self.LAYERS:
            self.add_module(name, nn.Conv3d(cin, cout, 3, padding=1))
        for name, cin, cout in [('fc6', 8192, 4096), ('fc7', 4096, 4096), ('fc8', 4096, 487)]:
            self.add_module(name, nn.Linear(cin, cout))

    def forward(self, x):
        for name, _, _ in self.LAYERS:
            x = getattr(self, name)(x).relu()
            if name == 'conv1':
                x = F.max_pool3d(x, (1, 2, 2))
            elif name in ('conv2', 'conv3b', 'conv4b'):
                x = F.max_pool3d(x, 2)
            elif name == 'conv5b':
                x = F.max_pool3d(x, 2, padding=(0, 1, 1))
        x = self.fc7(self.fc6(x.flatten(1)).relu()).relu()
        return self.fc8(x)


def same(x, kernel, stride):
    """TensorFlow's SAME: out = ceil(n / s), what is missing split with the larger half behind."""
    sides = []
    for n, k, s in zip(x.shape[2:], kernel, stride):
        out = -(-n // s)
        missing = max((out - 1) * s + k - n, 0)
        sides.append((missing // 2, missing - missing // 2))
    return F.pad(x, [end for pair in reversed(sides) for end in pair])


class Unit(nn.Module):
    def __init__(self, cin, cout, k=(1, 1, 1), s=(1, 1, 1), last=False):
        super().__init__()
        self.k, self.s = k, s
        self.conv3d = nn.Conv3d(cin, cout, k, s, bias=last)
        self.bn = None if last else nn.BatchNorm3d(cout, eps=1e-3, momentum=0.01)

    def forward(self, x):
        x = self.conv3d(same(x, self.k, self.s))
        return x if self.bn is None else F.relu(self.bn(x))


class Mixed(nn.Module):
    def __init__(self, cin, w):
        super().__init__()
        self.b0 = Unit(cin, w[0])
        self.b1a, self.b1b = Unit(cin, w[1]), Unit(w[1], w[2], (3, 3, 3))
        self.b2a, self.b2b = Unit(cin, w[3]), Unit(w[3], w[4], (3, 3, 3))
        self.b3b = Unit(cin, w[5])

    def forward(self, x):
        pooled = F.max_pool3d(same(x, (3, 3, 3), (1, 1, 1)), 3, 1)
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)], 1)


class I3D(nn.Module):
    MIXED = {
        '3b': (192, (64, 96, 128, 16, 32, 32)), '3c': (256, (128, 128, 192, 32, 96, 64)),
        '4b': (480, (192, 96, 208, 16, 48, 64)), '4c': (512, (160, 112, 224, 24, 64, 64)),
        '4d': (512, (128, 128, 256, 24, 64, 64)), '4e': (512, (112, 144, 288, 32, 64, 64)),
        '4f': (528, (256, 160, 320, 32, 128, 128)), '5b': (832, (256, 160, 320, 32, 128, 128)),
        '5c': (832, (384, 192, 384, 48, 128, 128)),
    }

    def __init__(self, channels):
        super().__init__()
        self.logits = Unit(1024, 400, last=True)
        self.Conv3d_1a_7x7 = Unit(channels, 64, (7, 7, 7), (2, 2, 2))
        self.Conv3d_2b_1x1 = Unit(64, 64)
        self.Conv3d_2c_3x3 = Unit(64, 192, (3, 3, 3))
        for name, (cin, widths) in self.MIXED.items():
            self.add_module(f'Mixed_{name}', Mixed(cin, widths))

    def forward(self, x):
        def pool(x, k, s):
            return F.max_pool3d(same(x, k, s), k, s)
        x = pool(self.Conv3d_1a_7x7(x), (1, 3, 3), (1, 2, 2))
        x = pool(self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x)), (1, 3, 3), (1, 2, 2))
        for name in self.MIXED:
            if name == '4b':
                x = pool(x, (3, 3, 3), (2, 2, 2))
            if name == '5b':
                x = pool(x, (2, 2, 2), (2, 2, 2))
            x = getattr(self, f'Mixed_{name}')(x)
        x = F.avg_pool3d(x, (2, 7, 7), 1)
        return self.logits(x)[..., 0, 0]


cases = {
    name: {
        'make': lambda name=name: getattr(video, name)(weights=None),
        'inputs': [{'shape': [1, 3, 8, 32, 32]}],
        'source': f'{VERSION}: torchvision.models.video.{name}(weights=None)',
    }
    for name in ['r3d_18', 'mc3_18', 'r2plus1d_18']
}


def r2plus1d_34():
    """torchvision's blocks with the channels and norms that ig65m-pytorch gives them for Caffe2's weights."""
    parts = video.resnet
    network = parts.VideoResNet(parts.BasicBlock, [parts.Conv2Plus1D] * 4, [3, 4, 6, 3], parts.R2Plus1dStem)
    for stage, width, middle in [(network.layer2, 128, 288), (network.layer3, 256, 576), (network.layer4, 512, 1152)]:
        stage[0].conv2[0] = parts.Conv2Plus1D(width, width, middle)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eps = 1e-3
    return network


cases['r2plus1d_34'] = {
    'make': r2plus1d_34,
    'inputs': [{'shape': [1, 3, 8, 32, 32]}],
    'source': f'{VERSION}: torchvision.models.video.VideoResNet, 34 layers, channels as in ig65m-pytorch',
}
cases['s3d'] = {
    'make': lambda: video.s3d(weights=None),
    'inputs': [{'shape': [1, 3, 13, 209, 209], 'spread': 30}],
    'source': f'{VERSION}: torchvision.models.video.s3d(weights=None)',
}
cases['c3d'] = {'make': C3D, 'inputs': [{'shape': [1, 3, 16, 96, 96], 'spread': 30}], 'source': 'composed in tools/reference/backbones/video.py'}
for stream, channels in [('rgb', 3), ('flow', 2)]:
    cases[f'i3d_{stream}'] = {
        'make': lambda channels=channels: I3D(channels),
        'inputs': [{'shape': [1, channels, 11, 193, 195], 'spread': 30}],
        'source': 'composed in tools/reference/backbones/video.py',
    }

if __name__ == '__main__':
    record('video', cases)
