"""Writes test/optim/fixtures/schedules.json: learning rates of 35 steps of each scheduler by PyTorch.

Run with a Python that has torch==2.11.0: python tools/reference/lr_schedules.py

Two groups, with learning rates 0.1 and 0.03. A case holds the rates of both after each step (the constructor's first),
the momentum of the first group where it changes, and the keys of the state dict. The functions of lambda schedulers are
named; the test has the same.
"""
import json
import pathlib
import warnings

import torch
from torch.optim import lr_scheduler as S

warnings.simplefilter("ignore")
PATH = pathlib.Path(__file__).parents[2] / "test/optim/fixtures/schedules.json"
STEPS = 35

FUNCTIONS = {
    "inverse": lambda step: 1 / (1 + step),
    "power": lambda step: 0.95**step,
    "alternate": lambda step: 0.9 if step % 2 else 1.05,
}
METRICS = [1.0, 0.9, 0.8, 0.8, 0.81, 0.8, 0.79, 0.79, 0.9, 0.9, 0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.4]
METRICS = (METRICS + [0.4] * STEPS)[:STEPS]

# name, options; SGD with momentum unless stated
CASES = [
    ("StepLR", dict(step_size=4, gamma=0.7)),
    ("MultiStepLR", dict(milestones=[3, 9, 9, 20], gamma=0.5)),
    ("MultiStepLR", dict(milestones=[0, 5], gamma=0.5)),
    ("ExponentialLR", dict(gamma=0.93)),
    ("CosineAnnealingLR", dict(T_max=9, eta_min=0.002)),
    ("CosineAnnealingWarmRestarts", dict(T_0=4, T_mult=2, eta_min=0.001)),
    ("CosineAnnealingWarmRestarts", dict(T_0=5)),
    ("OneCycleLR", dict(max_lr=[0.5, 0.2], total_steps=40, pct_start=0.4, base_momentum=0.8, max_momentum=0.93)),
    ("OneCycleLR", dict(max_lr=0.5, epochs=5, steps_per_epoch=8, anneal_strategy="linear", three_phase=True, div_factor=10.0)),
    ("OneCycleLR", dict(max_lr=0.5, total_steps=36, cycle_momentum=False, final_div_factor=100.0)),
    ("OneCycleLR Adam", dict(max_lr=0.5, total_steps=36)),
    ("PolynomialLR", dict(total_iters=20, power=1.7)),
    ("LinearLR", dict(start_factor=0.2, end_factor=0.9, total_iters=12)),
    ("ConstantLR", dict(factor=0.4, total_iters=6)),
    ("LambdaLR", dict(lr_lambda=["inverse", "power"])),
    ("MultiplicativeLR", dict(lr_lambda="alternate")),
    ("ReduceLROnPlateau", dict(factor=0.5, patience=2, cooldown=1, threshold=0.01, min_lr=[0.02, 0.001])),
    ("ReduceLROnPlateau", dict(mode="max", factor=0.3, patience=3, threshold_mode="abs", threshold=0.05)),
]
COMPOSED = [
    ("SequentialLR", [("LinearLR", dict(start_factor=0.1, total_iters=5)), ("CosineAnnealingLR", dict(T_max=20))], [5]),
    ("SequentialLR", [("ConstantLR", dict(factor=0.1, total_iters=9)), ("ExponentialLR", dict(gamma=0.9)), ("StepLR", dict(step_size=3))], [4, 12]),
    ("SequentialLR", [("MultiplicativeLR", dict(lr_lambda="alternate")), ("MultiplicativeLR", dict(lr_lambda="alternate")), ("LambdaLR", dict(lr_lambda="inverse"))], [4, 12]),
    ("SequentialLR", [("PolynomialLR", dict(total_iters=6)), ("CosineAnnealingWarmRestarts", dict(T_0=5, T_mult=2)), ("MultiStepLR", dict(milestones=[2, 4]))], [3, 20]),
    ("ChainedScheduler", [("ConstantLR", dict(factor=0.1, total_iters=5)), ("ExponentialLR", dict(gamma=0.9))], None),
    ("ChainedScheduler", [("LinearLR", dict(total_iters=8)), ("CosineAnnealingLR", dict(T_max=7, eta_min=0.01)), ("StepLR", dict(step_size=6))], None),
]


def make(name, options, optimizer):
    options = dict(options)
    if "lr_lambda" in options:
        value = options["lr_lambda"]
        options["lr_lambda"] = [FUNCTIONS[v] for v in value] if isinstance(value, list) else FUNCTIONS[value]
    return getattr(S, name.split()[0])(optimizer, **options)


def optimizer_for(name):
    params = [{"params": [torch.nn.Parameter(torch.ones(1))]}, {"params": [torch.nn.Parameter(torch.ones(1))], "lr": 0.03}]
    return torch.optim.Adam(params, lr=0.1) if "Adam" in name else torch.optim.SGD(params, lr=0.1, momentum=0.9)


def run(scheduler, optimizer, plateau):
    def rates():
        return [group["lr"] for group in optimizer.param_groups]

    def momentum():
        group = optimizer.param_groups[0]
        return group["betas"][0] if "betas" in group else group["momentum"]

    lrs, momenta = [rates()], [momentum()]
    for metric in METRICS:
        optimizer.step()
        scheduler.step(metric) if plateau else scheduler.step()
        lrs.append(rates())
        momenta.append(momentum())
    return {"lrs": lrs, "momenta": momenta, "keys": sorted(scheduler.state_dict())}


cases = []
for name, options in CASES:
    optimizer = optimizer_for(name)
    scheduler = make(name, options, optimizer)
    cases.append({"name": name, "options": options, **run(scheduler, optimizer, name == "ReduceLROnPlateau")})
for name, parts, milestones in COMPOSED:
    optimizer = optimizer_for(name)
    schedulers = [make(part, options, optimizer) for part, options in parts]
    scheduler = S.SequentialLR(optimizer, schedulers, milestones) if milestones else S.ChainedScheduler(schedulers)
    named = [{"name": part, "options": options} for part, options in parts]
    cases.append({"name": name, "parts": named, "milestones": milestones, **run(scheduler, optimizer, False)})
out = {"metrics": METRICS, "cases": cases}
PATH.write_text(json.dumps(out, indent=None, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")
