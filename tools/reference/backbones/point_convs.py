"""test/fixtures/backbones/point_convs.json: DGCNN and KPConv composed here after their papers, with the parameter names of
their authors' releases."""
import torch
import torch.nn.functional as F
from common import record
from torch import nn

SOURCE = 'composed in tools/reference/backbones/point_convs.py'


class DGCNN(nn.Module):
    def __init__(self, k, embedding):
        super().__init__()
        self.k = k
        widths = [64, 64, 128, 256]
        for i, width in enumerate(widths, 1):
            self.add_module(f'bn{i}', nn.BatchNorm2d(width))
        self.bn5 = nn.BatchNorm1d(embedding)
        for i, (cin, cout) in enumerate(zip([3, 64, 64, 128], widths), 1):
            layers = nn.Conv2d(2 * cin, cout, 1, bias=False), getattr(self, f'bn{i}'), nn.LeakyReLU(0.2)
            self.add_module(f'conv{i}', nn.Sequential(*layers))
        self.conv5 = nn.Sequential(nn.Conv1d(512, embedding, 1, bias=False), self.bn5, nn.LeakyReLU(0.2))
        self.linear1, self.bn6 = nn.Linear(2 * embedding, 512, bias=False), nn.BatchNorm1d(512)
        self.linear2, self.bn7 = nn.Linear(512, 256), nn.BatchNorm1d(256)
        self.linear3 = nn.Linear(256, 40)

    def edges(self, x):
        d = (x[:, :, :, None] - x[:, :, None]).square().sum(1)
        index = d.topk(self.k, largest=False).indices
        near = torch.stack([f[:, i] for f, i in zip(x, index)])
        here = x[..., None].expand_as(near)
        return torch.cat([near - here, here], 1)

    def forward(self, x):
        found = []
        for i in (1, 2, 3, 4):
            x = getattr(self, f'conv{i}')(self.edges(x)).max(3).values
            found.append(x)
        x = self.conv5(torch.cat(found, 1))
        x = torch.cat([x.max(2).values, x.mean(2)], 1)
        x = F.leaky_relu(self.bn6(self.linear1(x)), 0.2)
        return self.linear3(F.leaky_relu(self.bn7(self.linear2(x)), 0.2))


class KPConv(nn.Module):
    """Equations 1 to 3 of the paper, one kernel point at a time."""
    def __init__(self, kernel, cin, cout, extent):
        super().__init__()
        self.extent = extent
        self.weights = nn.Parameter(torch.zeros(kernel, cin, cout))
        self.kernel_points = nn.Parameter(torch.zeros(kernel, 3), requires_grad=False)

    def forward(self, queries, supports, neighbours, features):
        out = torch.zeros(len(queries), self.weights.shape[2])
        for m, query in enumerate(queries):
            for n in neighbours[m].tolist():
                if n == len(supports):
                    continue
                y = supports[n] - query
                for weight, place in zip(self.weights, self.kernel_points):
                    h = max(0.0, 1 - float((y - place).norm()) / self.extent)
                    out[m] += h * features[n] @ weight
        return out


record('point_convs', {
    'dgcnn': {'make': lambda: DGCNN(5, 96), 'options': {'k': 5, 'embedding': 96}, 'inputs': [{'shape': [2, 3, 24]}], 'source': SOURCE},
    'kpconv': {
        'make': lambda: KPConv(7, 6, 4, 1.4),
        'options': {'kernelSize': 7, 'inChannels': 6, 'outChannels': 4, 'extent': 1.4},
        # The number 12 stands for no neighbour.
        'inputs': [{'shape': [9, 3]}, {'shape': [12, 3]}, {'shape': [9, 5], 'high': 13}, {'shape': [12, 6]}],
        'source': SOURCE,
    },
})
