"""TV-L1 flow on CUDA: numbers of the kernel's specification, 7 equivalence, 8 temporal blocking, 10 batches,
15 determinism and speed."""

import math

import torch

from support import largest, same_bits, seconds

OPENCV24 = dict(pyramid="binomial", scale_factor=0.5, outer_iterations=1, inner_iterations=300, median_filter=False)
IPOL = dict(OPENCV24, pyramid="gaussian", scales=100, gradient_floor=1e-10, stretch_input=True, presmoothing_sigma=0.8)
PRESETS = {"opencv-cpu": {}, "opencv24-cuda": OPENCV24, "ipol": IPOL, "illumination": dict(gamma=0.05),
           "zero border": dict(zero_border=True, bicubic_a=-0.75, scales=1)}


def texture(height, width, shift, seed, sigma=2.0, waves=150):
    """A smooth random texture moved by `shift` = (u, v), float32 in 0–1."""
    generator = torch.Generator().manual_seed(seed)
    spread = 1 / (2 * math.sqrt(2) * math.pi * sigma)
    fx, fy, phase = torch.randn(3, waves, generator=generator, dtype=torch.float64)
    y, x = torch.meshgrid(torch.arange(height) - shift[1], torch.arange(width) - shift[0], indexing="ij")
    total = torch.zeros(height, width, dtype=torch.float64)
    for a, b, c in zip(fx * spread, fy * spread, 10 * phase):
        total += torch.cos(2 * math.pi * (a * x + b * y) + c)
    return ((127 + 45 * total / math.sqrt(waves / 2)) / 255).float()


def pairs(height, width, shifts, seed=1):
    first = torch.stack([texture(height, width, (0, 0), seed + i) for i in range(len(shifts))])
    second = torch.stack([texture(height, width, shift, seed + i) for i, shift in enumerate(shifts)])
    return first, second


def check_steps(op, report):
    generator = torch.Generator().manual_seed(3)
    random = lambda *shape: torch.randn(*shape, generator=generator)
    for height, width in ((3, 3), (17, 33), (64, 64), (70, 131), (129, 257)):
        size = f"{height} x {width}"
        image, other, flow = random(2, height, width) * 40, random(2, height, width) * 40, random(2, 2, height, width) * 3
        cases = {
            "gradient": lambda d: torch.stack(op._tvl1_gradient(image.to(d))),
            "divergence": lambda d: op._tvl1_divergence(image.to(d), other.to(d)),
            "threshold": lambda d: op._tvl1_threshold(image.to(d), other.to(d) / 9, image.to(d) / 7),
            "median": lambda d: op._median_filter_5x5(image.to(d)),
            "warp": lambda d: op._tvl1_warp(image.to(d), other.to(d), flow.to(d)),
            "level, bilinear": lambda d: op._tvl1_pyramid_level(image.to(d)),
            "level, binomial": lambda d: op._tvl1_pyramid_level(image.to(d), pyramid="binomial", scale_factor=0.5),
            "level, gaussian": lambda d: op._tvl1_pyramid_level(image.to(d), pyramid="gaussian", scale_factor=0.5),
            "enlarge": lambda d: op._tvl1_upsample(image.to(d), height + 9, width + 7, factor=1.25),
        }
        worst = {name: largest(run("cuda"), run("cpu")) for name, run in cases.items()}
        report(f"7 steps, {size}", max(worst.values()) < 1e-4, f"largest difference {max(worst.values()):.1e}")
        for gamma in (0.0, 0.1):
            unknowns = 2 if gamma == 0 else 3
            state, data = random(2, 3 * unknowns, height, width) * 0.3, random(2, 3, height, width) * 8
            run = lambda d, count, k: op._tvl1_iterate(state.to(d), data.to(d), count, gamma=gamma, block_size=k)
            one = largest(run("cuda", 1, 1)[0], run("cpu", 1, 1)[0])
            report(f"7 one inner iteration, {size}, gamma {gamma}", one < 1e-5, f"largest difference {one:.1e}")
            plain = run("cuda", 13, 1)[0]
            equal = [k for k in range(2, 9) if same_bits(run("cuda", 13, k)[0], plain)]
            report(f"8 13 iterations in blocks, {size}, gamma {gamma}", len(equal) == 7, f"bitwise equal for k in {equal}")


