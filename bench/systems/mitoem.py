"""U3D, the residual U-Net of MitoEM, mask and contour as probabilities."""
import torch.nn.functional as F
from torch import nn

PLANE, CUBE, WIDE, ONE = (1, 3, 3), (3, 3, 3), (1, 5, 5), (1, 1, 1)


class Unit(nn.Module):
    def __init__(self, cin, cout, kernel, activation=True):
        super().__init__()
        padding = tuple(side // 2 for side in kernel)
        self.conv = nn.Conv3d(cin, cout, kernel, padding=padding, padding_mode="replicate")
        self.norm, self.activation = nn.BatchNorm3d(cout), activation

    def forward(self, x):
        x = self.norm(self.conv(x))
        return F.elu(x, inplace=True) if self.activation else x


class Residual(nn.Module):
    def __init__(self, channels, kernel, projects=False):
        super().__init__()
        self.first, self.second = Unit(channels, channels, kernel), Unit(channels, channels, kernel, False)
        self.projector = Unit(channels, channels, ONE, False) if projects else nn.Identity()

    def forward(self, x):
        return F.elu(self.second(self.first(x)) + self.projector(x), inplace=True)


def level(cin, cout, kernel, projects=False):
    return nn.Sequential(Unit(cin, cout, PLANE), Residual(cout, kernel, projects))


class Up(nn.Module):
    def __init__(self, cin, cout, kernel):
        super().__init__()
        self.narrow, self.level = Unit(cin, cout, ONE), level(cout, cout, kernel)

    def forward(self, x, skip):
        raised = F.interpolate(self.narrow(x), scale_factor=(1, 2, 2), mode="trilinear", align_corners=False)
        return self.level(raised + skip)


class U3D(nn.Module):
    def __init__(self, a=28, b=36, c=48, d=64, e=80):
        super().__init__()
        self.embedding = nn.Sequential(Unit(1, a, WIDE), Unit(a, a, PLANE), Residual(a, PLANE))
        self.down1, self.down2, self.down3 = level(a, b, CUBE), level(b, c, CUBE), level(c, d, CUBE)
        self.centre = level(d, e, CUBE, True)
        self.up3, self.up2 = Up(e, d, CUBE), Up(d, c, CUBE)
        self.up1, self.up0 = Up(c, b, CUBE), Up(b, a, PLANE)
        self.head = Unit(a, 2, WIDE, False)

    def forward(self, x):
        def pooled(y):
            return F.max_pool3d(y, (1, 2, 2))

        e = self.embedding(x)
        d1 = self.down1(pooled(e))
        d2 = self.down2(pooled(d1))
        d3 = self.down3(pooled(d2))
        u1 = self.up1(self.up2(self.up3(self.centre(pooled(d3)), d3), d2), d1)
        return self.head(self.up0(u1, e))


class Maps(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = U3D()

    def forward(self, x):
        return self.net(x).sigmoid()


def network(config):
    return Maps()
