"""The box and the guided filter on CUDA: numbers of the kernel's specification, 5 adjoint, 6 gradients, 7 digits, 8 NaN,
10 equality with the CPU and two runs, 11 speed."""

import itertools

import torch
import torch.nn.functional as F

from support import copy_bandwidth, largest, relative, same_bits, seconds

MODES = (("gray", 1), ("per_channel", None), ("color", 3))
EDGES = ("clip", "reflect")
TOLERANCES = {torch.float64: 1e-12, torch.float32: 3e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
# Batch, channels, height, width, radius: more than a strip and a band, windows beyond the image, windows too wide for a
# block, one pixel.
SIZES = ((2, 2, 9, 8, 2), (1, 1, 150, 530, 5), (1, 2, 70, 300, 64), (1, 1, 90, 400, 70), (1, 2, 4, 3, 9), (1, 1, 20, 12, 700),
         (1, 3, 1, 1, 1))


def both(body, tensors):
    """Results on the CPU and on the GPU, as lists."""
    as_list = lambda result: [result] if isinstance(result, torch.Tensor) else list(result)
    return as_list(body(*tensors)), as_list(body(*(t.cuda() for t in tensors)))


def check(op, report):
    generator = torch.Generator().manual_seed(1)
    random = lambda *shape: torch.rand(*shape, generator=generator, dtype=torch.float64)
    eps = torch.tensor(0.02, dtype=torch.float64)

    for edge, (batch, channels, height, width, radius) in itertools.product(EDGES, SIZES):
        size = f"{batch} x {channels} x {height} x {width}, radius {radius}, {edge}"
        worst = {}

        def compare(name, dtype, body, tensors):
            cpu, cuda = both(body, tensors)
            again = both(body, tensors)[1]
            error = max(relative(b, a) if a.numel() else 0.0 for a, b in zip(cpu, cuda))
            # Gradients are sums of many terms.
            scale = 10 if "backward" in name else 1
            worst[name] = max(worst.get(name, 0.0), error / (scale * TOLERANCES[dtype]))
            if not all(same_bits(a, b) for a, b in zip(cuda, again)):
                worst[f"two runs of {name}"] = float("inf")

        for dtype in TOLERANCES:
            x = random(batch, channels, height, width).to(dtype)
            compare("box", dtype, lambda t: op.box_filter(t, radius, edge=edge), [x])
            compare("box backward", dtype, lambda t: op._box_filter_backward(t, radius, edge=edge), [x])
            for mode, guides in MODES:
                guide = random(batch, guides or channels, height, width).to(dtype)
                grad = (random(batch, channels, height, width) * 2 - 1).to(dtype)
                if dtype == torch.float32:
                    guide = guide.contiguous(memory_format=torch.channels_last)
                options = dict(mode=mode, edge=edge)
                compare("filter", dtype, lambda i, p: op.guided_filter(i, p, radius, eps, **options), [guide, x])
                compare("filter backward", dtype,
                        lambda g, i, p: [t.cpu() for t in op._guided_filter_backward(g, i, p, radius, eps, **options)],
                        [grad, guide, x])
                for average in (False, True):
                    coefficients = lambda i, p: op.guided_coefficients(i, p, radius, eps, average=average, **options)
                    compare("coefficients", dtype, coefficients, [guide, x])
                    grads = (random(*coefficients(guide, x).shape) * 2 - 1).to(dtype)
                    compare("coefficients backward", dtype,
                            lambda g, i, p: [t.cpu() for t in op._guided_coefficients_backward(
                                g, i, p, radius, eps, average=average, **options)], [grads, guide, x])
        wrong = {name: value for name, value in worst.items() if not value <= 1}
        report(f"guided_filter 10 {size}", not wrong, f"{max(worst.values()):.2f} of the tolerance, wrong: {wrong}")

    worst = 0.0
    for (mode, guides), align in itertools.product(MODES, (True, False)):
        for low, high in (((3, 5), (13, 18)), ((1, 1), (9, 7)), ((6, 7), (4, 3)), ((20, 130), (80, 517))):
            for dtype in TOLERANCES:
                guide, grad = random(2, guides or 2, *high).to(dtype), random(2, 2, *high).to(dtype)
                given = random(2, 2, (guides or 1) + 1, *low).to(dtype)
                options = dict(mode=mode, align_corners=align)
                for body, tensors in ((lambda c, g: op.guided_apply(c, g, **options), [given, guide]),
                                      (lambda r, c, g: op._guided_apply_backward(r, c, g, **options), [grad, given, guide])):
                    worst = max(worst, *(relative(b, a) / (4 * TOLERANCES[dtype]) for a, b in zip(*both(body, tensors))))
    report("guided_filter 10 coefficients at a finer grid", worst <= 1, f"{worst:.2f} of the tolerance")
    worst = 0.0
    for shape, factor in (((2, 2, 13, 10), 4), ((1, 1, 70, 133), 16), ((1, 3, 5, 4), 1), ((1, 1, 5, 4), 1000)):
        for dtype in TOLERANCES:
            cpu, cuda = both(lambda t: op.area_downsample(t, factor), [random(*shape).to(dtype)])
            back = both(lambda t: op._area_downsample_backward(t, shape[2], shape[3], factor), cpu)
            worst = max(worst, *(relative(b, a) / TOLERANCES[dtype] for a, b in ((cpu[0], cuda[0]), (back[0][0], back[1][0]))))
    report("guided_filter 10 cell means", worst <= 1, f"{worst:.2f} of the tolerance")

    worst = 0.0
    for edge, radius, (height, width) in itertools.product(EDGES, (0, 1, 2, 5, 17, 64, 65, 700), ((1, 1), (7, 300), (33, 18))):
        x, y = random(height, width).cuda(), random(height, width).cuda()
        left = (op.box_filter(x, radius, edge=edge) * y).sum()
        worst = max(worst, abs((left - (op._box_filter_backward(y, radius, edge=edge) * x).sum()).item()) / (height * width))
    report("guided_filter 5 adjoint", worst <= 1e-12, f"{worst:.1e} a pixel")

    passed = True
    for mode, guides in MODES:
        inputs = [random(1, guides or 2, 9, 8).cuda().requires_grad_(), random(1, 2, 9, 8).cuda().requires_grad_(),
                  torch.tensor(0.05, dtype=torch.float64, device="cuda", requires_grad=True)]
        passed &= torch.autograd.gradcheck(lambda i, p, e: op.guided_filter(i, p, 2, e, mode=mode), inputs, atol=1e-8,
                                           raise_exception=False)
    report("guided_filter 6 gradients against differences", passed, "gray, per channel, colour")

    x = torch.rand(1, 1, 2160, 3840, generator=generator)
    error = largest(op.box_filter(x.cuda(), 8), op.box_filter(x.double(), 8))
    report("guided_filter 7 mean of 4K", error <= 1e-6, f"{error:.1e}")
    flat = torch.randn(1, 1, 200, 600, generator=generator) * 1e-4 + 0.9
    small = torch.tensor(1e-8, dtype=torch.float64)
    variance = lambda a: a.double() * 1e-8 / (1 - a.double())
    exact = variance(op.guided_coefficients(flat.double(), flat.double(), 8, small)[0, 0, 0])
    found = variance(op.guided_coefficients(flat.cuda(), flat.cuda(), 8, small)[0, 0, 0].cpu())
    error = (found / exact - 1).abs().max().item()
    report("guided_filter 7 variance of a flat patch", error <= 0.01, f"{error:.1e} of it")
    base = torch.rand(1, 1, 90, 110, generator=generator)
    guide = torch.cat([base + torch.randn(1, 1, 90, 110, generator=generator) * 1e-3 for _ in range(3)], 1)
    image = base**2 + torch.randn(1, 1, 90, 110, generator=generator) * 0.01
    slopes = lambda i, p: op.guided_coefficients(i, p, 8, eps * 0.005, mode="color")[:, :, :3].cpu().double()
    exact, found = slopes(guide.double(), image.double()), slopes(guide.cuda(), image.cuda())
    error = ((found - exact).norm(dim=2) / exact.norm(dim=2)).flatten().quantile(0.999).item()
    report("guided_filter 7 three nearly equal guides", error <= 1e-3, f"99.9 % of a within {error:.1e}")

    image = torch.rand(1, 1, 400, 900, generator=generator)
    image[0, 0, 200, 400] = float("nan")
    spoilt = op.guided_filter(image.cuda(), image.cuda(), 3, eps)[0, 0].isnan().cpu()
    outside = spoilt[:126].any() | spoilt[322:].any() | spoilt[:, :244].any() | spoilt[:, 756:].any()
    report("guided_filter 8 NaN", bool(spoilt[200, 400]) and not outside, "within its bands and strips")
    bad = op.guided_filter(image.cuda(), image.cuda(), 3, torch.tensor(-1.0, device="cuda"))
    report("guided_filter 8 an eps on the device that is no eps", bool(bad.isnan().all()), "gives NaN, not numbers")


def composed(guide, image, radius, eps):
    """What one writes without a kernel."""
    mean = lambda x: F.avg_pool2d(x, 2 * radius + 1, 1, radius, count_include_pad=False)
    mu, pi = mean(guide), mean(image)
    a = (mean(guide * image) - mu * pi) / (mean(guide * guide) - mu * mu + eps)
    return mean(a) * guide + mean(pi - a * mu)


def measure(op, report):
    bandwidth = copy_bandwidth()
    eps = torch.tensor(0.01, dtype=torch.float64)
    times = {}
    # Bytes a pixel that two passes cannot do without.
    for name, guides, mode, needed in (("gray", 1, "gray", 32), ("color", 3, "color", 64)):
        for (height, width), radius in itertools.product(((1080, 1920), (2160, 3840)), (2, 8, 32)):
            guide, image = torch.rand(1, guides, height, width, device="cuda"), torch.rand(1, 1, height, width, device="cuda")
            taken = times[name, height, radius] = seconds(lambda: op.guided_filter(guide, image, radius, eps, mode=mode))
            share = needed * height * width / taken / bandwidth
            back = seconds(lambda: op._guided_filter_backward(image, guide, image, radius, eps, mode=mode))
            print(f"     guided_filter 11 {name}, {width} x {height}, r = {radius}: {1e6 * taken:.0f} µs, {share:.0%} of what a "
                  f"copy moves; backward {1e6 * back:.0f} µs", flush=True)
            if height == 2160 and radius == 8:
                report(f"guided_filter 11 {name} at 4K moves 60 % of what a copy does", share >= 0.6, f"{share:.0%}")
        ratio = times[name, 2160, 32] / times[name, 2160, 2]
        report(f"guided_filter 11 {name}: radius 32 takes at most 1.3 times radius 2", ratio <= 1.3, f"{ratio:.2f}")
    guide, image = torch.rand(1, 1, 1080, 1920, device="cuda"), torch.rand(1, 1, 1080, 1920, device="cuda")
    theirs = seconds(lambda: composed(guide, image, 8, 0.01))
    ratio = theirs / times["gray", 1080, 8]
    report("guided_filter 11 against avg_pool2d", ratio >= 5, f"{ratio:.1f} times faster")
