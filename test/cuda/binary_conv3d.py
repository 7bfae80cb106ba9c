"""Binary 3D convolution on CUDA: numbers of the kernel's specification, 2 exactness, 8 epilogue, 11 speed."""

import itertools

import torch
import torch.nn.functional as F

from support import relative, seconds


def signs(x):
    return torch.where(x >= 0, 1.0, -1.0)


def check(op, report):
    generator = torch.Generator().manual_seed(1)
    random = lambda *shape: torch.randn(*shape, generator=generator)
    kernels = ((1, 1, 1), (3, 1, 1), (1, 3, 3), (3, 3, 3))
    wrong, layers = [], 0
    for i, (channels, filters, kernel) in enumerate(
        itertools.product((1, 3, 5, 63, 64, 65, 70, 128, 512), (1, 7, 8, 33, 256), kernels)
    ):
        stride, padding = [1 + (i >> k) % 2 for k in range(3)], [(5 * i >> k) % 2 for k in range(3)]
        x, weight, bias = random(1 + i % 3, channels, 3, 5, 7), random(filters, channels, *kernel), random(channels)
        if i % 2:
            x = x.contiguous(memory_format=torch.channels_last_3d)
        geometry = dict(in_channels=channels, out_channels=filters, kernel_size=kernel, stride=stride, padding=padding)
        vectors = [random(filters) for _ in range(6)]

        def run(device):
            bits = op.sign_bias_pack(x.to(device), bias.to(device))
            packed = op.pack_weight(weight.to(device))
            scale, shift, bias1, slope, bias2, next_bias = (v.to(device) for v in vectors)
            fused = op.bconv3d_fused(bits, packed, scale, shift, bias1=bias1, slope=slope, bias2=bias2,
                                     next_bias=next_bias, pack=True, **geometry)
            return [t.cpu() for t in (bits, packed, op.bconv3d(bits, packed, **geometry), *fused)]

        expected = F.conv3d(signs(x + bias.view(1, -1, 1, 1, 1)), signs(weight), stride=stride, padding=padding)
        cuda, cpu = run("cuda"), run("cpu")
        exact = torch.equal(cuda[2].permute(0, 4, 1, 2, 3).float(), expected)
        if not exact or not all(torch.equal(a, b) for a, b in zip(cuda, cpu)):
            wrong.append((channels, filters, kernel))
        layers += 1
    report("binary_conv3d 2, 8", not wrong, f"{layers} layers equal the float convolution and the CPU, wrong: {wrong[:4]}")

    x, weight = random(2, 5, 3, 5, 6), random(4, 5, 3, 3, 3)
    gradients = {}
    for device in ("cpu", "cuda"):
        a, w = x.to(device).requires_grad_(), weight.to(device).requires_grad_()
        op.bin_conv3d(a, w, padding=[1, 1, 1]).square().sum().backward()
        gradients[device] = (a.grad.cpu(), w.grad.cpu())
    worst = max(relative(a, b) for a, b in zip(gradients["cuda"], gradients["cpu"]))
    report("binary_conv3d 6", worst < 1e-4, f"largest relative difference of gradients {worst:.1e}")


def measure(op, report):
    """Layer 3b of C3D, batch 16."""
    x, weight = signs(torch.randn(16, 256, 8, 28, 28, device="cuda")), signs(torch.randn(256, 256, 3, 3, 3, device="cuda"))
    bits, packed = op.sign_bias_pack(x), op.pack_weight(weight)
    geometry = dict(in_channels=256, out_channels=256, kernel_size=[3, 3, 3], padding=[1, 1, 1])

    torch.backends.cudnn.conv.fp32_precision = "ieee"
    with torch.no_grad():
        ours = seconds(lambda: op.bconv3d(bits, packed, **geometry))
        theirs = seconds(lambda: F.conv3d(x, weight, padding=1))
    report("binary_conv3d 11", theirs >= 2 * ours,
           f"{1e3 * ours:.2f} ms beside float32 {1e3 * theirs:.2f} ms, {theirs / ours:.1f} times")
