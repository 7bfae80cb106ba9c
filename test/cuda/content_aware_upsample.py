"""Content-aware upsampling on CUDA: numbers of the kernel's specification, 4 and 5 exactness, 7 agreement and repeats,
9 speed."""

import itertools

import torch
import torch.nn.functional as F

from support import copy_bandwidth, largest, same_bits, seconds

CASES = [  # channels, height, width, scale, window, groups, border
    (1, 1, 1, 2, 5, 1, "zeros"),
    (3, 5, 17, 1, 3, 1, "zeros"),
    (16, 3, 2, 3, 7, 2, "replicate"),
    (33, 17, 5, 2, 5, 1, "zeros"),
    (4, 2, 9, 2, 1, 4, "replicate"),
    (256, 9, 18, 2, 5, 1, "zeros"),
    (20, 9, 17, 2, 7, 2, "zeros"),
    (6, 3, 4, 2, 9, 1, "replicate"),
    (40, 4, 4, 4, 5, 1, "zeros"),
    (5, 3, 4, 1, 11, 1, "zeros"),
    (64, 40, 40, 2, 3, 1, "zeros"),
]
TOLERANCES = {torch.float64: 1e-12, torch.float32: 2e-5, torch.float16: 4e-3, torch.bfloat16: 3.2e-2}


def composition(features, logits, scale=2, window=5, groups=1, border="zeros"):
    """Windows, softmax and sum as LibTorch's operators."""
    batch, channels, height, width = features.shape
    padded = F.pad(features, [window // 2] * 4, mode="constant" if border == "zeros" else "replicate")
    taps = F.unfold(padded, window).reshape(batch, groups, channels // groups, window**2, 1, height, width)
    weights = logits.reshape(batch, groups, 1, window**2, scale**2, height, width).softmax(3)
    sums = (taps * weights).sum(3).reshape(batch, channels, scale, scale, height, width)
    return sums.permute(0, 1, 4, 2, 5, 3).reshape(batch, channels, scale * height, scale * width)


def with_gradients(run, features, logits, upstream):
    features, logits = features.detach().requires_grad_(), logits.detach().requires_grad_()
    out = run(features, logits)
    return [out.detach(), *torch.autograd.grad(out, [features, logits], upstream.to(out))]


def check(op, report):
    generator = torch.Generator().manual_seed(1)
    random = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    for dtype, tolerance in TOLERANCES.items():
        worst, where, repeats = 0.0, None, True
        formats = (torch.contiguous_format, torch.channels_last)
        for case, layout in itertools.product(CASES, formats):
            channels, height, width, scale, window, groups, border = case
            options = dict(scale=scale, window=window, groups=groups, border=border)
            place = lambda x: x.to("cuda", dtype).contiguous(memory_format=layout)
            features = place(random(2, channels, height, width))
            logits = place(3 * random(2, groups * scale**2 * window**2, height, width))
            upstream = place(random(2, channels, scale * height, scale * width))
            run = lambda f, z: op.content_aware_upsample(f, z, **options)
            made = with_gradients(run, features, logits, upstream)
            slow = lambda f, z: composition(f, z, **options)
            expected = with_gradients(slow, features.double(), logits.double(), upstream.double())
            for actual, wanted in zip(made, expected):
                difference = largest(actual, wanted) / max(1.0, wanted.abs().max().item())
                if not difference <= worst:
                    worst, where = difference, (case, layout)
            again = with_gradients(run, features, logits, upstream)
            repeats = repeats and all(same_bits(a, b) for a, b in zip(made, again))
        report(f"content_aware_upsample 4, 5, {dtype}", worst <= tolerance, f"relative difference {worst:.1e} at {where}")
        report(f"content_aware_upsample 7 two runs, {dtype}", repeats, "bitwise equal" if repeats else "differ")

    features, logits = random(1, 256, 40, 40).float(), random(1, 100, 40, 40).float()
    on = lambda device: op.content_aware_upsample(features.to(device), logits.to(device))
    difference = largest(on("cuda"), on("cpu"))
    report("content_aware_upsample 7 CPU and CUDA", difference < 1e-5, f"largest difference {difference:.1e}")
    f, z = features.cuda().requires_grad_(), logits.cuda().requires_grad_()
    run = lambda: torch.autograd.grad(op.content_aware_upsample(f, z).square().sum(), [f, z])
    first = run()
    equal = all(same_bits(a, b) for _ in range(10) for a, b in zip(first, run()))
    report("content_aware_upsample 7 ten repeats", equal, "bitwise equal" if equal else "differ")
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        out = op.content_aware_upsample(f, z)
    side.synchronize()
    same = same_bits(out.detach(), on("cuda"))
    report("content_aware_upsample 7 another stream", same, "bitwise equal" if same else "differs")
    empty = op.content_aware_upsample(torch.empty(0, 2, 3, 3, device="cuda"), torch.empty(0, 100, 3, 3, device="cuda"))
    report("content_aware_upsample, no samples", empty.shape == (0, 2, 6, 6), f"shape {tuple(empty.shape)}")
    nothing = op.content_aware_upsample(f.detach(), torch.full_like(logits.cuda(), -torch.inf))
    report("content_aware_upsample, weights of 0", (nothing == 0).all().item(), "places without weight are 0")


def measure(op, report):
    """The sites of YOLOv5l6, forward and backward, beside the composition; share of the memory's bandwidth."""
    bandwidth = copy_bandwidth()
    sites = ((768, 10), (512, 20), (256, 40), (64, 160))
    for (channels, side), batch, layout in itertools.product(sites, (1, 32), (torch.contiguous_format, torch.channels_last)):
        features = torch.randn(batch, channels, side, side, device="cuda").contiguous(memory_format=layout)
        logits = torch.randn(batch, 100, side, side, device="cuda").contiguous(memory_format=layout)
        upstream = torch.randn(batch, channels, 2 * side, 2 * side, device="cuda").contiguous(memory_format=layout)
        ours = seconds(lambda: op.content_aware_upsample(features, logits))
        both = seconds(lambda: with_gradients(op.content_aware_upsample, features, logits, upstream))
        theirs = seconds(lambda: composition(features, logits), runs=5)
        moved = 4 * batch * side**2 * (channels + 100 + 4 * channels)
        name = f"content_aware_upsample 9, {batch} x {channels} @ {side} x {side}, {str(layout).split('.')[1]}"
        report(name, theirs > ours, f"{1e6 * ours:.0f} us beside {1e6 * theirs:.0f} us, {theirs / ours:.1f} times; with "
               f"gradients {1e6 * both:.0f} us; {100 * moved / ours / bandwidth:.0f} % of the bandwidth of a copy")
