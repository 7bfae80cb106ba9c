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


class Norm(nn.Module):
    def __init__(self, width, normed=True):
        super().__init__()
        if normed:
            self.batch_norm = nn.BatchNorm1d(width)
        else:
            self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return self.batch_norm(x) if hasattr(self, 'batch_norm') else x + self.bias


class Unary(nn.Module):
    def __init__(self, cin, cout, normed=True, relu=True):
        super().__init__()
        self.mlp, self.batch_norm, self.relu = nn.Linear(cin, cout, bias=False), Norm(cout, normed), relu

    def forward(self, x):
        x = self.batch_norm(self.mlp(x))
        return F.leaky_relu(x, 0.1) if self.relu else x


class MovingKPConv(nn.Module):
    """Equations 4 and 5: each kernel point moved by a convolution of its own, and weighed where `modulated`."""
    def __init__(self, kernel, cin, cout, extent, deformable, modulated):
        super().__init__()
        self.extent, self.kernel, self.seen = extent, kernel, None
        self.weights = nn.Parameter(torch.zeros(kernel, cin, cout))
        if deformable:
            self.offset_bias = nn.Parameter(torch.zeros(kernel * (4 if modulated else 3)))
        self.kernel_points = nn.Parameter(torch.zeros(kernel, 3), requires_grad=False)
        self.offset_conv = MovingKPConv(kernel, cin, kernel * (4 if modulated else 3), extent, False, False) if deformable else None

    def forward(self, queries, supports, neighbours, features):
        places, factors = self.kernel_points.expand(len(queries), -1, -1), torch.ones(len(queries), self.kernel)
        if self.offset_conv is not None:
            said = self.offset_conv(queries, supports, neighbours, features) + self.offset_bias
            places = places + self.extent * said[:, : 3 * self.kernel].view(len(queries), self.kernel, 3)
            if said.shape[1] > 3 * self.kernel:
                factors = 2 * torch.sigmoid(said[:, 3 * self.kernel:])
        rows, nearest = [], []
        for m, query in enumerate(queries):
            near = [n for n in neighbours[m].tolist() if n < len(supports)]
            distances = torch.cdist(supports[near] - query, places[m])
            h = (1 - distances / self.extent).clamp(min=0)
            rows.append(torch.einsum('nk,nc,kcd,k->d', h, features[near], self.weights, factors[m]))
            nearest.append(distances.min(0).values ** 2)
        if self.offset_conv is not None:
            self.seen = places, torch.stack(nearest)
        return torch.stack(rows)


CELL, EXTENT, KERNEL = 0.5, 1.2, 5


class Bottleneck(nn.Module):
    def __init__(self, name, cin, cout, level, modulated):
        super().__init__()
        self.level, self.strided, self.simple = level, 'strided' in name, 'simple' in name
        inner = cout // 2 if self.simple else cout // 4
        outer = cin if self.simple else inner
        if not self.simple and cin != inner:
            self.unary1 = Unary(cin, inner)
        self.KPConv = MovingKPConv(KERNEL, outer, inner, CELL * 2**level * EXTENT, 'deformable' in name, modulated)
        setattr(self, 'batch_norm' if self.simple else 'batch_norm_conv', Norm(inner))
        if not self.simple:
            self.unary2 = Unary(inner, cout, relu=False)
            if cin != cout:
                self.unary_shortcut = Unary(cin, cout, relu=False)

    def forward(self, x, pyramid):
        points, neighbours, pools, _ = pyramid
        near = pools[self.level] if self.strided else neighbours[self.level]
        queries = points[self.level + 1] if self.strided else points[self.level]
        y = self.unary1(x) if hasattr(self, 'unary1') else x
        y = self.KPConv(queries, points[self.level], near, y)
        if self.simple:
            return F.leaky_relu(self.batch_norm(y), 0.1)
        y = self.unary2(F.leaky_relu(self.batch_norm_conv(y), 0.1))
        padded = torch.cat([x, torch.zeros(1, x.shape[1])])
        kept = padded[near].max(1).values if self.strided else x
        return F.leaky_relu(y + (self.unary_shortcut(kept) if hasattr(self, 'unary_shortcut') else kept), 0.1)


