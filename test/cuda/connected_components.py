"""Connected components, statistics of labels and the watershed on CUDA: equal to the CPU's, bit for bit."""

import torch

from support import copy_bandwidth, seconds


def speckle(shape, values, density, generator):
    picked = torch.rand(shape, generator=generator) < density
    return picked * torch.randint(1, values + 1, shape, generator=generator)


def smooth(shape, generator):
    """Random blobs: means of noise over windows."""
    noise = torch.randn(shape, generator=generator)
    for axis in range(-2, 0):
        for _ in range(3):
            noise = (noise + noise.roll(1, axis) + noise.roll(2, axis)) / 3
    return noise


def check(op, report):
    generator = torch.Generator().manual_seed(1)
    wrong, cases = [], 0
    shapes = {
        4: [(1, 1), (1, 33), (70, 31), (3, 64, 97), (2, 2, 130, 129)],
        6: [(1, 1, 1), (5, 17, 33), (3, 9, 40, 31), (2, 3, 64, 64)],
    }
    for connectivity in (4, 8, 6, 18, 26):
        for shape in shapes[4 if connectivity in (4, 8) else 6]:
            for dtype in (torch.bool, torch.uint8, torch.int16, torch.int32, torch.int64):
                for density in (0.0, 0.3, 0.6, 1.0):
                    x = speckle(shape, 1 if dtype == torch.bool else 2, density, generator).to(dtype)
                    expected = op.connected_components(x, connectivity=connectivity)
                    actual = op.connected_components(x.cuda(), connectivity=connectivity)
                    cases += 1
                    if not all(torch.equal(a.cpu(), b) and a.dtype == b.dtype for a, b in zip(actual, expected)):
                        wrong.append((connectivity, shape, dtype, density))
                        continue
                    dims = 2 if connectivity in (4, 8) else 3
                    count = int(expected[1].max())
                    statistics = op.label_statistics(actual[0], count, dims=dims)
                    for a, b in zip(statistics, op.label_statistics(expected[0], count, dims=dims)):
                        if not torch.equal(a.cpu().nan_to_num(-1), b.nan_to_num(-1)):
                            wrong.append(("statistics", connectivity, shape, dtype, density))
    report("connected_components equals the CPU's", not wrong, f"{cases} cases, wrong: {wrong[:4]}")

    # Long paths: a spiral and a comb join late.
    comb = torch.ones(511, 1023, dtype=torch.uint8)
    comb[:-1, 1::2] = 0
    both = [op.connected_components(x, connectivity=4) for x in (comb, comb.cuda())]
    report("a comb is one component", torch.equal(both[0][0], both[1][0].cpu()) and int(both[1][1]) == 1, f"{both[1][1]}")
    x = (smooth((2048, 2048), generator) > 0).to(torch.uint8)
    first = op.connected_components(x.cuda())[0]
    same = all(torch.equal(op.connected_components(x.cuda())[0], first) for _ in range(5))
    report("connected_components repeats", same and torch.equal(first.cpu(), op.connected_components(x)[0]), "6 runs")
    empty = op.connected_components(torch.zeros(2, 0, 5, dtype=torch.uint8, device="cuda"))
    report("connected_components of nothing", empty[1].tolist() == [0, 0], f"{empty[1].tolist()}")
    try:
        op.label_statistics(first, 1)
        refused = False
    except (ValueError, RuntimeError) as error:
        refused = "not in 0 to 1" in str(error)
    report("label_statistics refuses labels out of range", refused, "")

    levels = torch.rand(40, 50, generator=generator)
    markers = (torch.rand(40, 50, generator=generator) < 0.01).int().cumsum(1).int()
    mask = levels < 0.9
    expected = op.watershed(levels, markers, mask)
    actual = op.watershed(levels.cuda(), markers.cuda(), mask.cuda())
    report("watershed on CUDA is the CPU's", actual.is_cuda and torch.equal(actual.cpu(), expected), "")


def measure(op, report):
    generator = torch.Generator().manual_seed(2)
    floor = copy_bandwidth()
    for name, x in (
        ("blobs 4096²", (smooth((4096, 4096), generator) > 0).to(torch.uint8)),
        ("noise 4096²", (torch.rand(4096, 4096, generator=generator) < 0.5).to(torch.uint8)),
        ("blobs 128 x 512²", (smooth((128, 512, 512), generator) > 0).to(torch.uint8)),
    ):
        x = x.cuda()
        connectivity = 8 if x.dim() == 2 else 26
        time = seconds(lambda: op.connected_components(x, connectivity=connectivity))
        # Read once and written once.
        share = 5 * x.numel() / time / floor
        report(f"connected_components, {name}", True, f"{1000 * time:.2f} ms, {100 * share:.0f} % of the bandwidth of a copy")
