"""Correlation of two maps on CUDA: agreement with the CPU, repeats, speed."""

import itertools

import torch
import torch.nn.functional as F

from support import relative, same_bits, seconds

CASES = [
    dict(patch_size=[9, 9]),
    dict(patch_size=[3, 3], kernel_size=[3, 3], padding=[1, 1]),
    dict(patch_size=[3, 5], kernel_size=[3, 1], stride=[2, 3], padding=[2, 1], dilation=[2, 1], dilation_patch=[1, 2]),
    dict(patch_size=[3, 31], dilation_patch=[1, 2]),
    dict(patch_size=[2, 4], kernel_size=[2, 2], padding=[3, 0], stride=[3, 2]),
    dict(patch_size=[1, 3], dilation_patch=[1, 600]),
]
TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}


def with_gradients(op, first, second, upstream, options):
    first, second = first.detach().requires_grad_(), second.detach().requires_grad_()
    out = op.correlation(first, second, **options)
    return [out.detach(), *torch.autograd.grad(out, [first, second], upstream.to(out))]


def check(op, report):
    generator = torch.Generator().manual_seed(1)
    random = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    formats = (torch.contiguous_format, torch.channels_last)
    for dtype, tolerance in TOLERANCES.items():
        worst, where, repeats = 0.0, None, True
        for options, shape, layout in itertools.product(CASES, ((2, 3, 7, 9), (1, 37, 9, 40), (1, 1, 3, 3)), formats):
            first, second = (random(*shape).to(dtype).contiguous(memory_format=layout) for _ in range(2))
            upstream = random(*op.correlation(first, second, **options).shape).to(dtype)
            on = lambda device: with_gradients(op, first.to(device), second.to(device), upstream, options)
            made, again, expected = on("cuda"), on("cuda"), on("cpu")
            repeats = repeats and all(same_bits(a, b) for a, b in zip(made, again))
            difference = max(relative(a, b) for a, b in zip(made, expected))
            if not difference <= worst:
                worst, where = difference, (options, shape, layout)
        report(f"correlation, {dtype}", worst <= tolerance, f"relative difference {worst:.1e} at {where}")
        report(f"correlation two runs, {dtype}", repeats, "bitwise equal" if repeats else "differ")


def measure(op, report):
    """PWC-Net's and FlowNetC's volumes, beside a product and a sum for each displacement."""
    for channels, height, width, radius, step in ((128, 48, 112, 4, 1), (256, 48, 64, 10, 2)):
        first, second = (torch.randn(4, channels, height, width, device="cuda") for _ in range(2))
        options = dict(patch_size=[2 * radius + 1] * 2, dilation_patch=[step] * 2)

        def composition():
            padded = F.pad(second, [radius * step] * 4)
            places = range(0, 2 * radius * step + 1, step)
            return torch.stack([(first * padded[:, :, y:y + height, x:x + width]).sum(1) for y in places for x in places], 1)

        upstream = torch.randn(4, 2 * radius + 1, 2 * radius + 1, height, width, device="cuda")
        ours, theirs = seconds(lambda: op.correlation(first, second, **options)), seconds(composition, runs=5)
        both = seconds(lambda: with_gradients(op, first, second, upstream, options))
        report(f"correlation speed, {channels} @ {height} x {width}, +-{radius}", theirs > ours,
               f"{1e6 * ours:.0f} us beside {1e6 * theirs:.0f} us, {theirs / ours:.1f} times; with gradients {1e6 * both:.0f} us")
