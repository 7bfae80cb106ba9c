"""Writes test/fixtures/nn/{linear,pooling,norm,elementwise,spatial}.safetensors and layers.json: layers of PyTorch 2.11.

Run with a Python that has torch==2.11.0, torchvision==0.26.0 and safetensors: python tools/reference/nn_layers.py

layers.json holds, for each case of a module, what it prints and the names of its state in their order.
"""
import json

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.ops import StochasticDepth, stochastic_depth

from nn_cases import FOLDER, Cases

PRINTED = {}
randn, rand = torch.randn, torch.rand


class Layers(Cases):
    def layer(self, name, module, *inputs, **options):
        PRINTED[name] = {"printed": str(module), "state": list(module.state_dict())}
        super().layer(name, module, *inputs, **options)


def seeded(run, seed=5):
    """Draws start from a seed that the test sets too."""

    def call(*args):
        torch.manual_seed(seed)
        return run(*args)

    return call


def linear():
    c = Layers(seed=21)
    c.layer("Identity", nn.Identity(), randn(2, 3))
    c.layer("Linear", nn.Linear(5, 3), randn(2, 4, 5))
    c.layer("Linear no bias", nn.Linear(7, 2, bias=False), randn(7))
    c.layer("Bilinear", nn.Bilinear(3, 4, 2), randn(5, 3), randn(5, 4))
    c.layer("Bilinear no bias", nn.Bilinear(3, 4, 2, bias=False), randn(2, 5, 3), randn(2, 5, 4))
    c.layer("Flatten", nn.Flatten(start_dim=1, end_dim=-2), randn(2, 3, 5, 2))
    c.layer("Unflatten", nn.Unflatten(1, (2, -1)), randn(3, 6, 2))

    c.layer("Conv1d", nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2), randn(2, 4, 11))
    c.layer("Conv1d same", nn.Conv1d(3, 2, 4, padding="same", dilation=3, bias=False), randn(3, 13))
    c.layer("Conv1d circular", nn.Conv1d(2, 3, 4, padding="same", padding_mode="circular"), randn(2, 2, 7))
    c.layer("Conv2d", nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(0, 1), dilation=(1, 2), groups=2), randn(2, 4, 7, 5))
    c.layer("Conv2d default", nn.Conv2d(3, 2, 3), randn(2, 3, 5, 7))
    c.layer("Conv2d valid", nn.Conv2d(3, 4, 3, stride=2, padding="valid"), randn(3, 5, 7))
    c.layer("Conv2d same", nn.Conv2d(2, 3, (4, 3), padding="same"), randn(2, 2, 5, 5))
    c.layer("Conv2d reflect", nn.Conv2d(2, 3, 3, stride=2, padding=(2, 1), padding_mode="reflect"), randn(2, 2, 5, 7))
    c.layer("Conv2d replicate", nn.Conv2d(2, 3, 3, padding=2, padding_mode="replicate", bias=False), randn(2, 2, 5, 3))
    c.layer("Conv2d depthwise", nn.Conv2d(3, 6, 3, padding=1, groups=3), randn(2, 3, 5, 5))
    c.layer("Conv3d", nn.Conv3d(2, 4, (3, 2, 1), stride=(1, 2, 1), padding=(1, 0, 1), groups=2), randn(2, 2, 3, 5, 3))
    c.layer("Conv3d circular", nn.Conv3d(2, 2, 3, padding=(1, 2, 0), padding_mode="circular", bias=False), randn(1, 2, 3, 4, 5))
    c.layer(
        "ConvTranspose1d",
        nn.ConvTranspose1d(4, 6, 3, stride=3, padding=1, output_padding=2, groups=2, dilation=2),
        randn(2, 4, 5),
    )
    c.layer(
        "ConvTranspose2d",
        nn.ConvTranspose2d(4, 2, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 0), groups=2, bias=False),
        randn(2, 4, 3, 5),
    )
    c.layer(
        "ConvTranspose2d size",
        nn.ConvTranspose2d(2, 3, 3, stride=3),
        randn(2, 2, 3, 4),
        run=lambda m, x: m(x, output_size=[11, 12]),
    )
    c.layer("ConvTranspose3d", nn.ConvTranspose3d(2, 3, (2, 3, 1), stride=(1, 2, 2), dilation=(2, 1, 1)), randn(2, 2, 3, 2, 3))

    block = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(9, 2))
    c.layer("Sequential", block, randn(2, 2, 5, 3))
    named = nn.Sequential()
    named.add_module("first", nn.Linear(3, 4))
    named.add_module("act", nn.Tanh())
    c.layer("Sequential named", named, randn(2, 3))
    items = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU()])
    c.layer("ModuleList", items, randn(2, 3), run=lambda m, x: m[2](m[1](m[0](x))))
    items = nn.ModuleDict({"up": nn.Linear(3, 4), "down": nn.Linear(4, 2)})
    c.layer("ModuleDict", items, randn(2, 3), run=lambda m, x: m["down"](m["up"](x)))
    items = nn.ParameterList([nn.Parameter(randn(2, 3)), nn.Parameter(randn(3))])
    c.layer("ParameterList", items, randn(2), run=lambda m, x: x @ m[0] + m[1])
    # Of a plain dict PyTorch sorts the names.
    items = nn.ParameterDict(OrderedDict(up=nn.Parameter(randn(2, 3)), offset=nn.Parameter(randn(3))))
    c.layer("ParameterDict", items, randn(2), run=lambda m, x: x @ m["up"] + m["offset"])
    c.write("linear")