def offset_loss(network):
    """Fitting (to the nearest neighbour) and repulsion (within 1.2 extents) of the supplement, as the release weighs them."""
    total = torch.zeros(())
    for conv in network.modules():
        if not isinstance(conv, MovingKPConv) or conv.offset_conv is None:
            continue
        places, nearest = conv.seen
        total = total + 2 * (nearest / conv.extent**2).mean()
        for i in range(KERNEL):
            others = [j for j in range(KERNEL) if j != i]
            d = (places[:, others] - places[:, i : i + 1]).norm(dim=2) / conv.extent
            total = total + (d - 1.2).clamp(max=0).square().sum(1).mean() / KERNEL
    return total


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.block_ops = nn.ModuleList([
            Bottleneck('simple', 3, 16, 0, True), Bottleneck('resnetb_strided', 8, 16, 0, True),
            Bottleneck('resnetb_deformable_strided', 16, 32, 1, True), Bottleneck('resnetb_deformable', 32, 64, 2, True), nn.Identity(),
        ])
        self.head_mlp, self.head_softmax = Unary(64, 1024, normed=False), Unary(1024, 6, normed=False, relu=False)

    def forward(self, x, pyramid):
        for block in self.block_ops[:-1]:
            x = block(x, pyramid)
        x = torch.stack([x[:2].mean(0), x[2:].mean(0)])
        return [self.head_softmax(self.head_mlp(x)), offset_loss(self)]


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder_blocks = nn.ModuleList([
            Bottleneck('simple', 3, 16, 0, False), Bottleneck('resnetb', 8, 16, 0, False), Bottleneck('resnetb_strided', 16, 16, 0, False),
            Bottleneck('resnetb_deformable', 16, 32, 1, False), Bottleneck('resnetb_deformable_strided', 32, 32, 1, False),
            Bottleneck('resnetb', 32, 64, 2, False),
        ])
        self.decoder_blocks = nn.ModuleList([nn.Identity(), Unary(64 + 32, 32), nn.Identity(), Unary(32 + 16, 16)])
        self.head_mlp, self.head_softmax = Unary(16, 16, normed=False), Unary(16, 6, normed=False, relu=False)

    def forward(self, x, pyramid):
        kept = {}
        for i, block in enumerate(self.encoder_blocks):
            if i in (2, 4):
                kept[i] = x
            x = block(x, pyramid)
        for level, i, unary in [(1, 4, self.decoder_blocks[1]), (0, 2, self.decoder_blocks[3])]:
            padded = torch.cat([x, torch.zeros(1, x.shape[1])])
            x = unary(torch.cat([padded[pyramid[3][level][:, 0]], kept[i]], 1))
        return [self.head_softmax(self.head_mlp(x)), offset_loss(self)]


def on_pyramid(network, inputs):
    return network(inputs[0], (inputs[1:4], inputs[4:7], inputs[7:9], inputs[9:11]))


# Features; points, neighbours, pools and upsamples of three levels of 14, 8 and 5 points. The count itself is no neighbour.
PYRAMID = [
    {'shape': [14, 3]}, {'shape': [14, 3]}, {'shape': [8, 3]}, {'shape': [5, 3]},
    {'shape': [14, 6], 'high': 15}, {'shape': [8, 6], 'high': 9}, {'shape': [5, 4], 'high': 6},
    {'shape': [8, 6], 'high': 15}, {'shape': [5, 6], 'high': 9}, {'shape': [14, 1], 'high': 9}, {'shape': [8, 1], 'high': 6},
]
NETWORK = {'inChannels': 3, 'firstChannels': 16, 'numClasses': 6, 'kernelSize': KERNEL, 'cell': CELL, 'extent': EXTENT}

record('point_convs', {
    'dgcnn': {'make': lambda: DGCNN(5, 96), 'options': {'k': 5, 'embedding': 96}, 'inputs': [{'shape': [2, 3, 24]}], 'source': SOURCE},
    'kpconv': {
        'make': lambda: KPConv(7, 6, 4, 1.4),
        'options': {'kernelSize': 7, 'inChannels': 6, 'outChannels': 4, 'extent': 1.4},
        # The number 12 stands for no neighbour.
        'inputs': [{'shape': [9, 3]}, {'shape': [12, 3]}, {'shape': [9, 5], 'high': 13}, {'shape': [12, 6]}],
        'source': SOURCE,
    },
    'kpcnn': {
        'make': Classifier, 'inputs': PYRAMID, 'run': on_pyramid, 'source': SOURCE,
        'options': {**NETWORK, 'modulated': True, 'architecture': [
            'simple', 'resnetb_strided', 'resnetb_deformable_strided', 'resnetb_deformable', 'global_average']},
    },
    'kpfcnn': {
        'make': Segmenter, 'inputs': PYRAMID, 'run': on_pyramid, 'source': SOURCE,
        'options': {**NETWORK, 'architecture': [
            'simple', 'resnetb', 'resnetb_strided', 'resnetb_deformable', 'resnetb_deformable_strided', 'resnetb',
            'nearest_upsample', 'unary', 'nearest_upsample', 'unary']},
    },
})
