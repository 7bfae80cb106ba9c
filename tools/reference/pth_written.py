"""Judges test/fixtures/pth/written.pth, which this package wrote (tools/reference/write-pth.ts): Python must read it.

Run with a Python that has torch==2.11.0 and numpy: python tools/reference/pth_written.py
Prints what it looked at; an assertion that fails says what Python saw instead.
"""
import collections
import math
import pathlib
import sys

import torch

import pth

PATH = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pth.FOLDER / "written.pth"


def equal(a, b):
    if a.is_complex():
        a, b = torch.view_as_real(a.resolve_conj()), torch.view_as_real(b.resolve_conj())
    return a.dtype == b.dtype and a.shape == b.shape and a.tolist() == b.tolist()


def check_types(types):
    assert type(types) is collections.OrderedDict
    for name, tensor in types.items():
        expected = pth.ALL_TYPES[name]
        assert equal(tensor, expected.reshape(tensor.shape)), (name, tensor)
        # -0.0 equals 0.0, so the signs are looked at for themselves.
        if tensor.is_floating_point() and tensor.numel() > 1:
            assert tensor.signbit().tolist() == expected.reshape(-1).signbit().tolist(), name
    assert len(types) == 13, list(types)


def check_shared(shared):
    base = torch.arange(12.0).reshape(3, 4)
    expected = {"base": base, "row": base[1], "turned": base.t(), "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3)}
    for name, tensor in expected.items():
        assert equal(shared[name], tensor) and shared[name].stride() == tensor.stride(), (name, shared[name])
    assert shared["again"] is shared["base"]
    assert shared["parameter"].requires_grad and not base.requires_grad
    assert shared["conjugated"].tolist() == [1 - 2j]
    shared["base"].fill_(5)
    assert shared["row"].tolist() == [5] * 4 and shared["turned"][1].tolist() == [5] * 3
    assert shared["expanded"].untyped_storage().nbytes() == 8, "an expanded tensor is written as what it expands"


def check_values(values):
    assert list(values) == [
        *["small", "negative", "word", "long", "large", "huge", "float", "whole", "zero", "inf", "complex", "text", "empty"],
        *["bytes", "none", "yes", "no", "list", "tuple", "nothing", "set", "numbers", "mixed", "ordered", "first", "second"],
    ]
    integers = {"small": 7, "negative": -3, "word": 70000, "long": 2**40, "large": 2**53 + 1, "huge": -(2**70), "whole": 2}
    for name, value in integers.items():
        assert type(values[name]) is int and values[name] == value, (name, values[name])
    assert values["float"] == 0.1 and math.copysign(1, values["zero"]) == -1 and values["inf"] == float("inf")
    assert values["complex"] == 1 - 2j and values["text"] == "grüße \U0001f600" and values["empty"] == ""
    assert values["bytes"] == b"\x00\xff\x80a" and values["none"] is None
    assert values["yes"] is True and values["no"] is False
    assert values["list"] == [1, [2, [3, []]]] and values["tuple"] == (0.9, 0.999) and values["nothing"] == ()
    assert values["set"] == {3} and values["numbers"] == {0: "a", 5: "b"}
    assert values["mixed"] == {1: "a", "x": "b", None: "c", -1: "d"}
    assert values["ordered"] == collections.OrderedDict(z=1, a=2) and type(values["ordered"]) is collections.OrderedDict
    assert values["first"] is values["second"]


def check_network(state):
    model = pth.network()
    fresh = type(model)(collections.OrderedDict(conv=torch.nn.Conv2d(1, 2, 3), norm=torch.nn.BatchNorm2d(2), head=torch.nn.Linear(2, 3)))
    print(" ", fresh.load_state_dict(state))
    assert all(equal(a, b) for a, b in zip(fresh.state_dict().values(), model.state_dict().values()))
    assert state._metadata == model.state_dict()._metadata


def check_optimizers(saved):
    """Python goes on from our state; the third step must give what it gives without the detour."""
    for name, expected in pth.optimizers().items():
        params = [p.detach().clone().requires_grad_() for p in saved[name]["params"]]
        make = {"SGD": torch.optim.SGD, "AdamW": torch.optim.AdamW, "RMSprop": torch.optim.RMSprop}[name]
        optimizer = make([{"params": params[:1]}, {"params": params[1:]}], lr=1)
        optimizer.load_state_dict(saved[name]["optimizer"])
        assert all(isinstance(key, int) for key in saved[name]["optimizer"]["state"])
        for p, g in zip(params, expected["gradients"]):
            p.grad = g.clone()
        optimizer.step()
        for p, after in zip(params, expected["after"]):
            assert torch.equal(p, after), (name, p, after)
        print(f"  {name}: the third step is bit for bit that of Python alone")


def main():
    for mmap in (False, True):
        value = torch.load(PATH, weights_only=True, mmap=mmap)
        print(f"torch {torch.__version__}: torch.load({PATH.name!r}, weights_only=True, mmap={mmap})")
        for name, check in (
            ("types", check_types), ("shared", check_shared), ("values", check_values),
            ("network", check_network), ("optimizers", check_optimizers),
        ):
            check(value[name])
            print(f"  {name}: as expected")


if __name__ == "__main__":
    main()
