"""Writes test/fixtures/nn/losses.safetensors: losses of PyTorch 2.11 and torchvision 0.26, and their gradients.

Run with a Python that has torch==2.11.0, torchvision==0.26.0 and safetensors: python tools/reference/nn_losses.py

The losses that neither has are written out below as their papers have them: an element, a pair, a class at a time.
"""
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.ops import sigmoid_focal_loss

from nn_cases import Cases

cases = Cases(seed=11)
randn, rand = torch.randn, torch.rand


def signs(*shape):
    return torch.where(rand(*shape) < 0.5, -1.0, 1.0)


def bits(*shape):
    return (rand(*shape) < 0.4).double()


def regression():
    x, y = randn(3, 5) * 2, randn(3, 5)
    cases.function("l1Loss none", lambda x, y: F.l1_loss(x, y, reduction="none"), x, y)
    cases.layer("L1Loss sum", nn.L1Loss(reduction="sum"), x, y)
    cases.function("mseLoss none", lambda x, y: F.mse_loss(x, y, reduction="none"), x, y)
    cases.layer("MSELoss mean", nn.MSELoss(), x, y)
    cases.function("huberLoss delta", lambda x, y: F.huber_loss(x, y, delta=0.6, reduction="none"), x, y)
    cases.layer("HuberLoss sum", nn.HuberLoss(delta=1.7, reduction="sum"), x, y)
    cases.function("smoothL1Loss beta", lambda x, y: F.smooth_l1_loss(x, y, beta=0.6, reduction="none"), x, y)
    cases.function("smoothL1Loss absolute", lambda x, y: F.smooth_l1_loss(x, y, beta=0.0), x, y)
    cases.layer("SmoothL1Loss sum", nn.SmoothL1Loss(beta=1.7, reduction="sum"), x, y)

    counts = torch.poisson(rand(3, 5) * 4)
    options = dict(log_input=False, full=True, eps=0.01, reduction="none")
    cases.function("poissonNllLoss full", lambda x, y: F.poisson_nll_loss(x, y, **options), rand(3, 5), counts, frozen={1})
    cases.layer("PoissonNLLLoss log", nn.PoissonNLLLoss(reduction="sum"), randn(3, 5), counts, frozen={1})

    options = dict(full=True, eps=0.3, reduction="none")
    cases.function("gaussianNllLoss full", lambda x, y, v: F.gaussian_nll_loss(x, y, v, **options), x, y, rand(3, 5))
    cases.function("gaussianNllLoss rows", lambda x, y, v: F.gaussian_nll_loss(x, y, v), x, y, rand(3) + 0.1)
    cases.layer("GaussianNLLLoss column", nn.GaussianNLLLoss(eps=0.2, reduction="sum"), x, y, rand(3, 1))


