"""BM3D on CUDA: beside the CPU's, which is beside a slow program in the tests of the package."""

import torch

from support import largest, same_bits, seconds


def picture(channels, height, width, noise, seed):
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    clean = (0.3 + 0.4 * ((x // 11 + y // 13) % 2)).float().expand(channels, height, width)
    return clean, clean + noise * torch.randn(channels, height, width, generator=generator)


def psnr(a, b):
    return -10 * torch.log10((a.cpu() - b.cpu()).square().mean()).item()


def check(op, report):
    for channels, height, width, sigma in ((1, 8, 8, 0.1), (1, 61, 70, 0.1), (3, 64, 53, 0.1), (1, 50, 90, 0.2)):
        clean, noisy = picture(channels, height, width, sigma, 3)
        name = f"[{channels}, {height}, {width}], sigma {sigma}"
        # The search adds up in the order of the CPU: the groups of the first stage are the same.
        hard = [op.bm3d(noisy[None].to(device), sigma, stages="hard") for device in ("cpu", "cuda")]
        report(f"bm3d first stage, {name}", largest(*hard) < 1e-5, f"largest difference {largest(*hard):.1e}")
        # A rounding of the first stage may choose another block in the second.
        both = [op.bm3d(noisy[None].to(device), sigma)[0] for device in ("cpu", "cuda")]
        gap = abs(psnr(both[0], clean) - psnr(both[1], clean))
        mean = (both[0] - both[1].cpu()).abs().mean().item()
        report(f"bm3d both stages, {name}", gap < 0.01 and mean < 1e-4, f"{psnr(both[1], clean):.2f} dB, {gap:.4f} dB apart")
    noisy = picture(3, 90, 121, 0.1, 4)[1].cuda()
    batch = torch.stack([noisy, noisy.flip(-1)])
    first = op.bm3d(batch, 0.1)
    report("bm3d repeats", all(same_bits(op.bm3d(batch, 0.1), first) for _ in range(5)), "6 runs, bitwise")
    report("bm3d of a batch", same_bits(op.bm3d(batch[1:], 0.1)[0], first[1]), "bitwise equal to a single call")
    report("bm3d without noise", largest(op.bm3d(batch, 0.0), batch) < 1e-6, f"{largest(op.bm3d(batch, 0.0), batch):.1e}")
    wide = op.bm3d(noisy[None, :1], 0.1, search=127)
    cpu = op.bm3d(noisy[None, :1].cpu(), 0.1, search=127)
    report("bm3d, the widest search", (wide.cpu() - cpu).abs().mean().item() < 1e-4, f"largest difference {largest(wide, cpu):.1e}")
    for bad in (float("nan"), float("inf")):
        spoilt = noisy[None].clone()
        spoilt[0, 0, 40, 50] = bad
        count = int(op.bm3d(spoilt, 0.1).isfinite().logical_not().sum())
        expected = int(op.bm3d(spoilt.cpu(), 0.1).isfinite().logical_not().sum())
        report(f"bm3d keeps {bad} alone", count == expected, f"{count} pixels, CPU {expected}")


def measure(op, report):
    for channels, height, width in ((1, 512, 512), (3, 1080, 1920)):
        noisy = picture(channels, height, width, 0.1, 5)[1][None]
        device = noisy.cuda()
        cuda = seconds(lambda: op.bm3d(device, 0.1), 5)
        threads = torch.get_num_threads()
        if height <= 512:
            cpu = seconds(lambda: op.bm3d(noisy, 0.1), 3)
            report(f"bm3d [{channels}, {height}, {width}]", cuda < cpu, f"{1000 * cuda:.1f} ms, CPU {1000 * cpu:.0f} ms on {threads} threads")
        else:
            report(f"bm3d [{channels}, {height}, {width}]", True, f"{1000 * cuda:.1f} ms")
