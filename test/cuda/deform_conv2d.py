"""Deformable convolution on CUDA: the results and gradients of the CPU; time beside torchvision's where it is there."""

import torch

from support import relative, seconds


def check(op, report):
    torch.backends.cuda.matmul.fp32_precision = "ieee"
    generator = torch.Generator().manual_seed(4)
    worst, calls = {}, 0
    for i in range(24):
        dtype = (torch.float32, torch.float64)[i % 2]
        draw = lambda *size: torch.randn(*size, generator=generator, dtype=dtype)
        n, groups, offset_groups = 1 + i % 3, (1, 2, 4)[i % 3], (1, 4, 2)[i // 3 % 3]
        c, filters, kernel = (4, 36, 64)[i // 2 % 3], 4 * (1 + i % 4), ((3, 3), (1, 1), (2, 5))[i // 4 % 3]
        stride, padding, dilation = ((1, 1), (2, 1))[i % 2], ((1, 2), (0, 0))[i // 6 % 2], ((1, 1), (1, 2))[i // 5 % 2]
        h, w = 8 + i % 5, 13 + i % 4
        oh, ow = ((s + 2 * padding[k] - dilation[k] * (kernel[k] - 1) - 1) // stride[k] + 1 for k, s in enumerate((h, w)))
        taps = offset_groups * kernel[0] * kernel[1]
        given = [draw(n, c, h, w), 2 * draw(n, 2 * taps, oh, ow), draw(filters, c // groups, *kernel), draw(filters)]
        if i % 3:
            given.append(draw(n, taps, oh, ow))
        if i % 4 == 3:
            given[0] = given[0].contiguous(memory_format=torch.channels_last)
        given[1][0, 0, 0, 0] = float("nan")
        results = {}
        for device in ("cpu", "cuda"):
            leaves = [t.to(device).detach().requires_grad_() for t in given]
            x, offset, weight, bias = leaves[:4]
            out = op.deform_conv2d(x, offset, weight, bias, stride=stride, padding=padding, dilation=dilation,
                                   mask=leaves[4] if len(leaves) > 4 else None)
            results[device] = (out.detach(), *torch.autograd.grad(out.square().sum(), leaves))
        difference = max(relative(a.cpu(), b) for a, b in zip(results["cuda"], results["cpu"]))
        worst[dtype], calls = max(worst.get(dtype, 0.0), difference), calls + 1
    passed = worst[torch.float32] < 1e-4 and worst[torch.float64] < 1e-11
    report("deform_conv2d: results and gradients of the CPU", passed, f"{calls} calls, largest relative differences {worst}")

    # Columns of one image are half of what is held at a time, so five images take three passes.
    x, weight = torch.randn(5, 64, 240, 240, device="cuda"), torch.randn(8, 64, 3, 3, device="cuda")
    offset = torch.zeros(5, 18, 238, 238, device="cuda")
    expected = torch.nn.functional.conv2d(x.double(), weight.double()).float()
    difference = relative(op.deform_conv2d(x, offset, weight), expected)
    report("deform_conv2d: several passes, without offsets a convolution", difference < 1e-5, f"{difference:.1e}")


def measure(op, report):
    try:
        from torchvision.ops import deform_conv2d
    except ImportError:
        deform_conv2d = None
    x, offset, weight, mask = (torch.randn(*s, device="cuda").requires_grad_()
                               for s in ((8, 256, 64, 64), (8, 18, 64, 64), (256, 256, 3, 3), (8, 9, 64, 64)))
    run = lambda: op.deform_conv2d(x, offset, weight, padding=[1, 1], mask=mask)
    peer = (lambda: deform_conv2d(x, offset, weight, padding=1, mask=mask)) if deform_conv2d else None
    backward = lambda f: lambda: torch.autograd.grad(f().sum(), (x, offset, weight, mask))
    for name, wrap in (("forward", lambda f: f), ("forward and backward", backward)):
        ours = 1e3 * seconds(wrap(run))
        theirs = 1e3 * seconds(wrap(peer)) if peer else float("nan")
        report(f"deform_conv2d, 8 images of 256 at 64×64, {name}: time", peer is None or theirs >= ours,
               f"{ours:.2f} ms, torchvision {theirs:.2f} ms")