def pooling():
    c = Layers(seed=22)
    shapes = {1: (2, 3, 11), 2: (2, 3, 7, 9), 3: (1, 2, 5, 7, 5)}
    for rank, shape in shapes.items():
        pick = lambda *sizes: sizes[:rank]
        unbatched = shape[1:]
        maximum, average = getattr(nn, f"MaxPool{rank}d"), getattr(nn, f"AvgPool{rank}d")
        c.layer(f"MaxPool{rank}d", maximum(3, stride=2, padding=1, ceil_mode=True), randn(*shape))
        c.layer(f"MaxPool{rank}d dilation", maximum(pick(2, 3, 2), dilation=pick(2, 1, 2)), randn(*unbatched))
        c.layer(f"MaxPool{rank}d indices", maximum(2, return_indices=True), randn(*shape))
        c.layer(f"AvgPool{rank}d", average(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), randn(*shape))
        c.layer(f"AvgPool{rank}d default", average(pick(2, 3, 2)), randn(*unbatched))
        if rank > 1:
            c.layer(f"AvgPool{rank}d divisor", average(2, divisor_override=3), randn(*shape))
        keep = (3,) if rank == 1 else (None, 3, 2)[:rank]
        c.layer(f"AdaptiveAvgPool{rank}d", getattr(nn, f"AdaptiveAvgPool{rank}d")(keep), randn(*shape))
        c.layer(f"AdaptiveMaxPool{rank}d", getattr(nn, f"AdaptiveMaxPool{rank}d")(keep), randn(*shape))
        most = getattr(nn, f"AdaptiveMaxPool{rank}d")(2, return_indices=True)
        c.layer(f"AdaptiveMaxPool{rank}d indices", most, randn(*unbatched))
        c.function(f"adaptiveMaxPool{rank}dWithIndices", most, randn(*shape))
        c.function(f"adaptiveMaxPool{rank}d", lambda x: getattr(F, f"adaptive_max_pool{rank}d")(x, 2), randn(*shape))
        norm = getattr(nn, f"LPPool{rank}d")
        c.layer(f"LPPool{rank}d", norm(2, 3, stride=2, ceil_mode=True), randn(*shape))
        c.layer(f"LPPool{rank}d cubes", norm(3, 2 if rank == 1 else pick(2, 3, 2)), rand(*unbatched) + 0.1)
        c.function(f"lpPool{rank}d", lambda x: getattr(F, f"lp_pool{rank}d")(x, 4.0, 2), randn(*shape))

        pooled = getattr(F, f"max_pool{rank}d")(randn(*shape), 3, stride=2, padding=1, return_indices=True)
        size = list(shape[2:])
        unpool = getattr(nn, f"MaxUnpool{rank}d")(3, stride=2, padding=1)
        c.layer(f"MaxUnpool{rank}d", unpool, *pooled, run=lambda m, x, i: m(x, i, output_size=size))
        even = [*shape[:2], *(length - length % 2 for length in shape[2:])]
        pooled = getattr(F, f"max_pool{rank}d")(randn(*even), 2, return_indices=True)
        c.function(f"maxUnpool{rank}d", lambda x, i: getattr(F, f"max_unpool{rank}d")(x, i, 2), *pooled)

    samples = torch.tensor([[[0.1, 0.7], [0.4, 0.2], [0.9, 0.55]]] * 2)
    pool = nn.FractionalMaxPool2d(2, output_size=(3, 4), _random_samples=samples)
    c.layer("FractionalMaxPool2d", pool, randn(2, 3, 7, 9))
    pool = nn.FractionalMaxPool2d((2, 3), output_ratio=(0.5, 0.6), return_indices=True, _random_samples=samples)
    c.layer("FractionalMaxPool2d indices", pool, randn(2, 3, 7, 9))
    # Not a layer case: PyTorch counts the samples as state.
    run = seeded(lambda x: F.fractional_max_pool2d(x, 2, output_ratio=(0.5, 0.5)))
    c.function("fractionalMaxPool2d drawn", run, randn(2, 3, 7, 9))
    run = seeded(lambda x: F.fractional_max_pool2d(x, 2, output_size=3, return_indices=True))
    c.function("fractionalMaxPool2dWithIndices drawn", run, randn(3, 7, 9))
    samples = torch.tensor([[[0.1, 0.7, 0.3], [0.4, 0.2, 0.8]]])
    pool = nn.FractionalMaxPool3d((2, 3, 2), output_size=(3, 2, 3), _random_samples=samples)
    c.layer("FractionalMaxPool3d", pool, randn(1, 2, 5, 7, 5))
    run = seeded(lambda x: F.fractional_max_pool3d(x, 2, output_size=3))
    c.function("fractionalMaxPool3d drawn", run, randn(1, 2, 5, 7, 5))
    run = seeded(lambda x: F.fractional_max_pool3d(x, 2, output_ratio=(0.5, 0.5, 0.5), return_indices=True))
    c.function("fractionalMaxPool3dWithIndices drawn", run, randn(1, 2, 5, 7, 5))
    for key in [key for key in c.tensors if "_random_samples" in key]:
        del c.tensors[key]
    c.write("pooling")


