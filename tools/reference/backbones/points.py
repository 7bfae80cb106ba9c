"""test/fixtures/backbones/points.json: PointNet and PointNet++ composed here after their papers, with the parameter names of
the port whose weights are published. Sampling begins at a cloud's first point."""
import torch
import torch.nn.functional as F
from common import record
from torch import nn


def chain(module, prefix, kind, sizes):
    for i, (cin, cout) in enumerate(zip(sizes, sizes[1:]), 1):
        module.add_module(f'{prefix}{i}', nn.Linear(cin, cout) if kind == 'fc' else nn.Conv1d(cin, cout, 1))


def norms(module, prefix, widths):
    for i, width in enumerate(widths, 1):
        module.add_module(f'{prefix}{i}', nn.BatchNorm1d(width))


class TNet(nn.Module):
    def __init__(self, channels, size):
        super().__init__()
        self.size = size
        chain(self, 'conv', 'conv', [channels, 64, 128, 1024])
        chain(self, 'fc', 'fc', [1024, 512, 256, size * size])
        norms(self, 'bn', [64, 128, 1024, 512, 256])

    def forward(self, x):
        for i in (1, 2, 3):
            x = F.relu(getattr(self, f'bn{i}')(getattr(self, f'conv{i}')(x)))
        x = x.max(2).values
        for i in (1, 2):
            x = F.relu(getattr(self, f'bn{i + 3}')(getattr(self, f'fc{i}')(x)))
        return (self.fc3(x) + torch.eye(self.size).flatten()).view(-1, self.size, self.size)


def rotate(x, matrix):
    """Each point is a row vector that the matrix multiplies from the right."""
    k = matrix.shape[1]
    return torch.cat([torch.einsum('bkn,bkj->bjn', x[:, :k], matrix), x[:, k:]], 1)


class Encoder(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.stn = TNet(channels, 3)
        chain(self, 'conv', 'conv', [channels, 64, 128, 1024])
        norms(self, 'bn', [64, 128, 1024])
        self.fstn = TNet(64, 64)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(rotate(x, self.stn(x)))))
        matrix = self.fstn(x)
        local = rotate(x, matrix)
        x = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(local)))))
        return x.max(2).values, local, matrix


