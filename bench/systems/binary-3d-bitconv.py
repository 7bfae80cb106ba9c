"""C3D of one bit: signs in floating point, and conv3d."""
import torch
import torch.nn.functional as F
from torch import nn


def sign(x):
    return torch.where(x >= 0, 1.0, -1.0)


class BinaryConv(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(cout, cin, 3, 3, 3))
        self.bias = nn.Parameter(torch.empty(cin))

    def forward(self, x):
        scale = self.weight.abs().mean((1, 2, 3, 4), keepdim=True)
        return F.conv3d(sign(x + self.bias.view(1, -1, 1, 1, 1)), scale * sign(self.weight), padding=1)


class Sign2(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bias1, self.slope, self.bias2 = (nn.Parameter(torch.empty(channels)) for _ in range(3))

    def forward(self, x):
        return F.prelu(x + self.bias1.view(1, -1, 1, 1, 1), self.slope) + self.bias2.view(1, -1, 1, 1, 1)


class Block(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv, self.norm, self.sign2 = BinaryConv(cin, cout), nn.BatchNorm3d(cout), Sign2(cout)

    def forward(self, x):
        y = self.norm(self.conv(x))
        return self.sign2(y + (x if x.shape[1] == y.shape[1] else torch.cat([x, x], 1)))


class C3D(nn.Module):
    def __init__(self, classes, hidden):
        super().__init__()
        self.conv1a = nn.Conv3d(3, 64, 3, padding=1)
        self.block2a = Block(64, 128)
        self.block3a, self.block3b = Block(128, 256), Block(256, 256)
        self.block4a, self.block4b = Block(256, 512), Block(512, 512)
        self.block5a, self.block5b = Block(512, 512), Block(512, 512)
        self.fc6, self.fc7, self.fc8 = nn.Linear(8192, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, classes)

    def forward(self, x):
        x = F.max_pool3d(F.relu(self.conv1a(x)), (1, 2, 2))
        x = F.max_pool3d(self.block2a(x), 2)
        x = F.max_pool3d(self.block3b(self.block3a(x)), 2)
        x = F.max_pool3d(self.block4b(self.block4a(x)), 2)
        x = F.max_pool3d(self.block5b(self.block5a(x)), 2, padding=(0, 1, 1))
        return self.fc8(F.relu(self.fc7(F.relu(self.fc6(x.flatten(1))))))


def network(config):
    return C3D(**config)