def norm():
    c = Layers(seed=23)

    def moved(module):
        """Running statistics that training would not leave at 0 and 1."""
        for key, value in module.named_buffers():
            if value.is_floating_point():
                value.copy_(rand(*value.shape) + 0.5)
            else:
                value.fill_(3)
        return module

    shapes = {1: (5, 3, 4), 2: (3, 3, 3, 5), 3: (2, 3, 2, 3, 3)}
    for rank, shape in shapes.items():
        batch, instance = getattr(nn, f"BatchNorm{rank}d"), getattr(nn, f"InstanceNorm{rank}d")
        c.layer(f"BatchNorm{rank}d train", moved(batch(3, eps=1e-3, momentum=0.3)), randn(*shape))
        c.layer(f"BatchNorm{rank}d eval", moved(batch(3)).eval(), randn(*shape))
        c.layer(f"InstanceNorm{rank}d", instance(3, eps=1e-3, affine=True), randn(*shape))
        c.layer(f"InstanceNorm{rank}d eval", moved(instance(3, track_running_stats=True)).eval(), randn(*shape))
        c.layer(f"InstanceNorm{rank}d train", moved(instance(3, track_running_stats=True, momentum=0.4)), randn(*shape))
    c.layer("InstanceNorm2d unbatched", nn.InstanceNorm2d(3), randn(3, 4, 5))
    c.layer("BatchNorm1d flat", moved(nn.BatchNorm1d(4, affine=False)), randn(5, 4))
    c.layer("BatchNorm2d cumulative", moved(nn.BatchNorm2d(3, momentum=None)), randn(2, 3, 3, 3))
    untracked = lambda: nn.BatchNorm2d(3, track_running_stats=False)
    c.layer("BatchNorm2d untracked", untracked(), randn(2, 3, 3, 3))
    c.layer("BatchNorm2d untracked eval", untracked().eval(), randn(2, 3, 3, 3))
    mean, var = randn(3), rand(3) + 0.5
    run = lambda x, m, v, w, b: F.batch_norm(x, m, v, w, b, eps=1e-2)
    c.function("batchNorm", run, randn(2, 3, 4), mean, var, randn(3), randn(3), frozen={1, 2})
    run = lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=1e-2)
    c.function("instanceNorm", run, randn(2, 3, 4), randn(3), randn(3))

    c.layer("GroupNorm", nn.GroupNorm(3, 6, eps=1e-3), randn(2, 6, 3, 5))
    c.layer("GroupNorm plain", nn.GroupNorm(2, 4, affine=False), randn(3, 4))
    c.layer("LayerNorm", nn.LayerNorm((3, 5), eps=1e-3), randn(2, 3, 5))
    c.layer("LayerNorm no bias", nn.LayerNorm(5, bias=False), randn(2, 3, 5))
    c.layer("LayerNorm plain", nn.LayerNorm([5], elementwise_affine=False), randn(5))
    c.layer("RMSNorm", nn.RMSNorm((3, 5), eps=1e-3), randn(2, 3, 5))
    # The default eps is the dtype's own, which float32 and float64 do not share: values are far above it.
    c.layer("RMSNorm plain", nn.RMSNorm(5, elementwise_affine=False), randn(4, 5))
    c.layer("LocalResponseNorm", nn.LocalResponseNorm(4, alpha=0.5, beta=0.6, k=1.5), randn(2, 7, 3, 5))
    c.layer("LocalResponseNorm signal", nn.LocalResponseNorm(3, alpha=0.5), randn(2, 5, 3))
    c.layer("LocalResponseNorm volume", nn.LocalResponseNorm(2, alpha=0.3), randn(1, 5, 2, 3, 2))
    c.function("localResponseNorm", lambda x: F.local_response_norm(x, 5, alpha=0.2), randn(2, 3, 4))
    c.function("normalize", lambda x: F.normalize(x, p=3.0, dim=-1, eps=0.5), randn(2, 3, 5))
    c.function("normalize default", F.normalize, randn(2, 3, 5))

    shapes = {"": (4, 5), "1d": (5, 4, 3), "2d": (3, 4, 3, 2), "3d": (2, 4, 2, 3, 2)}
    for suffix, shape in shapes.items():
        layer = getattr(nn, f"Dropout{suffix}")(p=0.3)
        c.layer(f"Dropout{suffix} train", layer, randn(*shape), run=seeded(lambda m, x: m(x)))
        c.layer(f"Dropout{suffix} eval", getattr(nn, f"Dropout{suffix}")(p=0.3).eval(), randn(*shape))
        function = getattr(F, f"dropout{suffix}")
        c.function(f"dropout{suffix}", seeded(lambda x: function(x, p=0.6)), randn(*shape))
    c.layer("Dropout1d unbatched", nn.Dropout1d(), randn(5, 3), run=seeded(lambda m, x: m(x)))
    c.layer("Dropout3d unbatched", nn.Dropout3d(), randn(5, 2, 3, 2), run=seeded(lambda m, x: m(x)))
    for name, function in (("AlphaDropout", "alpha_dropout"), ("FeatureAlphaDropout", "feature_alpha_dropout")):
        c.layer(f"{name} train", getattr(nn, name)(p=0.3), randn(4, 5, 3), run=seeded(lambda m, x: m(x)))
        c.layer(f"{name} eval", getattr(nn, name)(p=0.3).eval(), randn(4, 5, 3))
        camel = name[0].lower() + name[1:]
        c.function(camel, seeded(lambda x: getattr(F, function)(x, p=0.4, training=True)), randn(4, 5, 3))
        c.function(f"{camel} default", getattr(F, function), randn(4, 5))
    c.layer("StochasticDepth row", StochasticDepth(0.4, "row"), randn(6, 2, 3), run=seeded(lambda m, x: m(x)))
    c.layer("StochasticDepth batch", StochasticDepth(0.4, "batch"), randn(3, 2), run=seeded(lambda m, x: m(x)))
    c.layer("StochasticDepth eval", StochasticDepth(0.4, "row").eval(), randn(3, 2))
    c.function("stochasticDepth", seeded(lambda x: stochastic_depth(x, 0.7, "row")), randn(6, 3))
    c.write("norm")


