"""YOLOv5 with CAU and CSA; content-aware upsampling by unfolded windows."""
import math

import torch
import torch.nn.functional as F
from torch import nn

ANCHORS, STRIDES, GROUPS, BINS = 3, (8, 16, 32), 4, (1, 2, 3, 6)


class Conv(nn.Module):
    def __init__(self, cin, cout, k=1, s=1, p=None, g=1):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, s, k // 2 if p is None else p, groups=g, bias=False)
        self.bn = nn.BatchNorm2d(cout, eps=1e-3)
        self.act = nn.SiLU(inplace=True)

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, c, shortcut):
        super().__init__()
        self.cv1, self.cv2, self.shortcut = Conv(c, c), Conv(c, c, 3), shortcut

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C3(nn.Module):
    def __init__(self, cin, cout, n, shortcut=True):
        super().__init__()
        c = cout // 2
        self.cv1, self.cv2, self.cv3 = Conv(cin, c), Conv(cin, c), Conv(2 * c, cout)
        self.m = nn.Sequential(*(Bottleneck(c, shortcut) for _ in range(n)))

    def forward(self, x):
        return self.cv3(torch.cat([self.m(self.cv1(x)), self.cv2(x)], 1))


class SPPF(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.cv1, self.cv2 = Conv(c, c // 2), Conv(c * 2, c)
        self.m = nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        maps = [self.cv1(x)]
        for _ in range(3):
            maps.append(self.m(maps[-1]))
        return self.cv2(torch.cat(maps, 1))


class CAU(nn.Module):
    def __init__(self, c, window=5, scale=2, compressed=64):
        super().__init__()
        self.window, self.scale = window, scale
        self.comp = nn.Conv2d(c, compressed, 1)
        self.enc = nn.Conv2d(compressed, (scale * window) ** 2, window - 2, padding=window // 2 - 1)
        self.pool = nn.ModuleList(Conv(c, c // len(BINS)) for _ in BINS)
        self.fuse, self.post = Conv(2 * c, c), Conv(c, c)

    def reassemble(self, x, logits):
        # Every window beside its r² sets of weights; nothing is enlarged before the sum.
        b, c, h, w = x.shape
        weights = logits.view(b, self.window**2, self.scale**2, h, w).softmax(1)
        windows = F.unfold(x, self.window, padding=self.window // 2).view(b, c, self.window**2, h, w)
        return F.pixel_shuffle(torch.einsum("bckhw,bkuhw->bcuhw", windows, weights).reshape(b, -1, h, w), self.scale)

    def forward(self, x):
        size = x.shape[2:]
        pooled = [
            F.interpolate(conv(F.adaptive_avg_pool2d(x, n)), size, mode="bilinear", align_corners=False)
            for n, conv in zip(BINS, self.pool)
        ]
        fused = self.fuse(torch.cat([x, *pooled], 1))
        return self.post(self.reassemble(fused, self.enc(self.comp(x))))


class CSA(nn.Module):
    def __init__(self, c):
        super().__init__()
        k = int((math.log2(c) + 1) / 2) | 1
        self.att = nn.Conv1d(1, 1, k, padding=k // 2, bias=False)
        self.rec = Conv(c, c, 3, g=GROUPS)

    def forward(self, x):
        weights = self.att(x.mean((2, 3)).unsqueeze(1)).sigmoid().transpose(1, 2).unsqueeze(3)
        return x * weights + F.channel_shuffle(self.rec(x), GROUPS)


class Detect(nn.Module):
    def __init__(self, classes, channels):
        super().__init__()
        self.outputs = classes + 5
        self.register_buffer("anchors", torch.zeros(len(channels), ANCHORS, 2))
        self.m = nn.ModuleList(nn.Conv2d(c, ANCHORS * self.outputs, 1) for c in channels)
        self.csa = nn.ModuleList(CSA(c) for c in channels)

    def forward(self, levels):
        boxes = []
        for x, conv, csa, anchors, stride in zip(levels, self.m, self.csa, self.anchors, STRIDES):
            b, _, h, w = x.shape
            y = conv(csa(x)).view(b, ANCHORS, self.outputs, h, w).permute(0, 1, 3, 4, 2).sigmoid()
            rows, columns = torch.meshgrid(torch.arange(h, device=y.device), torch.arange(w, device=y.device), indexing="ij")
            corner = torch.stack([columns, rows], 2) - 0.5
            centre, size, rest = y.split((2, 2, self.outputs - 4), 4)
            box = [(centre * 2 + corner) * stride, (size * 2) ** 2 * (anchors * stride).view(1, ANCHORS, 1, 1, 2), rest]
            boxes.append(torch.cat(box, 4).view(b, -1, self.outputs))
        return torch.cat(boxes, 1)


class Detector(nn.Module):
    def __init__(self, depth, width, classes):
        super().__init__()
        a, b, c, d, e = (math.ceil(channels * width / 8) * 8 for channels in (64, 128, 256, 512, 1024))
        n = [max(round(count * depth), 1) for count in (3, 6, 9)]
        self.model = nn.ModuleList(
            [
                *(Conv(3, a, 6, 2, 2), Conv(a, b, 3, 2), C3(b, b, n[0]), Conv(b, c, 3, 2), C3(c, c, n[1])),
                *(Conv(c, d, 3, 2), C3(d, d, n[2]), Conv(d, e, 3, 2), C3(e, e, n[0]), SPPF(e)),
                *(Conv(e, d), CAU(d), nn.Identity(), C3(2 * d, d, n[0], False)),
                *(Conv(d, c), CAU(c), nn.Identity(), C3(2 * c, c, n[0], False)),
                *(Conv(c, c, 3, 2), nn.Identity(), C3(2 * c, d, n[0], False)),
                *(Conv(d, d, 3, 2), nn.Identity(), C3(2 * d, e, n[0], False)),
                Detect(classes, (c, d, e)),
            ]
        )

    def forward(self, x):
        m, maps = self.model, []
        for layer in m[:10]:
            x = layer(x)
            maps.append(x)
        top = m[10](x)
        middle = m[14](m[13](torch.cat([m[11](top), maps[6]], 1)))
        fine = m[17](torch.cat([m[15](middle), maps[4]], 1))
        medium = m[20](torch.cat([m[18](fine), middle], 1))
        coarse = m[23](torch.cat([m[21](medium), top], 1))
        return m[24]([fine, medium, coarse])


def network(config):
    return Detector(**config)
