"""Collects what PyTorch's layers give, for the fixtures of test/fixtures/nn; the nn_*.py beside it use it.

A case is named after the export that it tests, then what is special ("LSTM bidirectional"). Its tensors are stored as
`case|kind|name`: inputs and state in float32, everything that was computed in float64. test/support/layer-cases.ts reads
them.
"""
import pathlib

import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/nn"


class Cases:
    def __init__(self, seed=0):
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(seed)
        self.tensors = {}

    def function(self, name, run, *inputs, frozen=()):
        """A function of the inputs; those at the indices `frozen` need no gradient."""
        self._put(name, "input", inputs)
        leaves = [
            rounded(x).requires_grad_(x.is_floating_point() and i not in frozen) for i, x in enumerate(inputs)
        ]
        outputs = flatten(run(*leaves))
        self._put(name, "output", outputs)
        total = sum((y * cotangent(y)).sum() for y in outputs if y.requires_grad)
        if isinstance(total, torch.Tensor):
            total.backward()
        for i, leaf in enumerate(leaves):
            if leaf.grad is not None:
                self.tensors[f"{name}|inputGrad|{i}"] = leaf.grad

    def layer(self, name, module, *inputs, run=None, frozen=(), randomise=True):
        """A module. Its parameters are drawn anew, because many begin as zeros or ones; not so its buffers."""
        run = run or (lambda m, *xs: m(*xs))
        with torch.no_grad():
            for p in module.parameters():
                if randomise:
                    p.normal_(0, 0.4)
            for t in module.state_dict().values():
                if t.is_floating_point():
                    t.copy_(rounded(t))
        for key, value in module.state_dict().items():
            self.tensors[f"{name}|state|{key}"] = stored(value)
        self.function(name, lambda *xs: run(module, *xs), *inputs, frozen=frozen)
        for key, p in module.named_parameters():
            if p.grad is not None:
                self.tensors[f"{name}|stateGrad|{key}"] = p.grad
        for key, value in module.named_buffers():
            if key in module.state_dict():
                self.tensors[f"{name}|after|{key}"] = value

    def _put(self, name, kind, values):
        for i, value in enumerate(values):
            keep = stored if kind == "input" else torch.Tensor.detach
            self.tensors[f"{name}|{kind}|{i}"] = keep(value)

    def write(self, file):
        tensors = {key: value.detach().clone().contiguous() for key, value in self.tensors.items()}
        FOLDER.mkdir(parents=True, exist_ok=True)
        save_file(tensors, FOLDER / f"{file}.safetensors")
        names = {key.split("|")[0] for key in tensors}
        size = (FOLDER / f"{file}.safetensors").stat().st_size
        print(f"{file}: {len(names)} cases, {size / 1024:.0f} KiB")


def rounded(x):
    """The float32 numbers nearest to x, as float64."""
    return x.detach().float().double() if x.is_floating_point() else x.detach().clone()


def stored(x):
    # A copy: a counter of batches goes on counting in its place.
    return x.detach().float() if x.is_floating_point() else x.detach().clone()


def cotangent(y):
    """What backward starts from: numbers that both sides can make."""
    return torch.arange(y.numel(), dtype=torch.float64).cos().reshape(y.shape)


def flatten(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [] if value is None else [t for item in value for t in flatten(item)]
