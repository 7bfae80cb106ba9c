"""upfirdn2d on CUDA: agreement with the CPU, first and second gradients, repeats, speed."""

import itertools

import torch
import torch.nn.functional as F

from support import copy_bandwidth, relative, same_bits, seconds

CASES = [  # filter, options
    ((4,), dict(padding=[2, 1, 2, 1])),
    ((4,), dict(up=[2, 2], padding=[2, 1, 2, 1], gain=4.0)),
    ((12,), dict(down=[2, 2], padding=[6, 5, 6, 5])),
    ((3, 4), dict(down=[2, 2], padding=[1, 1, 1, 1], flip_filter=True)),
    ((5, 2), dict(up=[3, 2], down=[2, 3], padding=[4, 3, 2, 5], gain=0.5)),
    ((6,), dict(up=[2, 1], down=[4, 1], padding=[-1, -2, 3, -1])),
    (None, dict(up=[2, 3], down=[3, 1])),
]
TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}


def derivatives(op, x, weights, options):
    x = x.detach().requires_grad_()
    out = op.upfirdn2d(x, weights, **options)
    (slope,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.square().sum(), x)
    return [out.detach(), slope.detach(), curvature]


def check(op, report):
    generator = torch.Generator().manual_seed(1)
    random = lambda *shape: torch.randn(*shape, generator=generator)
    formats = (torch.contiguous_format, torch.channels_last)
    for dtype, tolerance in TOLERANCES.items():
        worst, where, repeats = 0.0, None, True
        for (taps, options), shape, layout in itertools.product(CASES, ((2, 3, 9, 12), (1, 17, 33, 40)), formats):
            x = random(*shape).to(dtype).contiguous(memory_format=layout)
            weights = None if taps is None else random(*taps)
            on = lambda device: derivatives(op, x.to(device), None if weights is None else weights.to(device), options)
            made, again, expected = on("cuda"), on("cuda"), on("cpu")
            repeats = repeats and all(same_bits(a, b) for a, b in zip(made, again))
            # Later derivatives are made of rounded earlier ones.
            difference = max(relative(a, b) / 2**i for i, (a, b) in enumerate(zip(made, expected)))
            if not difference <= worst:
                worst, where = difference, (taps, options, shape, layout)
        report(f"upfirdn2d, {dtype}", worst <= tolerance, f"relative difference {worst:.1e} at {where}")
        report(f"upfirdn2d two runs, {dtype}", repeats, "bitwise equal" if repeats else "differ")


def measure(op, report):
    """StyleGAN2's blur at 256 x 256, beside a depthwise convolution; share of the memory's bandwidth."""
    bandwidth = copy_bandwidth()
    weights = torch.tensor([1.0, 3, 3, 1], device="cuda") / 8
    for dtype, layout in itertools.product((torch.float32, torch.float16), (torch.contiguous_format, torch.channels_last)):
        x = torch.randn(8, 128, 256, 256, device="cuda", dtype=dtype).contiguous(memory_format=layout)
        full = torch.outer(weights, weights).to(dtype).expand(128, 1, 4, 4).contiguous()
        ours = seconds(lambda: op.upfirdn2d(x, weights, padding=[2, 1, 2, 1]))
        theirs = seconds(lambda: F.conv2d(F.pad(x, [2, 1, 2, 1]), full, groups=128), runs=5)
        report(f"upfirdn2d speed, {dtype}, {str(layout).split('.')[1]}", theirs > ours,
               f"{1e6 * ours:.0f} us beside {1e6 * theirs:.0f} us, {theirs / ours:.1f} times; "
               f"{100 * 2 * x.nbytes / ours / bandwidth:.0f} % of the bandwidth of a copy")