def classification():
    logits, classes = randn(5, 7), torch.tensor([6, 0, 3, 3, 2])
    weight = rand(7) + 0.2
    options = dict(ignore_index=3, label_smoothing=0.15)
    cases.function(
        "crossEntropy classes",
        lambda x, y, w: F.cross_entropy(x, y, weight=w, **options),
        logits, classes, weight, frozen={2},
    )
    probabilities = torch.softmax(randn(5, 7, 3), 1)
    cases.function(
        "crossEntropy probabilities",
        lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1, reduction="none"),
        randn(5, 7, 3), probabilities,
    )
    cases.function("crossEntropy one", lambda x, y: F.cross_entropy(x, y, reduction="sum"), randn(7), torch.tensor(4))
    cases.layer(
        "CrossEntropyLoss weighted",
        nn.CrossEntropyLoss(weight=weight, ignore_index=0, label_smoothing=0.2),
        randn(5, 7, 2, 3), torch.randint(0, 7, (5, 2, 3)),
    )

    log_probabilities = torch.log_softmax(randn(5, 7, 3), 1)
    cases.function(
        "nllLoss weighted",
        lambda x, y, w: F.nll_loss(x, y, weight=w, ignore_index=2, reduction="none"),
        log_probabilities, torch.randint(0, 7, (5, 3)), weight, frozen={2},
    )
    cases.layer("NLLLoss weighted", nn.NLLLoss(weight=weight, ignore_index=3), torch.log_softmax(logits, 1), classes)

    x, y, w = rand(3, 5) * 0.9 + 0.05, rand(3, 5), rand(5)
    cases.function("binaryCrossEntropy none", lambda x, y, w: F.binary_cross_entropy(x, y, w, reduction="none"), x, y, w, frozen={2})
    cases.layer("BCELoss weighted", nn.BCELoss(weight=rand(3, 1), reduction="mean"), x, y, frozen={1})
    x = randn(3, 5) * 3
    cases.function(
        "binaryCrossEntropyWithLogits weights",
        lambda x, y, w, p: F.binary_cross_entropy_with_logits(x, y, w, reduction="none", pos_weight=p),
        x, y, w, rand(5) * 3, frozen={2, 3},
    )
    cases.layer("BCEWithLogitsLoss weights", nn.BCEWithLogitsLoss(weight=rand(5), pos_weight=rand(3, 1) * 4), x, y)

    x, y = torch.log_softmax(randn(3, 5), 1), torch.softmax(randn(3, 5), 1)
    cases.function("klDiv batchmean", lambda x, y: F.kl_div(x, y, reduction="batchmean"), x, y)
    cases.function("klDiv none", lambda x, y: F.kl_div(x, y, reduction="none"), x, y)
    cases.layer("KLDivLoss log", nn.KLDivLoss(reduction="sum", log_target=True), x, y.log())

    x, y = randn(3, 5) * 2, bits(3, 5)
    cases.function("sigmoidFocalLoss default", lambda x, y: sigmoid_focal_loss(x, y), x, y, frozen={1})
    cases.function(
        "sigmoidFocalLoss plain",
        lambda x, y: sigmoid_focal_loss(x, y, alpha=-1, gamma=1.5, reduction="sum"),
        x, y, frozen={1},
    )
    cases.function(
        "SigmoidFocalLoss mean",
        lambda x, y: sigmoid_focal_loss(x, y, alpha=0.7, gamma=3, reduction="mean"),
        x, y, frozen={1},
    )


def margins():
    x, y = randn(3, 5) * 2, signs(3, 5)
    cases.function("hingeEmbeddingLoss none", lambda x, y: F.hinge_embedding_loss(x, y, margin=0.7, reduction="none"), x, y, frozen={1})
    cases.layer("HingeEmbeddingLoss sum", nn.HingeEmbeddingLoss(margin=1.5, reduction="sum"), x, y, frozen={1})
    a, b, y = randn(7), randn(7), signs(7)
    cases.function("marginRankingLoss none", lambda a, b, y: F.margin_ranking_loss(a, b, y, margin=0.3, reduction="none"), a, b, y, frozen={2})
    cases.layer("MarginRankingLoss mean", nn.MarginRankingLoss(margin=0.8), a, b, y, frozen={2})
    x, y = randn(3, 5) * 2, signs(3, 5)
    cases.function("softMarginLoss none", lambda x, y: F.soft_margin_loss(x, y, reduction="none"), x, y, frozen={1})
    cases.layer("SoftMarginLoss mean", nn.SoftMarginLoss(), x, y, frozen={1})

    x, classes, w = randn(5, 7), torch.tensor([6, 0, 3, 3, 2]), rand(7) + 0.2
    options = dict(p=2, margin=0.6, reduction="none")
    cases.function("multiMarginLoss squared", lambda x, y, w: F.multi_margin_loss(x, y, weight=w, **options), x, classes, w, frozen={2})
    cases.layer("MultiMarginLoss weighted", nn.MultiMarginLoss(margin=0.4, weight=w, reduction="sum"), x, classes)

    x = randn(3, 5)
    labels = torch.tensor([[3, 0, -1, 1, 2], [-1, 0, 0, 0, 0], [4, 1, 2, -1, 3]])
    cases.function("multilabelMarginLoss none", lambda x, y: F.multilabel_margin_loss(x, y, reduction="none"), x, labels)
    cases.layer("MultiLabelMarginLoss mean", nn.MultiLabelMarginLoss(), x, labels)
    y, w = bits(3, 5), rand(5)
    cases.function(
        "multilabelSoftMarginLoss none",
        lambda x, y, w: F.multilabel_soft_margin_loss(x, y, weight=w, reduction="none"),
        x, y, w, frozen={1, 2},
    )
    cases.layer("MultiLabelSoftMarginLoss mean", nn.MultiLabelSoftMarginLoss(weight=w), x, y, frozen={1})


