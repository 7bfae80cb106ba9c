"""T-CAM written in PyTorch from the paper (Fig. 2). For fixtures it is narrowed to a sixteenth, with weights that are a hash of
their names.

    python tools/reference/arrow_of_time.py

Writes test/fixtures/arrow-of-time.json: logits and class activation maps of five variants. torch 2.11.
"""
import json
import pathlib
import sys

import torch
from torch import nn

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent / 'backbones'))
from common import fill, hash_tensor  # noqa: E402


class Unit(nn.Module):
    def __init__(self, cin, cout, order):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 3, padding=1)
        self.norm = nn.BatchNorm2d(cout, eps=1e-3)
        self.order = order

    def forward(self, x):
        x = self.conv(x)
        return self.norm(x).relu() if self.order == 'norm-relu' else self.norm(x.relu())


class Trunk(nn.Module):
    def __init__(self, cin, order, width):
        super().__init__()
        a, b, c, d = (int(channels * width) for channels in (64, 128, 256, 512))
        self.conv1 = nn.Sequential(Unit(cin, a, order), Unit(a, a, order), nn.MaxPool2d(2, 2))
        self.conv2 = nn.Sequential(Unit(a, b, order), Unit(b, b, order), nn.MaxPool2d(2, 2))
        self.conv3 = nn.Sequential(Unit(b, c, order), Unit(c, c, order), Unit(c, c, order), nn.MaxPool2d(2, 2))
        self.conv4 = nn.Sequential(Unit(c, d, order), Unit(d, d, order), Unit(d, d, order), nn.MaxPool2d(2, 2))
        self.conv5 = nn.Sequential(Unit(d, d, order), Unit(d, d, order), Unit(d, d, order))

    def forward(self, x):
        return self.conv5(self.conv4(self.conv3(self.conv2(self.conv1(x)))))


class Classifier(nn.Module):
    def __init__(self, cin, channels, count, order):
        super().__init__()
        self.conv6 = Unit(cin, channels, order)
        self.conv7 = Unit(channels, channels, order) if count > 1 else nn.Identity()
        self.conv8 = Unit(channels, channels, order) if count > 2 else nn.Identity()

    def forward(self, x):
        return self.conv8(self.conv7(self.conv6(x)))


class TCam(nn.Module):
    def __init__(self, chunks, length, convs=3, order='norm-relu', width=1 / 16):
        super().__init__()
        self.chunks = chunks
        channels = int(1024 * width)
        self.trunk = Trunk(2 * length, order, width)
        self.classifier = Classifier(int(512 * width) * chunks, channels, convs, order)
        self.fc = nn.Linear(channels, 1)

    def forward(self, x):
        # One chunk after the other, to be independent of any reshaping into batches.
        maps = torch.cat([self.trunk(x[:, t]) for t in range(self.chunks)], 1)
        maps = self.classifier(maps)
        cam = torch.einsum('c,bchw->bhw', self.fc.weight[0], maps) + self.fc.bias
        return self.fc(maps.mean((2, 3)))[:, 0], cam


CASES = [
    ('two chunks of ten', 2, 10, {}),
    ('one chunk of twenty', 1, 20, {}),
    ('four chunks of five', 4, 5, {}),
    ('two classifier convolutions', 2, 5, {'convs': 2}),
    ('ReLU before the norm', 2, 5, {'order': 'relu-norm'}),
]


def main():
    cases = []
    for name, chunks, length, options in CASES:
        net = TCam(chunks, length, **options).eval()
        fill(net)
        x = hash_tensor('x', (2, chunks, 2 * length, 48, 64), 60.0)
        with torch.no_grad():
            logits, cam = net(x)
            swapped, _ = net(x.flip(1))
        cases.append({
            'name': name, 'chunks': chunks, 'maps': chunks * length, **options,
            'logits': logits.tolist(), 'swapped': swapped.tolist(), 'cam': cam[0].tolist(),
        })
        print(name, logits.tolist(), swapped.tolist(), float(cam.std()))

    out = HERE.parents[2] / 'test/fixtures/arrow-of-time.json'
    out.write_text(json.dumps({'torch': torch.__version__, 'cases': cases}) + '\n')


if __name__ == '__main__':
    main()
