"""Searches among points on CUDA beside the CPU: neighbours, gradients, furthest points, balls, Chamfer distances."""

import torch

from support import largest, same_bits, seconds

SHAPES = ((1, 1, 1, 3, 1), (2, 33, 70, 3, 8), (3, 129, 1000, 2, 16), (2, 5, 2100, 3, 33), (1, 300, 257, 7, 100),
          (2, 17, 90, 40, 90), (1, 3, 40, 5000, 4))


def grid(shape, generator):
    """Points on a grid: distances are whole numbers, and many are equal."""
    return torch.randint(-4, 5, shape, generator=generator).float()


def check(op, report):
    generator = torch.Generator().manual_seed(1)
    random = lambda *shape: torch.randn(*shape, generator=generator)
    for batch, queries, references, dims, k in SHAPES:
        name = f"{batch} x {queries} to {references}, D {dims}, k {k}"
        query, reference = grid((batch, queries, dims), generator), grid((batch, references, dims), generator)
        wrong = []
        for dtype in (torch.float32, torch.float64, torch.float16):
            q, r = query.to(dtype), reference.to(dtype)
            cpu, cuda = op.knn(q, r, k), op.knn(q.cuda(), r.cuda(), k)
            if not (same_bits(cuda[0].cpu(), cpu[0]) and torch.equal(cuda[1].cpu(), cpu[1])):
                wrong.append(dtype)
        report(f"knn on a grid, {name}", not wrong, f"differs for {wrong}" if wrong else "the CPU's bits")
        q, r = random(batch, queries, dims), random(batch, references, dims)
        distances, indices = op.knn(q.cuda(), r.cuda(), k)
        difference = largest(distances, op.knn(q, r, k)[0])
        report(f"knn anywhere, {name}", difference <= 1e-5 * dims, f"{difference:.1e}")
        grad = random(batch, queries, k)
        # Indices of one device, so that near ties do not matter.
        cpu = op._knn_backward(grad, q, r, indices.cpu(), True, True)
        cuda = op._knn_backward(grad.cuda(), q.cuda(), r.cuda(), indices, True, True)
        again = op._knn_backward(grad.cuda(), q.cuda(), r.cuda(), indices, True, True)
        difference = max(largest(a, b) for a, b in zip(cuda, cpu))
        repeat = all(same_bits(a, b) for a, b in zip(cuda, again))
        report(f"knn backward, {name}", difference < 2e-3 and repeat, f"{difference:.1e}, repeats: {repeat}")

    query, reference = random(2, 6, 3), random(2, 50, 3)
    reference[0, 3], reference[1, 7, 0], query[1, 2] = float("nan"), float("inf"), float("nan")
    lengths = dict(query_lengths=torch.tensor([6, 4]), reference_lengths=torch.tensor([50, 9]))
    cpu = op.knn(query, reference, 40, **lengths)
    cuda = op.knn(query.cuda(), reference.cuda(), 40, **{name: value.cuda() for name, value in lengths.items()})
    same = torch.equal(cuda[1].cpu(), cpu[1]) and torch.equal(cuda[0].cpu().nan_to_num(-1), cpu[0].nan_to_num(-1))
    report("knn with lengths, NaN and infinity", same, "equal" if same else "differs")

    for batch, count, dims, samples in ((1, 1, 3, 1), (3, 700, 3, 300), (2, 40, 19, 40), (5, 3000, 2, 64)):
        for dtype in (torch.float32, torch.float64):
            points = grid((batch, count, dims), generator).to(dtype)
            points[0, count // 2] = float("nan")
            start = torch.randint(0, count, (batch,), generator=generator)
            equal = torch.equal(op.furthest_point_sample(points.cuda(), samples, start=start.cuda()).cpu(),
                                op.furthest_point_sample(points, samples, start=start))
            report(f"furthest points, {samples} of {batch} x {count}, D {dims}, {dtype}", equal,
                   "equal" if equal else "differ")
    points, lengths = random(3, 50, 3), torch.tensor([50, 7, 0])
    equal = torch.equal(op.furthest_point_sample(points.cuda(), 20, lengths=lengths.cuda()).cpu(),
                        op.furthest_point_sample(points, 20, lengths=lengths))
    report("furthest points with lengths", equal, "equal" if equal else "differ")

    for batch, rows, count, dims, radius, samples in ((2, 70, 333, 3, 2.5, 16), (1, 9, 1, 3, 1.0, 4),
                                                      (2, 31, 100, 12, 9.0, 200), (1, 3, 0, 3, 1.0, 2)):
        centers, points = grid((batch, rows, dims), generator), grid((batch, count, dims), generator)
        cpu, cuda = op.ball_query(centers, points, radius, samples), op.ball_query(centers.cuda(), points.cuda(), radius, samples)
        equal = all(torch.equal(a.cpu(), b) for a, b in zip(cuda, cpu))
        report(f"ball query, {batch} x {rows} in {count}, D {dims}", equal, "equal" if equal else "differs")

    for squared in (True, False):
        first, second = random(2, 300, 3), random(2, 170, 3)
        lengths = dict(first_lengths=torch.tensor([300, 11]), second_lengths=torch.tensor([170, 99]), squared=squared)
        results = []
        for device in ("cpu", "cuda"):
            a, b = (t.to(device).requires_grad_() for t in (first, second))
            there, back, *_ = op.chamfer_distance(
                a, b, **{n: v.to(device) if isinstance(v, torch.Tensor) else v for n, v in lengths.items()})
            (there.sum() + 2 * back.sum()).backward()
            results.append((there.detach(), back.detach(), a.grad, b.grad))
        difference = max(largest(cuda, cpu) for cpu, cuda in zip(*results))
        report(f"Chamfer distance and gradients, squared: {squared}", difference < 1e-4, f"{difference:.1e}")


def measure(op, report):
    for batch, queries, references, dims, k in ((8, 4096, 4096, 3, 16), (1, 20000, 20000, 3, 1), (1, 4096, 4096, 128, 16)):
        query, reference = torch.randn(batch, queries, dims, device="cuda"), torch.randn(batch, references, dims, device="cuda")
        ours = seconds(lambda: op.knn(query, reference, k))
        theirs = seconds(lambda: torch.cdist(query, reference).topk(k, largest=False))
        rate = batch * queries * references * 3 * dims / ours / 1e12
        report(f"knn {batch} x {queries} to {references}, D {dims}, k {k}", True,
               f"{1e3 * ours:.3f} ms, {rate:.2f} Tflop/s; cdist and topk {1e3 * theirs:.3f} ms, {theirs / ours:.1f}x")
    points = torch.rand(16, 16384, 3, device="cuda")
    ours = seconds(lambda: op.furthest_point_sample(points, 1024), 5)
    report("furthest points, 1024 of 16 x 16384", True, f"{1e3 * ours:.3f} ms, {1e6 * ours / 1024:.2f} us a step")
    ours = seconds(lambda: op.ball_query(points[:, :1024], points, 0.1, 32))
    report("ball query, 16 x 1024 in 16384", True, f"{1e3 * ours:.3f} ms")
