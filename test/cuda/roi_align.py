"""RoIAlign on CUDA: the results and gradients of the CPU; time beside torchvision's where it is there."""

import torch

from support import largest, seconds

SHAPES = ((2, 3, 24, 31), (1, 70, 6, 5), (3, 1, 1, 1), (1, 257, 50, 68))


def regions(count, images, height, width, scale, generator, dtype):
    corner = (torch.rand(count, 2, generator=generator, dtype=dtype) * 1.4 - 0.3) * torch.tensor([width, height]) / scale
    extent = torch.rand(count, 2, generator=generator, dtype=dtype) * torch.tensor([width, height]) / scale
    place = torch.randint(0, images, (count, 1), generator=generator).to(dtype)
    return torch.cat([place, corner, corner + extent], 1)


def check(op, report):
    generator = torch.Generator().manual_seed(2)
    worst, calls = {}, 0
    for i in range(32):
        n, c, h, w = SHAPES[i % 4]
        dtype = (torch.float32, torch.float64)[i // 4 % 2]
        size, scale, ratio, aligned = ((7, 7), (3, 10), (1, 1), (9, 2))[i // 8], (1.0, 0.25)[i % 2], (2, -1, 0)[i % 3], i % 5 < 2
        x = torch.randn(n, c, h, w, generator=generator, dtype=dtype)
        if i % 3 == 1:
            x = x.contiguous(memory_format=torch.channels_last)
        boxes = regions(9, n, h, w, scale, generator, dtype)
        boxes[0, 1], boxes[1, 3:] = float("nan"), 1e9
        upstream = torch.randn(9, c, *size, generator=generator, dtype=dtype)
        results = {}
        for device in ("cpu", "cuda"):
            leaf = x.to(device).detach().requires_grad_()
            out = op.roi_align(leaf, boxes.to(device), size, spatial_scale=scale, sampling_ratio=ratio, aligned=aligned)
            (grad,) = torch.autograd.grad(out, leaf, upstream.to(device))
            results[device] = (out.detach().cpu(), grad.cpu())
        (a, p), (b, q) = results["cuda"], results["cpu"]
        same_nan = torch.equal(a.isnan(), b.isnan())
        difference = max(largest(a.nan_to_num(), b.nan_to_num()), largest(p, q)) if same_nan else float("inf")
        worst[dtype], calls = max(worst.get(dtype, 0.0), difference), calls + 1
    passed = worst[torch.float32] < 1e-4 and worst[torch.float64] < 1e-11
    report("roi_align: results and gradients of the CPU", passed, f"{calls} calls, largest differences {worst}")

    x = torch.randn(2, 3, 8, 8, device="cuda")
    bad = torch.tensor([[2.0, 0, 0, 4, 4], [-1.0, 0, 0, 4, 4], [1.0, 0, 0, 4, 4]], device="cuda")
    out = op.roi_align(x, bad, (2, 2))
    report("roi_align: a place that is not in the batch gives NaN", out[:2].isnan().all() and out[2].isfinite().all(), "")

    torch.use_deterministic_algorithms(True)
    try:
        refused = False
        leaf = x.detach().requires_grad_()
        op.roi_align(leaf, bad, (2, 2)).sum().backward()
    except RuntimeError as error:
        refused = "deterministic" in str(error)
    finally:
        torch.use_deterministic_algorithms(False)
    report("roi_align: deterministic algorithms refuse the gradient", refused, "")


def measure(op, report):
    try:
        from torchvision.ops import roi_align
    except ImportError:
        roi_align = None
    generator = torch.Generator().manual_seed(3)
    for h, w, scale in ((200, 272, 1 / 4), (25, 34, 1 / 32)):
        x = torch.randn(1, 256, h, w, device="cuda").requires_grad_()
        boxes = regions(512, 1, h, w, scale, generator, torch.float32).cuda()
        run = lambda: op.roi_align(x, boxes, (7, 7), spatial_scale=scale, sampling_ratio=2, aligned=True)
        peer = (lambda: roi_align(x, boxes, 7, scale, 2, True)) if roi_align else None
        for name, wrap in (("forward", lambda f: f), ("forward and backward", lambda f: lambda: torch.autograd.grad(f().sum(), x))):
            ours = 1e3 * seconds(wrap(run))
            theirs = 1e3 * seconds(wrap(peer)) if peer else float("nan")
            report(f"roi_align at {h}×{w}, {name}: time", peer is None or theirs >= ours, f"{ours:.2f} ms, torchvision {theirs:.2f} ms")
