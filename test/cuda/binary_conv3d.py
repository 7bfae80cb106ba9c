"""Binary 3D convolution on CUDA: numbers of the kernel's specification, 2 exactness, 8 epilogue, 11 speed.

There are two kernels, one that counts the bits of words and one on the tensor cores; both are forced in turn."""

import itertools
import os
from contextlib import contextmanager

import torch
import torch.nn.functional as F

from support import relative, seconds


KERNELS = ("words", "tensor-cores")
# Of C3D: channels in and out, size.
LAYERS = {
    "2a": (64, 128, (16, 56, 56)),
    "3b": (256, 256, (8, 28, 28)),
    "4b": (512, 512, (4, 14, 14)),
    "5a": (512, 512, (2, 7, 7)),
}


def signs(x):
    return torch.where(x >= 0, 1.0, -1.0)


@contextmanager
def forced(kernel):
    os.environ["VISION_NATIVE_BINARY_CONV"] = kernel
    try:
        yield
    finally:
        del os.environ["VISION_NATIVE_BINARY_CONV"]


def run_layer(op, device, x, weight, bias, vectors, residual, geometry):
    bits = op.sign_bias_pack(x.to(device), bias.to(device))
    packed = op.pack_weight(weight.to(device))
    scale, shift, bias1, slope, bias2, next_bias = (v.to(device) for v in vectors)
    fused = op.bconv3d_fused(bits, packed, scale, shift, residual=None if residual is None else residual.to(device),
                             bias1=bias1, slope=slope, bias2=bias2, next_bias=next_bias, pack=True, **geometry)
    return [t.cpu() for t in (bits, packed, op.bconv3d(bits, packed, **geometry), *fused)]


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

        expected = F.conv3d(signs(x + bias.view(1, -1, 1, 1, 1)), signs(weight), stride=stride, padding=padding)
        # A residual of all channels, of a part that repeats, or none.
        part = (filters, filters // 3 if filters % 3 == 0 else 1, 0)[i % 3]
        residual = random(expected.size(0), part, *expected.shape[2:]) if part else None
        cpu = run_layer(op, "cpu", x, weight, bias, vectors, residual, geometry)
        for name in KERNELS:
            with forced(name):
                cuda = run_layer(op, "cuda", x, weight, bias, vectors, residual, geometry)
            exact = torch.equal(cuda[2].permute(0, 4, 1, 2, 3).float(), expected)
            if not exact or not all(torch.equal(a, b) for a, b in zip(cuda, cpu)):
                wrong.append((name, channels, filters, kernel))
        layers += 1
    detail = f"{layers} layers by {len(KERNELS)} kernels equal the float convolution and the CPU, wrong: {wrong[:4]}"
    report("binary_conv3d 2, 8", not wrong, detail)

    odd = [
        ((1, 70, 1, 3, 300), (9, 70, 1, 3, 5), [1, 1, 1], [2, 1, 2]),
        ((1, 3, 1, 2, 9), (2, 3, 1, 1, 3), [1, 1, 2], [1, 2, 7]),
        ((2, 5, 1, 2, 3), (3, 5, 3, 5, 7), [1, 1, 1], [1, 2, 3]),
        ((1, 4096, 3, 3, 5), (3, 4096, 3, 3, 5), [1, 1, 1], [0, 0, 0]),
        ((1, 300, 3, 9, 9), (130, 300, 3, 3, 3), [2, 1, 2], [1, 1, 1]),
    ]
    wrong = []
    for shape, kernel, stride, padding in odd:
        x, weight = random(*shape), random(*kernel)
        bits, packed = op.sign_bias_pack(x.cuda()), op.pack_weight(weight.cuda())
        geometry = dict(in_channels=kernel[1], out_channels=kernel[0], kernel_size=kernel[2:], stride=stride, padding=padding)
        expected = F.conv3d(signs(x), signs(weight), stride=stride, padding=padding)
        for name in KERNELS:
            with forced(name):
                y = op.bconv3d(bits, packed, **geometry)
            if not torch.equal(y.cpu().permute(0, 4, 1, 2, 3).float(), expected):
                wrong.append((name, shape))
    report("binary_conv3d 2, sizes", not wrong, f"{len(odd)} odd sizes, wrong: {wrong}")

    x, weight = random(2, 5, 3, 5, 6), random(4, 5, 3, 3, 3)
    gradients = {}
    for device in ("cpu", "cuda"):
        a, w = x.to(device).requires_grad_(), weight.to(device).requires_grad_()
        op.bin_conv3d(a, w, padding=[1, 1, 1]).square().sum().backward()
        gradients[device] = (a.grad.cpu(), w.grad.cpu())
    worst = max(relative(a, b) for a, b in zip(gradients["cuda"], gradients["cpu"]))
    report("binary_conv3d 6", worst < 1e-4, f"largest relative difference of gradients {worst:.1e}")


def measure(op, report):
    """Layers of C3D at batch 1 and 16 by both kernels and by the one that is chosen, beside LibTorch's."""
    torch.backends.cudnn.conv.fp32_precision = "ieee"
    for (name, (channels, filters, size)), batch in itertools.product(LAYERS.items(), (1, 16)):
        x = signs(torch.randn(batch, channels, *size, device="cuda"))
        weight = signs(torch.randn(filters, channels, 3, 3, 3, device="cuda"))
        bits, packed = op.sign_bias_pack(x), op.pack_weight(weight)
        geometry = dict(in_channels=channels, out_channels=filters, kernel_size=[3, 3, 3], padding=[1, 1, 1])

        def convolve():
            return op.bconv3d(bits, packed, **geometry)

        times = {}
        for kernel in KERNELS:
            with forced(kernel):
                times[kernel] = seconds(convolve)
        times["chosen"] = seconds(convolve)
        with torch.no_grad():
            theirs = seconds(lambda: F.conv3d(x, weight, padding=1))
            half, half_weight = x.half(), weight.half()
            halves = seconds(lambda: F.conv3d(half, half_weight, padding=1))
        # Counting words is bounded by 16 32-bit counts a clock and multiprocessor.
        properties = torch.cuda.get_device_properties(0)
        counts = batch * filters * channels * 27 * size[0] * size[1] * size[2] / 32
        rate = counts / times["words"] / properties.multi_processor_count / 1e9
        detail = ", ".join(f"{kernel} {1e3 * t:.3f} ms" for kernel, t in times.items())
        detail += f"; float32 {1e3 * theirs:.3f} ms, float16 {1e3 * halves:.3f} ms"
        detail += f"; words count {rate:.1f} a nanosecond and multiprocessor, of 16 a clock"
        passed = times["chosen"] <= 1.25 * min(times[kernel] for kernel in KERNELS)
        if name == "3b" and batch == 16:
            passed = passed and theirs >= 2 * times["words"]
        report(f"binary_conv3d 11, {name}, batch {batch}", passed, detail)
