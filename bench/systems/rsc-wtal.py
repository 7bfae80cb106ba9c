"""CO2-Net and the projection as the fixtures of the tests have them."""
import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools/reference"))
import rsc_wtal  # noqa: E402


class Localizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.net, self.proj_net = rsc_wtal.Co2(False), rsc_wtal.Proj()

    def forward(self, x):
        rgb, flow = x.chunk(2, 2)
        return self.net(torch.cat([self.proj_net(rgb), flow], 2))


def network(config):
    rsc_wtal.D, rsc_wtal.C = config["features"], config["classes"]
    return Localizer()
