"""Capsule routing on CUDA: numbers of the kernel's specification, 1 squash, 5 gradients, 7 equality, 9 memory and speed."""

import itertools

import torch

from support import largest, relative, same_bits, seconds


def routing(votes, bias, iterations=3, kappa=0.5):
    """The composition that one would write, in the dtype of the votes."""
    batch, inputs, outputs, dims, height, width = votes.shape
    logits = votes.new_zeros(batch, inputs, outputs, height, width)
    for t in range(iterations):
        shares = logits.flatten(2).softmax(-1).reshape(logits.shape).unsqueeze(3)
        sums = (shares * votes).sum(1)
        if bias is not None:
            sums = sums + bias.reshape(1, outputs, dims, 1, 1)
        squared = sums.square().sum(2, keepdim=True)
        out = sums * squared.sqrt() / (squared + kappa)
        if t + 1 < iterations:
            logits = logits + (out.unsqueeze(1) * votes).sum(3)
    return out


def dense(x, weight, bias=None, iterations=3, kappa=1.0):
    votes = torch.einsum("ijmn,bin->bijm", weight, x)
    logits = votes.new_zeros(votes.shape[:3])
    for t in range(iterations):
        sums = (logits.softmax(2).unsqueeze(-1) * votes).sum(1)
        if bias is not None:
            sums = sums + bias
        squared = sums.square().sum(-1, keepdim=True)
        out = sums * squared.sqrt() / (kappa + squared)
        if t + 1 < iterations:
            logits = logits + (out.unsqueeze(1) * votes).sum(-1)
    return out


def gradients(operator, inputs, upstream):
    leaves = [t.detach().clone().requires_grad_() for t in inputs]
    out = operator(*leaves)
    return [out.detach(), *torch.autograd.grad(out, leaves, upstream.to(out))]


def compare(operator, reference, inputs, dtype):
    """Largest relative differences from the reference in float64 and from the CPU, and whether a second run is the same."""
    rounded = [t.to(dtype) for t in inputs]
    upstream = torch.ones_like(reference(*[t.double() for t in rounded]))
    upstream = upstream * torch.linspace(-1, 1, upstream.numel(), dtype=torch.float64).reshape(upstream.shape)
    expected = gradients(reference, [t.double() for t in rounded], upstream)
    cuda = [gradients(operator, [t.cuda() for t in rounded], upstream.cuda()) for _ in range(2)]
    cpu = gradients(operator, rounded, upstream)
    same = all(same_bits(a, b) for a, b in zip(*cuda))
    far = max(relative(a, b) if b.numel() else 0.0 for a, b in zip(cuda[0], expected))
    return far, max(relative(a, b) if b.numel() else 0.0 for a, b in zip(cuda[0], cpu)), same


TOLERANCES = {torch.float64: 1e-10, torch.float32: 2e-5, torch.float16: 1e-2, torch.bfloat16: 8e-2}


