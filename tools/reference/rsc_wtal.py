"""Outputs and losses of the three localizers with regional similarity consistency, composed in PyTorch.

    python tools/reference/rsc_wtal.py        (torch 2.11; writes test/fixtures/rsc-wtal.json)

Parameter p, in the order of names, is gain * sin(0.37 e + 0.11 p) over its elements e; features are |sin(0.7 e)| and the
like. Dropout is off, as in evaluation.
"""

import json
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

D, C, L, B, GAIN = 8, 3, 24, 6, 0.35
OUT = pathlib.Path(__file__).parents[2] / "test/fixtures/rsc-wtal.json"


class Proj(nn.Module):
    def __init__(self):
        super().__init__()
        self.sequential = nn.Sequential(nn.Linear(D, D // 2), nn.ReLU(), nn.Linear(D // 2, D), nn.ReLU())

    def forward(self, x):
        return self.sequential(x)


def leaky():
    return nn.LeakyReLU(0.2)


def pool(n):
    k = (n // 5) // 2 * 2 + 1
    return nn.AvgPool1d(k, 1, padding=k // 2, count_include_pad=True)


class Ham(nn.Module):
    def __init__(self, anet):
        super().__init__()
        n, h = 2 * D, D // 2
        end = [pool(L)] if anet else []
        self.classifier = nn.Sequential(
            nn.Conv1d(n, n, 3, padding=1), leaky(), nn.Conv1d(n, n, 3, padding=1), leaky(), nn.Identity(),
            nn.Conv1d(n, C + 1, 1), *end)
        self.attention = nn.Sequential(
            nn.Conv1d(n, h, 3, padding=1), leaky(), nn.Conv1d(h, h, 3, padding=1), leaky(), nn.Conv1d(h, 1, 1),
            nn.Sigmoid(), *end)
        self.anet = anet

    def forward(self, x):
        x = x.permute(0, 2, 1)
        return self.classifier(x).permute(0, 2, 1), self.attention(x).permute(0, 2, 1)

    def loss(self, x, y):
        cas, a = self(x)
        rat = 20 if self.anet else 10
        drop = torch.where(a < 0.2 * a.amax(1, keepdim=True), a, torch.zeros_like(a))
        low = cas.amin(2, keepdim=True)
        bcl = mil(cas, y, 1, rat)
        hal = mil(torch.where(drop > 0, cas, low.expand_as(cas)), y, 1, rat)
        sal = mil(cas * a, y, 0, rat)
        ssal = mil(drop * (cas - low) + low, y, 0, rat)
        norm, guide = a.mean(), (1 - a - cas.softmax(-1)[..., -1:]).abs().mean()
        if self.anet:
            return 0.25 * (0.5 * hal + 0.5 * bcl) + 2 * (0.5 * ssal + 0.5 * sal) + 0.5 * norm + 0.1 * guide
        return 0.2 * hal + 0.8 * bcl + 0.2 * ssal + 0.8 * sal + 0.8 * norm + 0.8 * guide


def mil(z, y, background, rat):
    labels = torch.cat([y, torch.full_like(y[:, :1], background)], 1)
    labels = labels / (labels.sum(1, keepdim=True) + 1e-4)
    k = max(1, z.shape[1] // rat)
    score = z.sort(1, descending=True).values[:, :k].mean(1)
    return -(labels * F.log_softmax(score, 1)).sum(1).mean()


class Cola(nn.Module):
    def __init__(self, anet):
        super().__init__()
        n = 2 * D
        self.anet = anet
        self.actionness_module = nn.Module()
        m = self.actionness_module
        if anet:
            m.f_embed = nn.Sequential(nn.Conv1d(n, n, 9, padding=4), nn.ReLU())
            m.f_cls = nn.Sequential(nn.Conv1d(n, C, 9, padding=4, bias=False),
                                    nn.Conv1d(C, C, 7, padding=6, dilation=2, bias=False, groups=C), nn.ReLU())
        else:
            m.f_embed = nn.Sequential(nn.Conv1d(n, n, 3, padding=1), nn.ReLU())
            m.f_cls = nn.Sequential(nn.Conv1d(n, C, 1, bias=False), nn.ReLU())

    def forward(self, x):
        m = self.actionness_module
        e = m.f_embed(x.permute(0, 2, 1))
        cas = m.f_cls(e).permute(0, 2, 1)
        self.embedding = e.permute(0, 2, 1)
        return cas, cas.sum(2)

    def loss(self, x, y):
        cas, act = self(x)
        easy, hard, weight = (L // 10, L // 8, 0.005) if self.anet else (L // 5, L // 20, 0.01)
        hard = max(1, hard)
        score = cas.sort(1, descending=True).values[:, : max(1, easy)].mean(1).softmax(1)
        bce = F.binary_cross_entropy(score, y / y.sum(1, keepdim=True))
        snico = 0
        for b in range(B):
            a, e = act[b], self.embedding[b]
            values = sorted(a.tolist())
            median = (values[L // 2 - 1] + values[L // 2]) / 2
            on = [v > median for v in a.tolist()]
            inside = [erode(on, i, 1, 1) and not erode(on, i, 3, 2) for i in range(L)]
            outside = [dilate(on, i, 2, 3) and not dilate(on, i, 1, 1) for i in range(L)]
            pick = lambda s, k: e[sorted(range(L), key=lambda i: (-s[i], i))[:k]]
            av = a.tolist()
            ea, eb = pick(av, easy), pick([max(av) - v for v in av], easy)
            ha = pick([v * m for v, m in zip(av, inside)], hard)
            hb = pick([v * m for v, m in zip(av, outside)], hard)
            snico = snico + nce(ha, ea, eb) + nce(hb, eb, ea)
        return bce + weight * snico / B


def erode(on, i, back, ahead):
    return all(0 <= j < L and on[j] for j in range(i - back, i + ahead + 1))


def dilate(on, i, back, ahead):
    return any(0 <= j < L and on[j] for j in range(i - back, i + ahead + 1))


def nce(q, k, negatives):
    q, k = F.normalize(q.mean(0), dim=0), F.normalize(k.mean(0), dim=0)
    logits = torch.cat([(q @ k)[None], F.normalize(negatives, dim=1) @ q]) / 0.07
    return logits.logsumexp(0) - logits[0]


class Consensus(nn.Module):
    def __init__(self):
        super().__init__()
        h = D // 2
        self.bit_wise_attn = nn.Sequential(nn.Conv1d(D, D, 3, padding=1), leaky(), nn.Identity())
        self.channel_conv = nn.Sequential(nn.Conv1d(D, D, 3, padding=1), leaky(), nn.Identity())
        self.attention = nn.Sequential(
            nn.Conv1d(D, h, 3, padding=1), leaky(), nn.Identity(), nn.Conv1d(h, h, 3, padding=1), leaky(),
            nn.Conv1d(h, 1, 1), nn.Identity(), nn.Sigmoid())

    def forward(self, main, aux):
        gist = self.channel_conv(main.mean(2, keepdim=True))
        filtered = torch.sigmoid(self.bit_wise_attn(aux) * gist) * main
        return self.attention(filtered), filtered


class Co2(nn.Module):
    def __init__(self, anet):
        super().__init__()
        n = 2 * D
        self.vAttn, self.fAttn = Consensus(), Consensus()
        self.fusion = nn.Sequential(nn.Conv1d(n, n, 1), leaky(), nn.Identity())
        self.classifier = nn.Sequential(nn.Identity(), nn.Conv1d(n, n, 3, padding=1), leaky(), nn.Identity(),
                                        nn.Conv1d(n, C + 1, 1))
        self.anet = anet
        self.pool = pool(L) if anet else nn.Identity()

    def forward(self, x):
        x = x.permute(0, 2, 1)
        va, vf = self.vAttn(x[:, :D], x[:, D:])
        fa, ff = self.fAttn(x[:, D:], x[:, :D])
        feat = self.fusion(torch.cat([vf, ff], 1))
        cas = self.pool(self.classifier(feat)).permute(0, 2, 1)
        a = self.pool((va + fa) / 2).permute(0, 2, 1)
        self.rest = [self.pool(va).permute(0, 2, 1), self.pool(fa).permute(0, 2, 1), feat.permute(0, 2, 1)]
        return cas, a

    def loss(self, x, y):
        cas, a = self(x)
        v, f, feat = self.rest
        rat = 5 if self.anet else 7
        low = cas.amin(2, keepdim=True)
        supp = a * (cas - low) + low
        mutual = 0.5 * ((v - f.detach()) ** 2).mean() + 0.5 * ((f - v.detach()) ** 2).mean()
        bg = cas.softmax(-1)[..., -1:]
        norm = sum(t.mean() for t in (a, v, f)) / 3
        guide = sum((1 - t - bg).abs().mean() for t in (a, v, f)) / 3
        total, count = 0.0, 0
        for i in (0, 2, 4):
            for c in range(C):
                if y[i, c] * y[i + 1, c] == 0:
                    continue
                count += 1
                p, q = supp[i, :, c].softmax(0), supp[i + 1, :, c].softmax(0)
                h1, h2 = (feat[i] * p[:, None]).sum(0), (feat[i + 1] * q[:, None]).sum(0)
                l1 = (feat[i] * ((1 - p) / (L - 1))[:, None]).sum(0)
                l2 = (feat[i + 1] * ((1 - q) / (L - 1))[:, None]).sum(0)
                d = lambda s, t: 1 - (s @ t) / (s.norm() * t.norm())
                total = total + 0.5 * F.relu(d(h1, h2) - d(h1, l2) + 0.5) + 0.5 * F.relu(d(h1, h2) - d(h2, l1) + 0.5)
        return mil(cas, y, 1, rat) + mil(supp, y, 0, rat) + total / count + mutual + 0.8 * norm + 0.8 * guide


def rsc(rgb, flow, h=4):
    sims = []
    for x in (rgb, flow):
        u = torch.stack([F.normalize(part.mean(1), dim=-1) for part in torch.chunk(x, h, 1)], 1)
        sims.append(u @ u.transpose(1, 2))
    return torch.pairwise_distance(sims[0], sims[1]).mean()


def fill(*modules):
    p = 0
    for module in modules:
        for parameter in module.parameters():
            e = torch.arange(parameter.numel(), dtype=torch.float64)
            parameter.data = (GAIN * torch.sin(0.37 * e + 0.11 * p)).reshape(parameter.shape)
            p += 1


def main():
    e = torch.arange(B * L * 2 * D, dtype=torch.float64)
    x = (torch.sin(0.7 * e) + 0.5 * torch.sin(0.013 * e)).abs().reshape(B, L, 2 * D)
    y = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1]], dtype=torch.float64)
    weights = {"ham-net": (0.2, 1.0), "cola": (1.0, 1.0), "co2-net": (30.0, 0.01)}
    cases = []
    for host, make in {"ham-net": Ham, "cola": Cola, "co2-net": Co2}.items():
        for variant in ("thumos14", "activitynet1.2"):
            anet = variant != "thumos14"
            net, proj = make(anet).double(), Proj().double()
            fill(net, proj)
            rgb, flow = proj(x[..., :D]), x[..., D:]
            joined = torch.cat([rgb, flow], 2)
            consistency = rsc(rgb, flow)
            host_loss = net.loss(joined, y)
            loss = host_loss + weights[host][anet] * consistency
            loss.backward()
            cas, attention = net(joined)
            cases.append({
                "host": host, "variant": variant,
                "activation": cas[1, :6].flatten().tolist(), "attention": attention[1].flatten()[:6].tolist(),
                "loss": loss.item(), "hostLoss": host_loss.item(), "consistency": consistency.item(),
                "projectionGradient": proj.sequential[0].weight.grad.flatten()[:8].tolist(),
                "hostGradientNorm": sum(p.grad.square().sum() for p in net.parameters()).sqrt().item(),
            })
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"features": D, "classes": C, "length": L, "batch": B, "gain": GAIN, "cases": cases}))


if __name__ == "__main__":
    main()