def elementwise():
    c = Layers(seed=24)
    x = lambda *shape: randn(*(shape or (3, 5))) * 2
    plain = "ReLU ReLU6 SELU SiLU Mish Hardswish Hardsigmoid Sigmoid LogSigmoid Tanh Tanhshrink Softsign".split()
    for name in plain:
        c.layer(name, getattr(nn, name)(), x() * 2)
    options = {
        "ELU": dict(alpha=1.7),
        "CELU": dict(alpha=0.6),
        "LeakyReLU": dict(negative_slope=0.3),
        "Hardtanh": dict(min_val=-0.7, max_val=1.3),
        "Threshold": dict(threshold=0.4, value=-3),
        "Softplus": dict(beta=1.5, threshold=2),
        "Softshrink": dict(lambd=0.8),
        "Hardshrink": dict(lambd=1.2),
        "GELU": dict(),
        "GLU": dict(dim=1),
        "PReLU": dict(),
        "Softmax": dict(dim=1),
        "Softmin": dict(dim=0),
        "LogSoftmax": dict(dim=-1),
    }
    for name, given in options.items():
        c.layer(name, getattr(nn, name)(**given), x(2, 4, 3))
    c.layer("GELU tanh", nn.GELU(approximate="tanh"), x())
    c.layer("PReLU channels", nn.PReLU(4, init=0.1), x(2, 4, 3))
    c.layer("Softmax2d", nn.Softmax2d(), x(2, 3, 2, 3))
    c.layer("RReLU train", nn.RReLU(lower=0.2, upper=0.6), x(), run=seeded(lambda m, x: m(x)))
    c.layer("RReLU eval", nn.RReLU(lower=0.2, upper=0.6).eval(), x())
    inplace = [
        nn.ReLU(True), nn.ReLU6(True), nn.SELU(True), nn.SiLU(True), nn.Mish(True), nn.Hardswish(True),
        nn.Hardsigmoid(True), nn.ELU(0.7, True), nn.CELU(0.7, True), nn.LeakyReLU(0.2, True), nn.Hardtanh(inplace=True),
        nn.Threshold(0.1, 2, True), nn.RReLU(inplace=True).eval(), nn.Dropout(0.3, True).eval(),
    ]
    for layer in inplace:
        # The input of an in-place layer must not be a leaf, and its change must show.
        run = lambda m, x: (lambda y: (m(y), y))(x * 1)
        c.layer(f"{type(layer).__name__} inplace", layer, x(), run=run)
    c.function("softmin", lambda x: F.softmin(x, dim=0), x())
    c.function("softsign", F.softsign, x())
    c.function("tanhshrink", F.tanhshrink, x())
    run = seeded(lambda x: F.gumbel_softmax(x, tau=0.7, dim=0))
    c.function("gumbelSoftmax", run, x())
    run = seeded(lambda x: F.gumbel_softmax(x, tau=1.3, hard=True))
    c.function("gumbelSoftmax hard", run, x())

    c.layer("Embedding", nn.Embedding(6, 3, padding_idx=-2), torch.tensor([[0, 4, 5], [2, 5, 5]]))
    scaled = nn.Embedding(5, 3, max_norm=0.5, norm_type=1.0, scale_grad_by_freq=True)
    # What was looked up becomes shorter in the table itself: shown as an output.
    run = lambda m, i: (m(i), m.weight.detach().clone())
    c.layer("Embedding norm", scaled, torch.tensor([4, 4, 1, 4]), run=run)
    table = randn(5, 3)
    c.function("embedding", lambda i, w: F.embedding(i, w, padding_idx=1), torch.tensor([0, 1, 4]), table)
    c.layer("EmbeddingBag", nn.EmbeddingBag(6, 3), torch.tensor([[0, 4, 5], [2, 5, 5]]))
    offsets = torch.tensor([0, 2, 2, 5])
    flat = torch.tensor([0, 4, 5, 2, 5])
    bags = nn.EmbeddingBag(6, 3, mode="sum", padding_idx=2, include_last_offset=True)
    c.layer("EmbeddingBag offsets", bags, flat, offsets, run=lambda m, i, o: m(i, o))
    weighted = nn.EmbeddingBag(6, 3, mode="sum")
    c.layer(
        "EmbeddingBag weighted", weighted, torch.tensor([[0, 4, 5], [2, 5, 5]]), randn(2, 3),
        run=lambda m, i, w: m(i, per_sample_weights=w),
    )
    c.layer("EmbeddingBag max", nn.EmbeddingBag(6, 3, mode="max", max_norm=0.5), flat, offsets[:3], run=lambda m, i, o: m(i, o))
    run = lambda i, w: F.embedding_bag(i, w, mode="mean", scale_grad_by_freq=True)
    c.function("embeddingBag", run, torch.tensor([[0, 4, 4], [2, 1, 4]]), table)

    c.layer("CosineSimilarity", nn.CosineSimilarity(dim=-1, eps=1e-3), randn(2, 3, 5), randn(2, 3, 5))
    c.layer("PairwiseDistance", nn.PairwiseDistance(p=3, eps=1e-2, keepdim=True), randn(4, 5), randn(4, 5))
    c.write("elementwise")


