"""Peer of call-overhead.ts: the same calls in PyTorch. Answers {"case", "iterations"} with {"us", "result"}."""
import json
import sys
import time

import torch


def small(offset):
    return (torch.arange(16, dtype=torch.float32) / 8 + offset).reshape(4, 4)


A, B, C = small(0), small(1), small(2)
X = small(0).requires_grad_()

# The loops call by the global name and drop each result, as ours do.


def add(n):
    for _ in range(n):
        torch.add(A, B)


def addmm(n):
    for _ in range(n):
        torch.addmm(C, A, B, beta=0.5, alpha=2)


def add_with_gradients(n):
    for _ in range(n):
        torch.add(X, B)


CASES = {
    "add": (add, lambda: torch.add(A, B)),
    "addmm": (addmm, lambda: torch.addmm(C, A, B, beta=0.5, alpha=2)),
    "add with gradients": (add_with_gradients, lambda: torch.add(X, B)),
}

for line in sys.stdin:
    question = json.loads(line)
    torch.set_num_threads(question["threads"])
    loop, once = CASES[question["case"]]
    start = time.perf_counter()
    loop(question["iterations"])
    us = (time.perf_counter() - start) / question["iterations"] * 1e6
    print(json.dumps({"us": us, "result": once().reshape(-1).tolist()}), flush=True)