def embeddings():
    a, b, c, y = randn(7, 5), randn(7, 5), randn(7, 5), signs(7)
    cases.function("cosineEmbeddingLoss none", lambda a, b, y: F.cosine_embedding_loss(a, b, y, margin=0.2, reduction="none"), a, b, y, frozen={2})
    cases.layer("CosineEmbeddingLoss mean", nn.CosineEmbeddingLoss(margin=-0.3), a, b, y, frozen={2})
    options = dict(margin=0.7, p=3, eps=1e-3, swap=True, reduction="none")
    cases.function("tripletMarginLoss swap", lambda a, b, c: F.triplet_margin_loss(a, b, c, **options), a, b, c)
    cases.layer("TripletMarginLoss mean", nn.TripletMarginLoss(margin=2.0, p=1), a, b, c)
    cases.function(
        "tripletMarginWithDistanceLoss default",
        lambda a, b, c: F.triplet_margin_with_distance_loss(a, b, c, margin=0.5, reduction="none"),
        a, b, c,
    )
    cases.layer(
        "TripletMarginWithDistanceLoss cosine",
        nn.TripletMarginWithDistanceLoss(
            distance_function=lambda a, b: 1 - F.cosine_similarity(a, b), margin=0.4, swap=True, reduction="sum"
        ),
        a, b, c,
    )


def reduced(losses, reduction):
    return losses if reduction == "none" else getattr(losses, reduction)()


def contrastive(a, b, y, margin=1.0, reduction="mean"):
    """Hadsell et al. 2006, eq. 4."""
    losses = []
    for i in range(len(a)):
        d = ((a[i] - b[i]) ** 2).sum() ** 0.5
        losses.append(0.5 * d**2 if y[i] == 0 else 0.5 * max(margin - d, d * 0) ** 2)
    return reduced(torch.stack(losses), reduction)


def cosine(a, b):
    return (a * b).sum() / ((a * a).sum() ** 0.5 * (b * b).sum() ** 0.5)


def told_apart(positive, others, temperature):
    """-log of the softmax of one similarity among all."""
    return -torch.log(torch.exp(positive / temperature) / sum(torch.exp(s / temperature) for s in others))


def info_nce(q, k, negatives=None, temperature=0.07, reduction="mean"):
    """van den Oord et al. 2018, eq. 4."""
    losses = []
    for i in range(len(q)):
        positive = cosine(q[i], k[i])
        if negatives is None:
            others = [cosine(q[i], row) for row in k]
        else:
            own = negatives if negatives.dim() == 2 else negatives[i]
            others = [positive] + [cosine(q[i], row) for row in own]
        losses.append(told_apart(positive, others, temperature))
    return reduced(torch.stack(losses), reduction)


def nt_xent(a, b, temperature=0.5, reduction="mean"):
    """Chen et al. 2020, eq. 1."""
    z, n = torch.cat([a, b]), len(a)
    losses = []
    for i in range(2 * n):
        others = [cosine(z[i], z[k]) for k in range(2 * n) if k != i]
        losses.append(told_apart(cosine(z[i], z[(i + n) % (2 * n)]), others, temperature))
    return reduced(torch.stack(losses), reduction)


def sup_con(z, labels, temperature=0.07, reduction="mean"):
    """Khosla et al. 2020, eq. 2."""
    n = len(z)
    losses = []
    for i in range(n):
        others = [cosine(z[i], z[a]) for a in range(n) if a != i]
        mates = [p for p in range(n) if p != i and labels[p] == labels[i]]
        terms = [told_apart(cosine(z[i], z[p]), others, temperature) for p in mates]
        losses.append(sum(terms) / len(mates) if mates else z.sum() * 0)
    return reduced(torch.stack(losses), reduction)


def contrasts():
    a, b, y = randn(5, 3), randn(5, 3), torch.tensor([0.0, 1, 1, 0, 1])
    b[1] = a[1] + 0.2
    cases.function("contrastiveLoss none", lambda a, b, y: contrastive(a, b, y, 1.5, "none"), a, b, y, frozen={2})
    cases.function("ContrastiveLoss mean", lambda a, b, y: contrastive(a, b, y, 2.5), a, b, y, frozen={2})
    q, k = randn(5, 3), randn(5, 3)
    cases.function("infoNceLoss batch", lambda q, k: info_nce(q, k, temperature=0.2, reduction="none"), q, k)
    cases.function("infoNceLoss shared", lambda q, k, n: info_nce(q, k, n, 0.3), q, k, randn(7, 3))
    cases.function("InfoNCELoss own", lambda q, k, n: info_nce(q, k, n, 0.25, "sum"), q, k, randn(5, 2, 3))
    cases.function("ntXentLoss none", lambda a, b: nt_xent(a, b, 0.4, "none"), q, k)
    cases.function("NTXentLoss mean", lambda a, b: nt_xent(a, b, 0.15), q, k)
    labels = torch.tensor([2, 0, 2, 1, 0, 2, 9])
    cases.function("supConLoss none", lambda z, y: sup_con(z, y, 0.3, "none"), randn(7, 3), labels)
    cases.function("SupConLoss mean", lambda z, y: sup_con(z, y, 0.2), randn(7, 3), labels)