def check_solves(op, report):
    first, second = pairs(97, 131, [(1.3, -0.8), (-2.1, 1.4), (0, 0), (0.2, 0.1)])
    on = lambda d, **options: op.tvl1_flow(first.to(d), second.to(d), **options)
    for name, options in PRESETS.items():
        fixed = dict(options, epsilon=0.0, outer_iterations=2, inner_iterations=15, block_size=1)
        (cuda, made, _), (cpu, expected, _) = on("cuda", **fixed), on("cpu", **fixed)
        difference = largest(cuda, cpu)
        report(f"7 full solve, {name}", difference < 1e-3 and torch.equal(made.cpu(), expected), f"{difference:.1e} px")
        blocked = all(same_bits(on("cuda", **dict(fixed, block_size=k))[0], cuda) for k in (2, 3, 4, 7, 8))
        report(f"8 full solve in blocks, {name}", blocked, "bitwise equal" if blocked else "differs")
        flow, counts, _ = on("cuda", **options)
        alone = [op.tvl1_flow(first[i:i + 1].cuda(), second[i:i + 1].cuda(), **options) for i in range(len(first))]
        equal = all(same_bits(flow[i:i + 1], one[0]) and torch.equal(counts[i:i + 1], one[1]) for i, one in enumerate(alone))
        report(f"10 batch equals single calls, {name}", equal, f"iterations {[int(c.sum()) for c in counts]}")
        repeat = same_bits(on("cuda", **options)[0], flow)
        report(f"15 two runs, {name}", repeat, "bitwise equal" if repeat else "differ")
        error = (on("cuda", **dict(options, block_size=1))[0].cpu() - on("cpu", **dict(options, block_size=1))[0]).abs()
        report(f"7 with the usual stopping, {name}", error.median().item() < 1e-3, f"median {error.median().item():.1e} px")
    clip = torch.cat([first[:1], second[:1], first[1:2]])
    for options in ({}, IPOL):
        difference = largest(op.tvl1_flow_clip(clip.cuda(), direction="both", block_size=1, **options)[0],
                             op.tvl1_flow_clip(clip, direction="both", block_size=1, **options)[0])
        report("7 clip, both directions", difference < 0.05, f"{difference:.1e} px")
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        flow = on("cuda")[0]
    side.synchronize()
    report("7 another stream", same_bits(flow, on("cuda")[0]), "bitwise equal")


def check_graph(op, report):
    """A solve of bytes launches the same kernels whatever it finds, so that a graph of it serves other frames too."""
    def to_bytes(seed):
        return [(255 * f).round().clamp(0, 255).byte().cuda() for f in pairs(97, 131, [(1.3, -0.8), (0, 0), (-2.1, 1.4)], seed)]
    first, second = to_bytes(1)
    other = to_bytes(9)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        op.tvl1_flow(first, second)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        flow, counts, _ = op.tvl1_flow(first, second)
    for name, (a, b) in {"the frames it was made with": (first.clone(), second.clone()), "other frames": other}.items():
        first.copy_(a)
        second.copy_(b)
        graph.replay()
        torch.cuda.synchronize()
        expected, expected_counts, _ = op.tvl1_flow(a, b)
        equal = same_bits(flow, expected) and torch.equal(counts, expected_counts)
        report(f"15 graph of a solve, {name}", equal, "bitwise equal" if equal else "differs")


def check_flat(op, report):
    """Pixels below a high gradient floor, where the threshold has its third case."""
    generator = torch.Generator().manual_seed(5)
    state, data = torch.randn(2, 6, 70, 131, generator=generator) * 0.3, torch.randn(2, 3, 70, 131, generator=generator)
    run = lambda d: op._tvl1_iterate(state.to(d), data.to(d), 3, gradient_floor=1.0, block_size=1)[0]
    difference = largest(run("cuda"), run("cpu"))
    report("2 a high gradient floor", difference < 1e-5, f"largest difference {difference:.1e}")


def check(op, report):
    check_steps(op, report)
    check_flat(op, report)
    check_solves(op, report)
    check_graph(op, report)


def measure(op, report):
    """Pairs a second at 340 x 256, as the specification asks."""
    count = 64
    first, second = pairs(256, 340, [(2 * math.sin(i), 2 * math.cos(i)) for i in range(count)])

    def rate(a, b, runs, **options):
        return len(a) / seconds(lambda: op.tvl1_flow(a, b, **options), runs)

    threads = torch.get_num_threads()
    for name in ("opencv-cpu", "opencv24-cuda"):
        options = PRESETS[name]
        torch.set_num_threads(1)
        single = rate(first[:4], second[:4], 3, **options)
        torch.set_num_threads(threads)
        every = rate(first[:4 * threads], second[:4 * threads], 3, **options)
        a, b = first.cuda(), second.cuda()
        for block in (1, 2, 4, 8):
            cuda = rate(a, b, 15, block_size=block, **options)
            print(f"     15 pairs/s at 340 x 256, {name}: CPU 1 thread {single:.1f}, {threads} threads {every:.1f}, "
                  f"CUDA batch {count}, k = {block}: {cuda:.0f}", flush=True)
            if block == 4:
                report(f"15 CUDA is 20 times one CPU thread, {name}", cuda > 20 * single, f"{cuda / single:.0f} times")