def spatial():
    c = Layers(seed=25)
    ends = {1: (2, 1), 2: (1, 2, 2, 0), 3: (1, 0, 2, 1, 0, 1)}
    shapes = {1: (2, 3, 5), 2: (2, 2, 4, 5), 3: (1, 2, 3, 4, 3)}
    for rank, shape in shapes.items():
        c.layer(f"ConstantPad{rank}d", getattr(nn, f"ConstantPad{rank}d")(ends[rank], 1.5), randn(*shape))
        for kind in ("Zero", "Reflection", "Replication", "Circular"):
            pad = getattr(nn, f"{kind}Pad{rank}d")
            c.layer(f"{kind}Pad{rank}d", pad(ends[rank]), randn(*shape))
        c.layer(f"ReflectionPad{rank}d number", getattr(nn, f"ReflectionPad{rank}d")(2), randn(*shape[1:]))
    c.layer("ZeroPad2d crop", nn.ZeroPad2d((-1, 1, 0, -2)), randn(2, 2, 4, 5))

    signal, image, volume = (2, 2, 5), (2, 2, 5, 7), (1, 2, 3, 4, 5)
    c.layer("Upsample", nn.Upsample(scale_factor=1.7), randn(*image))
    c.layer("Upsample signal", nn.Upsample(size=7), randn(*signal))
    c.layer("Upsample volume", nn.Upsample(scale_factor=(2, 1, 0.5)), randn(*volume))
    c.layer("Upsample exact", nn.Upsample(size=(7, 4), mode="nearest-exact"), randn(*image))
    c.layer("Upsample exact signal", nn.Upsample(scale_factor=1.4, mode="nearest-exact"), randn(*signal))
    c.layer("Upsample exact volume", nn.Upsample(size=(2, 5, 7), mode="nearest-exact"), randn(*volume))
    c.layer("Upsample linear", nn.Upsample(scale_factor=1.5, mode="linear"), randn(*signal))
    c.layer("Upsample bilinear", nn.Upsample(size=(8, 3), mode="bilinear", align_corners=True), randn(*image))
    c.layer(
        "Upsample recomputed",
        nn.Upsample(scale_factor=(1.3, 0.7), mode="bilinear", recompute_scale_factor=True),
        randn(*image),
    )
    c.layer("Upsample bicubic", nn.Upsample(scale_factor=1.3, mode="bicubic", align_corners=False), randn(*image))
    c.layer("Upsample trilinear", nn.Upsample(size=(4, 3, 7), mode="trilinear", align_corners=True), randn(*volume))
    c.layer("UpsamplingNearest2d", nn.UpsamplingNearest2d(scale_factor=2), randn(*image))
    c.layer("UpsamplingBilinear2d", nn.UpsamplingBilinear2d(size=(7, 3)), randn(*image))
    for mode in ("bilinear", "bicubic"):
        run = lambda x: F.interpolate(x, size=(3, 4), mode=mode, antialias=True)
        c.function(f"interpolate antialias {mode}", run, randn(*image))
    for name, shape, size in (("signal", signal, 3), ("image", image, (2, 5)), ("volume", volume, (2, 3, 2))):
        c.function(f"interpolate area {name}", lambda x: F.interpolate(x, size=size, mode="area"), randn(*shape))
    c.function("interpolate area factor", lambda x: F.interpolate(x, scale_factor=0.6, mode="area"), randn(*image))

    c.layer("PixelShuffle", nn.PixelShuffle(3), randn(2, 9, 2, 3))
    c.layer("PixelUnshuffle", nn.PixelUnshuffle(2), randn(2, 3, 4, 6))
    c.layer("ChannelShuffle", nn.ChannelShuffle(3), randn(2, 6, 2, 3))
    c.layer("Unfold", nn.Unfold((2, 3), dilation=(2, 1), padding=1, stride=(1, 2)), randn(2, 2, 5, 6))
    c.layer("Fold", nn.Fold((5, 6), (2, 3), dilation=(2, 1), padding=1, stride=(1, 2)), randn(2, 12, 15))
    c.function("unfold", lambda x: F.unfold(x, 2, stride=2), randn(2, 2, 5, 4))
    c.function("fold", lambda x: F.fold(x, (4, 5), 2), randn(2, 8, 12))

    grid = rand(2, 3, 4, 2) * 2.6 - 1.3
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            run = lambda x, g: F.grid_sample(x, g, mode=mode, padding_mode=padding, align_corners=padding == "border")
            c.function(f"gridSample {mode} {padding}", run, randn(2, 2, 4, 5), grid)
    c.function("gridSample volume", lambda x, g: F.grid_sample(x, g), randn(1, 2, 3, 4, 3), rand(1, 2, 3, 2, 3) * 2 - 1)
    c.function("affineGrid", lambda t: F.affine_grid(t, [2, 3, 4, 5]), randn(2, 2, 3))
    c.function("affineGrid volume", lambda t: F.affine_grid(t, [1, 1, 2, 3, 4], align_corners=True), randn(1, 3, 4))
    c.write("spatial")


