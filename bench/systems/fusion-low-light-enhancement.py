"""Low-light enhancement: brightness network, upper branch and fusion, with the inception modules as the paper draws them."""
import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 32
SOBEL = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8


class Inception(nn.Module):
    """Four branches of a quarter of the channels; the bias of a Sobel branch stands after the operator."""

    def __init__(self, cin, channels):
        super().__init__()
        self.quarter = channels // 4
        self.pointwise = nn.Conv2d(cin, self.quarter, 1)
        self.square = nn.Conv2d(cin, self.quarter, 3)
        self.horizontal = nn.Conv2d(cin, self.quarter, 1)
        self.vertical = nn.Conv2d(cin, self.quarter, 1)
        for name, kernel in (("dx", SOBEL), ("dy", SOBEL.t())):
            self.register_buffer(name, kernel.repeat(self.quarter, 1, 1, 1), persistent=False)

    def forward(self, x):
        padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
        edges = [
            F.conv2d(F.conv2d(padded, branch.weight), kernel, branch.bias, groups=self.quarter)
            for branch, kernel in ((self.horizontal, self.dx), (self.vertical, self.dy))
        ]
        return torch.cat([self.pointwise(x), self.square(padded), *edges], 1)


class Trunk(nn.Module):
    def __init__(self, cin):
        super().__init__()
        self.first = Inception(cin, WIDTH)
        self.second, self.third = Inception(WIDTH, WIDTH), Inception(WIDTH, WIDTH)
        self.fourth, self.fifth = Inception(WIDTH, WIDTH), Inception(WIDTH, WIDTH)

    def forward(self, x):
        x = F.relu(self.first(x))
        for layer in (self.second, self.third, self.fourth, self.fifth):
            x = x + F.relu(layer(x))
        return x


def twice(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class Brightness(nn.Module):
    def __init__(self):
        super().__init__()
        self.half, self.quarter, self.eighth = Trunk(1), Trunk(1), Trunk(1)
        self.fuse_quarter = nn.Conv2d(2 * WIDTH, WIDTH, 3, padding=1)
        self.fuse_half = nn.Conv2d(2 * WIDTH, WIDTH, 3, padding=1)
        self.head = nn.Conv2d(WIDTH, 4, 3, padding=1)

    def forward(self, value):
        # `self.half` is the method that changes the dtype.
        scales = (("eighth", 8), ("quarter", 4), ("half", 2))
        eighth, quarter, half = (self._modules[name](F.avg_pool2d(value, size)) for name, size in scales)
        coarse = F.relu(self.fuse_quarter(torch.cat([twice(eighth), quarter], 1)))
        fine = F.relu(self.fuse_half(torch.cat([twice(coarse), half], 1)))
        return torch.tanh(self.head(twice(fine)))


class Fusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = Trunk(6)
        self.head = nn.Conv2d(WIDTH, 6, 3, padding=1)

    def forward(self, noisy, guide):
        a, b = self.head(self.trunk(torch.cat([noisy, guide], 1))).chunk(2, 1)
        return a * guide + b


def hue_of(image, value, spread):
    """In turns; Smith 1978."""
    red, green, blue = image.unbind(1)
    safe = spread.clamp(min=1e-12)
    sector = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    return (sector / 6) % 1


def to_rgb(hue, saturation, value):
    chroma = saturation * value
    places = [(hue * 6 + offset) % 6 for offset in (5, 3, 1)]
    return torch.stack([value - chroma * torch.minimum(k, 4 - k).clamp(0, 1) for k in places], 1)


class LowLight(nn.Module):
    def __init__(self):
        super().__init__()
        self.brightness = Brightness()
        self.fusion = Fusion()

    def forward(self, image, guide):
        largest, smallest = image.amax(1), image.amin(1)
        hue = hue_of(image, largest, largest - smallest)
        ratio = largest.mean((1, 2), keepdim=True) / smallest.mean((1, 2), keepdim=True).clamp(min=1e-6)
        grey = torch.where(largest > 0, smallest / largest.clamp(min=1e-12), 1.0)
        saturation = (1 - grey * ratio).clamp(min=0)
        value = largest.unsqueeze(1)
        for curve in self.brightness(value).split(1, 1):
            value = value + curve * value * (1 - value)
        return self.fusion(to_rgb(hue, saturation, value.squeeze(1)), guide)


def network(config):
    return LowLight()