class PointNetCls(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.feat = Encoder(channels)
        chain(self, 'fc', 'fc', [1024, 512, 256, 40])
        norms(self, 'bn', [512, 256])

    def forward(self, x):
        x, _, matrix = self.feat(x)
        x = F.relu(self.bn2(self.fc2(F.relu(self.bn1(self.fc1(x))))))
        return self.fc3(x).log_softmax(1), matrix


class PointNetSemSeg(nn.Module):
    def __init__(self):
        super().__init__()
        self.feat = Encoder(9)
        chain(self, 'conv', 'conv', [1088, 512, 256, 128, 13])
        norms(self, 'bn', [512, 256, 128])

    def forward(self, x):
        whole, local, matrix = self.feat(x)
        x = torch.cat([whole[:, :, None].repeat(1, 1, x.shape[2]), local], 1)
        for i in (1, 2, 3):
            x = F.relu(getattr(self, f'bn{i}')(getattr(self, f'conv{i}')(x)))
        return self.conv4(x).permute(0, 2, 1).log_softmax(2), matrix


class PointNetPartSeg(nn.Module):
    def __init__(self):
        super().__init__()
        self.stn = TNet(3, 3)
        chain(self, 'conv', 'conv', [3, 64, 128, 128, 512, 2048])
        norms(self, 'bn', [64, 128, 128, 512, 2048])
        self.fstn = TNet(128, 128)
        chain(self, 'convs', 'conv', [4944, 256, 256, 128, 50])
        norms(self, 'bns', [256, 256, 128])

    def forward(self, x, label):
        n = x.shape[2]
        x = rotate(x, self.stn(x))
        outs = []
        for i in range(1, 6):
            if i == 4:
                matrix = self.fstn(x)
                x = rotate(x, matrix)
            x = getattr(self, f'bn{i}')(getattr(self, f'conv{i}')(x))
            x = F.relu(x) if i < 5 else x
            outs.append(x)
        whole = torch.cat([x.max(2).values, label], 1)[:, :, None].repeat(1, 1, n)
        x = torch.cat([whole, *outs], 1)
        for i in (1, 2, 3):
            x = F.relu(getattr(self, f'bns{i}')(getattr(self, f'convs{i}')(x)))
        return self.convs4(x).permute(0, 2, 1).log_softmax(2), matrix


def distances(a, b):
    return ((a[:, :, None] - b[:, None]) ** 2).sum(-1)


def rows(values, index):
    return torch.stack([v[i] for v, i in zip(values, index)])


def furthest(xyz, count):
    chosen = [torch.zeros(len(xyz), dtype=torch.long)]
    nearest = torch.full(xyz.shape[:2], torch.inf)
    for _ in range(count - 1):
        nearest = torch.minimum(nearest, distances(xyz, rows(xyz, chosen[-1][:, None]))[..., 0])
        chosen.append(nearest.argmax(1))
    return torch.stack(chosen, 1)


def ball(xyz, centres, radius, count):
    inside = distances(centres, xyz) < radius**2
    index = torch.where(inside, torch.arange(xyz.shape[1]), xyz.shape[1]).sort(2).values[:, :, :count]
    return torch.where(index == xyz.shape[1], index[:, :, :1], index)


def mlp(widths, conv, norm):
    return (nn.ModuleList(conv(a, b, 1) for a, b in zip(widths, widths[1:])), nn.ModuleList(norm(b) for b in widths[1:]))


def run(convs, bns, x):
    for conv, bn in zip(convs, bns):
        x = F.relu(bn(conv(x)))
    return x


class SA(nn.Module):
    def __init__(self, count, radius, samples, widths):
        super().__init__()
        self.ball = (count, radius, samples)
        self.mlp_convs, self.mlp_bns = mlp(widths, nn.Conv2d, nn.BatchNorm2d)

    def forward(self, xyz, points):
        count, radius, samples = self.ball
        if count is None:
            x = torch.cat([xyz, points], -1)[:, None]
            centres = torch.zeros(len(xyz), 1, 3)
        else:
            centres = rows(xyz, furthest(xyz, count))
            index = ball(xyz, centres, radius, samples)
            x = rows(xyz, index) - centres[:, :, None]
            x = x if points is None else torch.cat([x, rows(points, index)], -1)
        x = run(self.mlp_convs, self.mlp_bns, x.permute(0, 3, 1, 2))
        return centres, x.max(3).values.permute(0, 2, 1)


class SAMsg(nn.Module):
    def __init__(self, count, radii, samples, channels, widths):
        super().__init__()
        self.scales = (count, radii, samples)
        made = [mlp([channels + 3, *w], nn.Conv2d, nn.BatchNorm2d) for w in widths]
        self.conv_blocks = nn.ModuleList(convs for convs, _ in made)
        self.bn_blocks = nn.ModuleList(bns for _, bns in made)

    def forward(self, xyz, points):
        count, radii, samples = self.scales
        centres = rows(xyz, furthest(xyz, count))
        found = []
        for radius, k, convs, bns in zip(radii, samples, self.conv_blocks, self.bn_blocks):
            index = ball(xyz, centres, radius, k)
            x = rows(xyz, index) - centres[:, :, None]
            x = x if points is None else torch.cat([rows(points, index), x], -1)
            found.append(run(convs, bns, x.permute(0, 3, 1, 2)).max(3).values)
        return centres, torch.cat(found, 1).permute(0, 2, 1)


class FP(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.mlp_convs, self.mlp_bns = mlp(widths, nn.Conv1d, nn.BatchNorm1d)

    def forward(self, xyz, coarse, points, features):
        if coarse.shape[1] == 1:
            x = features.repeat(1, xyz.shape[1], 1)
        else:
            d, index = distances(xyz, coarse).topk(3, largest=False)
            w = 1 / (d + 1e-8)
            x = (rows(features, index) * (w / w.sum(2, keepdim=True))[..., None]).sum(2)
        x = x if points is None else torch.cat([points, x], -1)
        return run(self.mlp_convs, self.mlp_bns, x.permute(0, 2, 1)).permute(0, 2, 1)


class Cls2(nn.Module):
    def __init__(self, msg):
        super().__init__()
        if msg:
            self.sa1 = SAMsg(512, [.1, .2, .4], [16, 32, 128], 0, [[32, 32, 64], [64, 64, 128], [64, 96, 128]])
            self.sa2 = SAMsg(128, [.2, .4, .8], [32, 64, 128], 320, [[64, 64, 128], [128, 128, 256], [128, 128, 256]])
            self.sa3 = SA(None, None, None, [643, 256, 512, 1024])
        else:
            self.sa1 = SA(512, .2, 32, [3, 64, 64, 128])
            self.sa2 = SA(128, .4, 64, [131, 128, 128, 256])
            self.sa3 = SA(None, None, None, [259, 256, 512, 1024])
        self.fc1, self.bn1 = nn.Linear(1024, 512), nn.BatchNorm1d(512)
        self.fc2, self.bn2 = nn.Linear(512, 256), nn.BatchNorm1d(256)
        self.fc3 = nn.Linear(256, 40)

    def forward(self, x):
        state = (x.permute(0, 2, 1), None)
        for layer in (self.sa1, self.sa2, self.sa3):
            state = layer(*state)
        x = state[1][:, 0]
        x = F.relu(self.bn2(self.fc2(F.relu(self.bn1(self.fc1(x))))))
        return self.fc3(x).log_softmax(1), state[1]


class Part2(nn.Module):
    def __init__(self, msg):
        super().__init__()
        if msg:
            self.sa1 = SAMsg(512, [.1, .2, .4], [32, 64, 128], 3, [[32, 32, 64], [64, 64, 128], [64, 96, 128]])
            self.sa2 = SAMsg(128, [.4, .8], [64, 128], 320, [[128, 128, 256], [128, 196, 256]])
            self.sa3 = SA(None, None, None, [515, 256, 512, 1024])
            self.fp3, self.fp2, self.fp1 = FP([1536, 256, 256]), FP([576, 256, 128]), FP([150, 128, 128])
        else:
            self.sa1 = SA(512, .2, 32, [6, 64, 64, 128])
            self.sa2 = SA(128, .4, 64, [131, 128, 128, 256])
            self.sa3 = SA(None, None, None, [259, 256, 512, 1024])
            self.fp3, self.fp2, self.fp1 = FP([1280, 256, 256]), FP([384, 256, 128]), FP([150, 128, 128, 128])
        self.conv1, self.bn1, self.conv2 = nn.Conv1d(128, 128, 1), nn.BatchNorm1d(128), nn.Conv1d(128, 50, 1)

    def forward(self, x, label):
        xyz0 = x.permute(0, 2, 1)
        xyz1, f1 = self.sa1(xyz0, xyz0)
        xyz2, f2 = self.sa2(xyz1, f1)
        xyz3, f3 = self.sa3(xyz2, f2)
        f2 = self.fp3(xyz2, xyz3, f2, f3)
        f1 = self.fp2(xyz1, xyz2, f1, f2)
        known = torch.cat([label[:, None].repeat(1, xyz0.shape[1], 1), xyz0, xyz0], 2)
        x = self.fp1(xyz0, xyz1, known, f1).permute(0, 2, 1)
        x = self.conv2(F.relu(self.bn1(self.conv1(x))))
        return x.permute(0, 2, 1).log_softmax(2), f3


class Sem2(nn.Module):
    def __init__(self, msg):
        super().__init__()
        if msg:
            self.sa1 = SAMsg(1024, [.05, .1], [16, 32], 9, [[16, 16, 32], [32, 32, 64]])
            self.sa2 = SAMsg(256, [.1, .2], [16, 32], 96, [[64, 64, 128], [64, 96, 128]])
            self.sa3 = SAMsg(64, [.2, .4], [16, 32], 256, [[128, 196, 256], [128, 196, 256]])
            self.sa4 = SAMsg(16, [.4, .8], [16, 32], 512, [[256, 256, 512], [256, 384, 512]])
            self.fp4, self.fp3, self.fp2 = FP([1536, 256, 256]), FP([512, 256, 256]), FP([352, 256, 128])
        else:
            self.sa1 = SA(1024, .1, 32, [12, 32, 32, 64])
            self.sa2 = SA(256, .2, 32, [67, 64, 64, 128])
            self.sa3 = SA(64, .4, 32, [131, 128, 128, 256])
            self.sa4 = SA(16, .8, 32, [259, 256, 256, 512])
            self.fp4, self.fp3, self.fp2 = FP([768, 256, 256]), FP([384, 256, 256]), FP([320, 256, 128])
        self.fp1 = FP([128, 128, 128, 128])
        self.conv1, self.bn1, self.conv2 = nn.Conv1d(128, 128, 1), nn.BatchNorm1d(128), nn.Conv1d(128, 13, 1)

    def forward(self, x):
        x = x.permute(0, 2, 1)
        states = [(x[..., :3], x)]
        for layer in (self.sa1, self.sa2, self.sa3, self.sa4):
            states.append(layer(*states[-1]))
        back = states[4][1]
        for i, layer in ((3, self.fp4), (2, self.fp3), (1, self.fp2), (0, self.fp1)):
            back = layer(states[i][0], states[i + 1][0], states[i][1] if i else None, back)
        x = self.conv2(F.relu(self.bn1(self.conv1(back.permute(0, 2, 1)))))
        return x.permute(0, 2, 1).log_softmax(2), states[4][1]


SOURCE = 'composed in tools/reference/backbones/points.py'
LABEL = {'shape': [2, 16], 'spread': 0.5, 'centre': 0.5}


def cloud(channels, count, spread=1.0):
    return {'shape': [2, channels, count], 'spread': spread}


CASES = {
    'pointnet_cls': (lambda: PointNetCls(3), [cloud(3, 33)], {}),
    'pointnet_cls_normals': (lambda: PointNetCls(6), [cloud(6, 33)], {'network': 'pointnet_cls', 'options': {'normals': True}}),
    'pointnet_part_seg': (PointNetPartSeg, [cloud(3, 33), LABEL], {}),
    'pointnet_sem_seg': (PointNetSemSeg, [cloud(9, 33)], {}),
    'pointnet2_cls_ssg': (lambda: Cls2(False), [cloud(3, 550, 0.5)], {}),
    'pointnet2_cls_msg': (lambda: Cls2(True), [{**cloud(3, 520, 0.5), 'shape': [1, 3, 520]}], {}),
    'pointnet2_part_seg_ssg': (lambda: Part2(False), [cloud(3, 550, 0.5), LABEL], {}),
    'pointnet2_part_seg_msg': (lambda: Part2(True), [{**cloud(3, 520, 0.5), 'shape': [1, 3, 520]}, {**LABEL, 'shape': [1, 16]}], {}),
    'pointnet2_sem_seg': (lambda: Sem2(False), [{**cloud(9, 1050, 0.4), 'shape': [1, 9, 1050]}], {}),
    'pointnet2_sem_seg_msg': (lambda: Sem2(True), [{**cloud(9, 1050, 0.4), 'shape': [1, 9, 1050]}], {}),
}

record('points', {
    name: {'make': make, 'inputs': inputs, 'source': SOURCE, **rest} for name, (make, inputs, rest) in CASES.items()
})