def initial():
    """First values with seed 3, in float32: the defaults of layers, and what torch.nn.init draws."""
    torch.set_default_dtype(torch.float32)
    c = Cases()
    torch.set_default_dtype(torch.float32)
    layers = {
        "Linear": lambda: nn.Linear(5, 3),
        "Bilinear": lambda: nn.Bilinear(3, 4, 2),
        "Conv1d": lambda: nn.Conv1d(4, 6, 3, groups=2),
        "Conv2d": lambda: nn.Conv2d(3, 4, (3, 2)),
        "Conv3d": lambda: nn.Conv3d(2, 3, 2),
        "ConvTranspose1d": lambda: nn.ConvTranspose1d(4, 6, 3, groups=2),
        "ConvTranspose2d": lambda: nn.ConvTranspose2d(3, 4, 3),
        "ConvTranspose3d": lambda: nn.ConvTranspose3d(2, 3, 2),
        "Embedding": lambda: nn.Embedding(5, 4, padding_idx=2),
        "EmbeddingBag": lambda: nn.EmbeddingBag(5, 4),
        "PReLU": lambda: nn.PReLU(3),
        "BatchNorm2d": lambda: nn.BatchNorm2d(3),
        "GroupNorm": lambda: nn.GroupNorm(2, 4),
        "LayerNorm": lambda: nn.LayerNorm(4),
        "RMSNorm": lambda: nn.RMSNorm(4),
    }
    for name, make in layers.items():
        torch.manual_seed(3)
        for key, value in make().state_dict().items():
            c.tensors[f"{name}|state|{key}"] = value
    schemes = {
        "uniform_": lambda t: nn.init.uniform_(t, -1, 3),
        "normal_": lambda t: nn.init.normal_(t, 2, 0.5),
        "truncNormal_": lambda t: nn.init.trunc_normal_(t, 0.5, 2, -1, 1.5),
        "xavierUniform_": lambda t: nn.init.xavier_uniform_(t, 1.5),
        "xavierNormal_": lambda t: nn.init.xavier_normal_(t, 1.5),
        "kaimingUniform_": lambda t: nn.init.kaiming_uniform_(t, 0.3, "fan_out"),
        "kaimingNormal_": lambda t: nn.init.kaiming_normal_(t, nonlinearity="relu"),
        "orthogonal_": lambda t: nn.init.orthogonal_(t, 1.5),
        "dirac_": lambda t: nn.init.dirac_(t, 2),
    }
    for name, fill in schemes.items():
        torch.manual_seed(3)
        c.tensors[f"{name}|filled|0"] = fill(torch.empty(4, 3, 3, 2))
    torch.manual_seed(3)
    c.tensors["sparse_|filled|0"] = nn.init.sparse_(torch.empty(7, 3), 0.4, 0.5)
    c.tensors["eye_|filled|0"] = nn.init.eye_(torch.empty(3, 5))
    c.write("initial")


linear()
pooling()
norm()
elementwise()
spatial()
initial()
(FOLDER / "layers.json").write_text(json.dumps(PRINTED, indent=1) + "\n")
