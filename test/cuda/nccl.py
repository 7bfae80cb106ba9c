"""Collectives over NCCL in a group of one process, and batch norm over its processes."""

import socket

import torch


def check(_op, report):
    op = torch.ops.vision_native_distributed
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    op.process_group_open("checks", "gloo,nccl", "127.0.0.1", port, 0, 1, True, "0/checks", "lo", 60_000)
    try:
        for device in ("cuda", "cpu"):
            x = torch.tensor([1.0, 2.0], device=device, requires_grad=True)
            total = op.all_reduce_sum(x, "checks")
            total.square().sum().backward()
            passed = total.tolist() == [1, 2] and x.grad.tolist() == [2, 4]
            report(f"all_reduce_sum on {device}", passed, f"{total.tolist()}, gradient {x.grad.tolist()}")
        x = torch.randn(8, 16, 5, 7, device="cuda", requires_grad=True)
        weight, bias = (torch.rand(16, device="cuda", requires_grad=True) for _ in range(2))
        given = (x, weight, bias)
        seed = torch.randn_like(x)
        ours = op.sync_batch_norm(x, weight, bias, None, None, 0.1, 1e-5, "checks", 1)
        expected = torch.nn.functional.batch_norm(x, None, None, weight, bias, True)
        pairs = zip(
            (ours, *torch.autograd.grad(ours, given, seed)), (expected, *torch.autograd.grad(expected, given, seed))
        )
        worst = max(((a - b).abs().max() / b.abs().max()).item() for a, b in pairs)
        report("sync_batch_norm and its gradients", worst < 1e-5, f"{worst:.1e} from torch's batch_norm")
    finally:
        op.process_group_close("checks")


def measure(_op, _report):
    """One process has nobody to wait for."""
