"""Exact searches among rows on CUDA beside the CPU."""

import torch

from support import copy_bandwidth, largest, same_bits, seconds

SHAPES = ((1, 1, 1, 1), (1, 5000, 33, 10), (70, 3000, 64, 100), (5, 900, 512, 300), (3, 4000, 20, 2500), (130, 65, 7, 65))


def agree(scores, cpu_scores, indices, cpu_indices, tolerance):
    """Scores are close, and places differ only where neighbours in the order are that close."""
    difference = largest(scores, cpu_scores)
    moved = (indices.cpu() != cpu_indices).float().mean().item()
    return difference <= tolerance and moved <= 0.02, f"{difference:.1e}, {100 * moved:.2f} % of places moved"


def check(op, report):
    generator = torch.Generator().manual_seed(1)
    for queries, rows, dims, k in SHAPES:
        name = f"{queries} in {rows} x {dims}, k {k}"
        q, base = torch.randn(queries, dims, generator=generator), torch.randn(rows, dims, generator=generator)
        for dtype, tolerance in ((torch.float32, 2e-6), (torch.float64, 1e-13), (torch.float16, 1e-3)):
            a, b = q.to(dtype), base.to(dtype)
            cpu, cuda = op.topk_cosine(a, b, k), op.topk_cosine(a.cuda(), b.cuda(), k)
            report(f"cosine, {name}, {dtype}", *agree(cuda[0], cpu[0], cuda[1], cpu[1], tolerance))
        norms = base.norm(dim=1)
        cpu, cuda = op.topk_cosine(q, base, k, base_norms=norms), op.topk_cosine(q.cuda(), base.cuda(), k, base_norms=norms.cuda())
        report(f"cosine with norms, {name}", *agree(cuda[0], cpu[0], cuda[1], cpu[1], 2e-6))

        codes, scales = op.quantize_rows(base)
        cuda_codes, cuda_scales = op.quantize_rows(base.cuda())
        same = torch.equal(cuda_codes.cpu(), codes) and same_bits(cuda_scales.cpu(), scales)
        report(f"codes, {name}", same, "the CPU's bits" if same else "differ")
        asked = op.quantize_rows(q)[0]
        cpu, cuda = op.topk_cosine(asked, codes, k), op.topk_cosine(asked.cuda(), codes.cuda(), k)
        report(f"cosine of codes, {name}", *agree(cuda[0], cpu[0], cuda[1], cpu[1], 1e-6))

        words = op.pack_bits(base)
        same = torch.equal(op.pack_bits(base.cuda()).cpu(), words)
        asked = op.pack_bits(q)
        cpu, cuda = op.topk_hamming(asked, words, k), op.topk_hamming(asked.cuda(), words.cuda(), k)
        same = same and torch.equal(cuda[0].cpu(), cpu[0]) and torch.equal(cuda[1].cpu(), cpu[1])
        report(f"bits, {name}", same, "equal" if same else "differ")

    base = torch.randn(50, 24, generator=generator).repeat(400, 1)
    indices = op.topk_cosine(base[:3].cuda(), base.cuda(), 400)[1].cpu()
    expected = torch.stack([torch.arange(i, 20000, 50) for i in range(3)])
    report("of equal rows the lower first", torch.equal(indices, expected), "in order")
    base[7], base[9] = 0, float("nan")
    cpu, cuda = op.topk_cosine(base[:3], base[:60], 60), op.topk_cosine(base[:3].cuda(), base[:60].cuda(), 60)
    same = bool((cuda[1][:, -1] == 9).all()) and largest(cuda[0].nan_to_num(2), cpu[0].nan_to_num(2)) < 2e-6
    report("a row of length 0, a row of NaN", same, "0, and last" if same else "differs")


def measure(op, report):
    floor = copy_bandwidth() / 2
    base = torch.nn.functional.normalize(torch.randn(1_000_000, 512, device="cuda"))
    norms = base.norm(dim=1)
    for queries in (1, 64, 1024):
        q = torch.nn.functional.normalize(torch.randn(queries, 512, device="cuda"))
        ours = seconds(lambda: op.topk_cosine(q, base, 100, base_norms=norms), 5)
        theirs = seconds(lambda: (q @ base.T).topk(100), 5)
        report(f"cosine, {queries} in 1M x 512, k 100", True,
               f"{1e3 * ours:.2f} ms, {base.nbytes / ours / floor:.0%} of the bandwidth to read the base once; "
               f"product and topk {1e3 * theirs:.2f} ms, {theirs / ours:.2f}x")
    codes, words = op.quantize_rows(base)[0], op.pack_bits(base)
    ours = seconds(lambda: op.topk_cosine(codes[:64], codes, 100), 5)
    report("cosine of codes, 64 in 1M x 512", True, f"{1e3 * ours:.2f} ms")
    ours = seconds(lambda: op.topk_hamming(words[:64], words, 100), 5)
    report("bits, 64 in 1M x 512", True, f"{1e3 * ours:.2f} ms")