def dice(p, g, smooth=1e-5, squared=False, reduction="mean"):
    """Milletari et al. 2016."""
    e = 2 if squared else 1
    losses = [
        [1 - (2 * (p[n, c] * g[n, c]).sum() + smooth) / ((p[n, c] ** e).sum() + (g[n, c] ** e).sum() + smooth) for c in range(p.shape[1])]
        for n in range(p.shape[0])
    ]
    return reduced(torch.stack([torch.stack(row) for row in losses]), reduction)


def generalised_dice(p, g, smooth=1e-5, reduction="mean"):
    """Sudre et al. 2017; an absent class has the largest weight of the others."""
    losses = []
    for n in range(p.shape[0]):
        sizes = [g[n, c].sum() for c in range(p.shape[1])]
        largest = max(1 / s**2 for s in sizes if s > 0)
        weights = [1 / s**2 if s > 0 else largest for s in sizes]
        both = sum(w * (p[n, c] * g[n, c]).sum() for c, w in enumerate(weights))
        either = sum(w * (p[n, c] + g[n, c]).sum() for c, w in enumerate(weights))
        losses.append(1 - (2 * both + smooth) / (either + smooth))
    return reduced(torch.stack(losses), reduction)


def tversky(p, g, alpha=0.3, beta=0.7, smooth=1e-5, reduction="mean"):
    """Salehi et al. 2017."""
    rows = []
    for n in range(p.shape[0]):
        for c in range(p.shape[1]):
            hits = (p[n, c] * g[n, c]).sum()
            false_positives = (p[n, c] * (1 - g[n, c])).sum()
            false_negatives = ((1 - p[n, c]) * g[n, c]).sum()
            rows.append(1 - (hits + smooth) / (hits + alpha * false_positives + beta * false_negatives + smooth))
    return reduced(torch.stack(rows).reshape(p.shape[:2]), reduction)


def overlaps():
    p = torch.softmax(randn(2, 3, 5, 3), 1)
    # Class 2 is absent from the first sample.
    classes = torch.randint(0, 3, (2, 5, 3))
    classes[0] %= 2
    g = F.one_hot(classes, 3).permute(0, 3, 1, 2)
    float_g = g.double()
    cases.function("diceLoss squared", lambda p, g: dice(p, g, 0.1, True, "none"), p, g)
    cases.function("diceLoss default", lambda p, g: dice(p, g), p, g)
    cases.function("DiceLoss sum", lambda p, g: dice(p, g, 1.0, reduction="sum"), p, float_g, frozen={1})
    cases.function("generalizedDiceLoss none", lambda p, g: generalised_dice(p, g, reduction="none"), p, g)
    cases.function("GeneralizedDiceLoss mean", lambda p, g: generalised_dice(p, g, 0.1), p, float_g, frozen={1})
    cases.function("tverskyLoss none", lambda p, g: tversky(p, g, 0.2, 0.9, 0.1, "none"), p, g)
    cases.function("TverskyLoss mean", lambda p, g: tversky(p, g), p, float_g, frozen={1})


def ctc():
    log_probs = torch.log_softmax(randn(9, 3, 5), 2)
    padded = torch.tensor([[1, 2, 2, 3], [4, 0, 1, 0], [1, 3, 0, 0]])
    cases.function(
        "ctcLoss padded",
        lambda x, y, n, m: F.ctc_loss(x, y, n, m, blank=0, reduction="none"),
        log_probs, padded, torch.tensor([9, 8, 5]), torch.tensor([4, 1, 2]),
    )
    # The last target is too long for its input.
    row = torch.tensor([0, 1, 1, 3, 2, 2, 0, 0, 1])
    cases.layer(
        "CTCLoss row",
        nn.CTCLoss(blank=4, zero_infinity=True),
        log_probs, row, torch.tensor([9, 7, 3]), torch.tensor([4, 1, 4]),
    )


for group in (regression, classification, margins, embeddings, contrasts, overlaps, ctc):
    group()
cases.write("losses")
