"""The U-Net of Noise2Noise as Neighbor2Neighbor has it."""
import torch
import torch.nn.functional as F
from torch import nn


class UpsampleCat(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.deconv = nn.ConvTranspose2d(channels, channels, 2, 2)

    def forward(self, x, skip):
        return torch.cat([self.deconv(x), skip], 1)


def conv(cin, cout):
    return nn.Conv2d(cin, cout, 3, padding=1)


class UNet(nn.Module):
    def __init__(self, channels, n):
        super().__init__()
        for i in range(7):
            self.add_module(f"enc_conv{i}", conv(channels if i == 0 else n, n))
        for level in (5, 4, 3, 2, 1):
            self.add_module(f"up{level}", UpsampleCat(n if level == 5 else 2 * n))
            cin = {5: 2 * n, 1: 2 * n + channels}.get(level, 3 * n)
            self.add_module(f"dec_conv{level}a", conv(cin, 2 * n))
            self.add_module(f"dec_conv{level}b", conv(2 * n, 2 * n))
        self.nin_a, self.nin_b = nn.Conv2d(2 * n, 2 * n, 1), nn.Conv2d(2 * n, 2 * n, 1)
        self.nin_c = nn.Conv2d(2 * n, channels, 1)
        self.act = nn.LeakyReLU(0.2, inplace=True)

    def forward(self, x):
        act = self.act
        skips = [x]
        y = act(self.enc_conv0(x))
        for i in range(1, 6):
            y = F.max_pool2d(act(getattr(self, f"enc_conv{i}")(y)), 2)
            skips.append(y)
        y = act(self.enc_conv6(skips.pop()))
        for level in (5, 4, 3, 2, 1):
            y = getattr(self, f"up{level}")(y, skips.pop())
            y = act(getattr(self, f"dec_conv{level}b")(act(getattr(self, f"dec_conv{level}a")(y))))
        return self.nin_c(act(self.nin_b(act(self.nin_a(y)))))


def network(config):
    return UNet(config["channels"], config["width"])