def check(op, report):
    generator = torch.Generator().manual_seed(1)

    def random(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    value = torch.tensor([3.0, 4.0], dtype=torch.float64, device="cuda", requires_grad=True)
    for kappa, expected, column in ((1.0, (0.576923, 0.769231), (0.128402, -0.085207)),
                                    (0.5, (0.588235, 0.784314), (0.128258, -0.090427))):
        out = op.squash(value, kappa=kappa)
        (slope,) = torch.autograd.grad(out, value, torch.tensor([1.0, 0.0], dtype=torch.float64, device="cuda"))
        worst = max(largest(out.detach(), torch.tensor(expected)), largest(slope, torch.tensor(column)))
        report(f"capsules 1 squash, kappa {kappa}", worst < 1e-6, f"{worst:.1e}")
    worst = 0.0
    for dim in (0, 1, 2):
        x = random(3, 17, 5)
        worst = max(worst, largest(op.squash(x.cuda(), kappa=0.5, dim=dim), op.squash(x, kappa=0.5, dim=dim)))
    report("capsules squash along each dimension", worst < 1e-14, f"{worst:.1e}")

    shapes = ((2, 3, 2, 4, 3, 3), (1, 1, 2, 1, 2, 3), (1, 5, 2, 3, 11, 13), (2, 8, 3, 16, 9, 17), (1, 40, 2, 33, 5, 8),
              (1, 2, 3, 5, 1, 1))
    for dtype, iterations, detach in itertools.product(TOLERANCES, (1, 3, 5), (False, True)):
        if detach and dtype != torch.float64:
            continue
        far, apart, same = 0.0, 0.0, True
        for shape in shapes:
            inputs = [random(*shape), random(shape[2], shape[3]) * 0.3]

            def ours(votes, bias):
                return op.capsule_routing(votes, bias, iterations=iterations, detach=detach)[0]

            def theirs(votes, bias):
                return routing(votes, bias, iterations)

            each = compare(ours, ours if detach else theirs, inputs, dtype)
            far, apart, same = max(far, each[0]), max(apart, each[1]), same and each[2]
        report(f"capsules 5, 7 routing {dtype}, {iterations} iterations{', detached' if detach else ''}",
               max(far, apart) < TOLERANCES[dtype] and same, f"from the reference {far:.1e}, from the CPU {apart:.1e}, "
               f"{'the same again' if same else 'another result the second time'}")

    votes, bias = random(2, 3, 2, 4, 5, 7), random(2, 4)
    shares = [op.capsule_routing(v, b, return_couplings=True)[1]
              for v, b in ((votes, bias), (votes.cuda(), bias.cuda()),
                           (votes.transpose(0, 5).contiguous().transpose(0, 5).cuda(), bias.cuda()))]
    worst = max(largest(shares[1], shares[0]), largest(shares[2], shares[0]))
    report("capsules 3 couplings, strided votes", worst < 1e-12, f"{worst:.1e}")

    sizes = ((2, 5, 3, 4, 6), (33, 70, 2, 16, 16), (3, 9, 10, 5, 7), (1, 3, 1, 1, 1), (40, 1, 4, 3, 40))
    for dtype, iterations, detach in itertools.product(TOLERANCES, (1, 3, 4), (False, True)):
        if detach and dtype != torch.float64:
            continue
        far, apart, same = 0.0, 0.0, True
        for samples, inputs, outputs, dims, width in sizes:
            given = [random(samples, inputs, width), random(inputs, outputs, dims, width) * 0.4, random(outputs, dims)]

            def ours(x, weight, bias):
                return op.capsule_routing_dense(x, weight, bias, iterations=iterations, detach=detach)

            def theirs(x, weight, bias):
                return dense(x, weight, bias, iterations)

            each = compare(ours, ours if detach else theirs, given, dtype)
            far, apart, same = max(far, each[0]), max(apart, each[1]), same and each[2]
        report(f"capsules 5, 7 dense {dtype}, {iterations} iterations{', detached' if detach else ''}",
               max(far, apart) < TOLERANCES[dtype] and same, f"from the reference {far:.1e}, from the CPU {apart:.1e}, "
               f"{'the same again' if same else 'another result the second time'}")

    empty = [op.capsule_routing(torch.zeros(shape, device="cuda"))[0].shape for shape in ((0, 2, 2, 3, 2, 2), (1, 2, 2, 3, 0, 2))]
    report("capsules of nothing", [list(s) for s in empty] == [[0, 2, 3, 2, 2], [1, 2, 3, 0, 2]], f"{empty}")


def extra_bytes(body):
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    kept = body()
    torch.cuda.synchronize()
    used = torch.cuda.max_memory_allocated() - before
    del kept
    return used


def measure(op, report):
    """Times beside compositions, as parts of what memory allows, and the memory of a forward pass."""
    blob = torch.empty(256 << 20, device="cuda")
    copy = seconds(lambda: blob.sum())
    bandwidth = blob.numel() * 4 / copy
    for batch, side, types, outputs, dims in ((1, 64, 8, 8, 16), (32, 64, 8, 8, 16), (32, 16, 8, 8, 16), (128, 6, 32, 10, 16)):
        votes = torch.randn(batch, types, outputs, dims, side, side, device="cuda")
        bias = torch.full((outputs, dims), 0.1, device="cuda")
        with torch.no_grad():
            ours = seconds(lambda: op.capsule_routing(votes, bias))
            theirs = seconds(lambda: routing(votes, bias))
            used = extra_bytes(lambda: op.capsule_routing(votes, bias))
        share = 3 * votes.numel() * 4 / bandwidth / ours
        name = f"({batch}, {side}, {side}, {outputs}, {types}, {dims})"
        report(f"capsules 9 routing {name}", used < votes.numel() * 4 / 2,
               f"{1000 * ours:.3f} ms, composition {1000 * theirs:.3f} ms, {theirs / ours:.1f} times, {100 * share:.0f} % of the "
               f"bandwidth of a sum, {used >> 20} MiB beside votes of {votes.numel() * 4 >> 20} MiB")
        leaves = [votes.requires_grad_(), bias.requires_grad_()]
        upstream = torch.ones(batch, outputs, dims, side, side, device="cuda")
        ours = seconds(lambda: torch.autograd.grad(op.capsule_routing(*leaves)[0], leaves, upstream))
        theirs = seconds(lambda: torch.autograd.grad(routing(*leaves), leaves, upstream))
        report(f"capsules routing with gradients {name}", ours < theirs,
               f"{1000 * ours:.3f} ms, composition {1000 * theirs:.3f} ms, {theirs / ours:.1f} times")
        half = votes.detach().half()
        with torch.no_grad():
            halves = seconds(lambda: op.capsule_routing(half, bias.detach()))
        report(f"capsules float16 votes {name}", True, f"{1000 * halves:.3f} ms")
    for batch, inputs, outputs, width in ((32, 32768, 2, 16), (128, 1152, 10, 8)):
        x = torch.randn(batch, inputs, width, device="cuda")
        weight = torch.randn(inputs, outputs, 16, width, device="cuda") * 0.05
        with torch.no_grad():
            ours = seconds(lambda: op.capsule_routing_dense(x, weight))
            theirs = seconds(lambda: dense(x, weight))
            used = extra_bytes(lambda: op.capsule_routing_dense(x, weight))
        size = batch * inputs * outputs * 16 * 4
        name = f"({batch}, {inputs}, {outputs}, {width} to 16)"
        report(f"capsules 9 dense {name}", used < size / 4,
               f"{1000 * ours:.3f} ms, composition {1000 * theirs:.3f} ms, {theirs / ours:.1f} times, {used >> 20} MiB beside "
               f"votes of {size >> 20} MiB")
        leaves = [x.requires_grad_(), weight.requires_grad_()]
        upstream = torch.ones(batch, outputs, 16, device="cuda")
        ours = seconds(lambda: torch.autograd.grad(op.capsule_routing_dense(*leaves), leaves, upstream), 5)
        theirs = seconds(lambda: torch.autograd.grad(dense(*leaves), leaves, upstream), 5)
        report(f"capsules dense with gradients {name}", ours < theirs,
               f"{1000 * ours:.3f} ms, composition {1000 * theirs:.3f} ms, {theirs / ours:.1f} times")
