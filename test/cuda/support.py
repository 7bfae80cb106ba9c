"""What the checks of the CUDA kernels share."""

import time

import torch


def largest(a, b):
    """The largest difference of two tensors, wherever they lie."""
    return (a.cpu().double() - b.cpu().double()).abs().max().item()


def relative(a, b):
    """The largest difference, by the largest magnitude of the second."""
    return largest(a, b) / max(b.abs().max().item(), 1e-30)


def same_bits(a, b):
    words = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[a.element_size()]
    return a.dtype == b.dtype and torch.equal(a.contiguous().view(words), b.contiguous().view(words))


def seconds(body, runs=15):
    """The median time of a call, which is run once before."""
    body()
    times = []
    for _ in range(runs):
        torch.cuda.synchronize()
        start = time.perf_counter()
        body()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def copy_bandwidth():
    """Bytes a second that a copy of 1 GiB reads and writes: the floor of what only moves data."""
    source = torch.empty(2**28, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.nbytes / seconds(lambda: target.copy_(source))
