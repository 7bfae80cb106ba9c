"""Writes test/fixtures/pth/*: files by torch.save in its formats, and their contents as JSON.

Run with a Python that has torch==2.11.0 and numpy: python tools/reference/pth.py
The values are repeated in test/io/pth-read.test.ts where they are few.
"""
import collections
import io
import json
import pathlib
import zipfile

import numpy
import torch

FOLDER = pathlib.Path(__file__).parents[2] / "test/fixtures/pth"

FLOATS = [0.0, -0.0, 1.0, -2.5, 1 / 3, 65504.0, 6e-8, float("inf"), float("-inf")]
ALL_TYPES = {
    "float16": torch.tensor(FLOATS, dtype=torch.float16),
    "bfloat16": torch.tensor(FLOATS, dtype=torch.bfloat16),
    "float32": torch.tensor(FLOATS).reshape(3, 3),
    "float64": torch.tensor(FLOATS, dtype=torch.float64).reshape(1, 9),
    "complex64": torch.tensor([1 + 2j, -0.5j], dtype=torch.complex64),
    "complex128": torch.tensor([1 + 2j, -0.1j], dtype=torch.complex128),
    "int8": torch.tensor([-128, 127], dtype=torch.int8),
    "int16": torch.tensor([[-32768], [32767]], dtype=torch.int16),
    "int32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
    "int64": torch.tensor([-(2**63), 2**63 - 1, 5], dtype=torch.int64),
    "uint8": torch.tensor([0, 255, 7], dtype=torch.uint8),
    "bool": torch.tensor([[True, False, True]]),
    "scalar": torch.tensor(3.5),
    "empty": torch.zeros(0, 3),
    "name with \"quotes\", ünïcode and \U0001f600": torch.tensor([1], dtype=torch.int64),
}


def contents(tensors):
    def values(tensor):
        if tensor.is_complex():
            tensor = torch.view_as_real(tensor)
        return [str(value) for value in tensor.reshape(-1).tolist()]

    return {
        name: {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape), "values": values(tensor)}
        for name, tensor in tensors.items()
    }


def shared():
    base = torch.arange(12.0).reshape(3, 4)
    return {
        "base": base,
        "row": base[1],
        "turned": base.t(),
        "steps": base[:, ::2],
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3),
        "last": torch.nn.Parameter(base[2]),
    }


def network():
    """Two blocks with what a state dict has: parameters, running statistics, a count."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(
        collections.OrderedDict(conv=torch.nn.Conv2d(1, 2, 3), norm=torch.nn.BatchNorm2d(2), head=torch.nn.Linear(2, 3))
    )
    model.norm(torch.randn(4, 2, 3, 3))
    return model


def optimizers():
    """Two steps with given gradients; the third is there to compare with."""
    made = {
        "SGD": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, amsgrad=True),
        "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
    }
    gradients = [[torch.sin(torch.arange(6.0) + 7 * step).reshape(2, 3), torch.cos(torch.arange(3.0) + step)] for step in range(3)]
    result = {}
    for name, make in made.items():
        params = [torch.linspace(-1, 1, 6).reshape(2, 3).requires_grad_(), torch.linspace(0, 1, 3).requires_grad_()]
        optimizer = make([{"params": params[:1]}, {"params": params[1:], "lr": 0.05}])
        for step, grads in enumerate(gradients):
            if step == 2:
                saved = io.BytesIO()
                torch.save({"params": [p.detach() for p in params], "optimizer": optimizer.state_dict()}, saved)
                saved.seek(0)
                result[name] = torch.load(saved, weights_only=True)
            for p, g in zip(params, grads):
                p.grad = g.clone()
            optimizer.step()
        result[name]["gradients"] = gradients[2]
        result[name]["after"] = [p.detach().clone() for p in params]
    return result


def values():
    shared_list = [1, 2]
    return {
        "int": 7, "negative": -3, "word": 70000, "large": 2**53 + 1, "huge": -(2**70),
        "float": 0.1, "whole": 2.0, "inf": float("inf"), "complex": 1 - 2j,
        "text": "grüße \U0001f600", "empty text": "", "bytes": b"\x00\xff\x80abc", "none": None, "yes": True, "no": False,
        "list": [1, [2, [3, []]]], "tuple": (0.9, 0.999), "one": (1,), "nothing": (), "set": {3},
        "numbers": {0: "a", 5: "b"}, "mixed": {1: "a", "x": "b", None: "c", (1, 2): "d", -1: "e", True: "f"} ,
        "digits": {"1": "b", "0": "a"}, "ordered": collections.OrderedDict(z=1, a=2),
        "counted": collections.Counter("aab"), "first": shared_list, "second": shared_list,
        "size": torch.Size([2, 3]), "dtype": torch.float32, "device": torch.device("cuda:1"), "__proto__": {"polluted": True},
    }


def save(name, value, **options):
    torch.save(value, FOLDER / name, **options)


def rewrite(source, target, change, compression=zipfile.ZIP_STORED):
    """Copies an archive through `change(name, content)`."""
    with zipfile.ZipFile(FOLDER / source) as old, zipfile.ZipFile(FOLDER / target, "w", compression) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(zipfile.ZipInfo(name), content, compression)


def big_endian(name, content):
    if name.endswith("byteorder"):
        return b"big"
    return numpy.frombuffer(content, "<f4").byteswap().tobytes() if "/data/" in name else content


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "types.json").write_text(json.dumps(contents(ALL_TYPES), indent=1) + "\n")
    for folder, options in (("zip", {}), ("legacy", {"_use_new_zipfile_serialization": False})):
        save(f"types-{folder}.pth", ALL_TYPES, **options)
        save(f"shared-{folder}.pth", shared(), **options)
        save(f"optimizers-{folder}.pth", optimizers(), **options)
        save(f"network-{folder}.pth", {"epoch": 3, "state_dict": network().state_dict()}, **options)
        save(f"values-{folder}.pth", values(), **options)
    for protocol in (3, 4, 5):
        save(f"protocol-{protocol}.pth", {**shared(), "bytes": b"\xff\x00", "set": {"a"}, "frozen": frozenset([1])}, pickle_protocol=protocol)
    save("numpy.pth", {
        "float": numpy.float64(0.5), "int": numpy.int64(-3), "bool": numpy.bool_(True),
        "array": numpy.arange(6, dtype=">i2").reshape(2, 3), "turned": numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)),
    })
    save("plain.pth", {"a": torch.tensor([1.0, -2.5, 3e-5]), "b": torch.tensor([7.0])})
    rewrite("plain.pth", "deflated.pth", lambda _, content: content, zipfile.ZIP_DEFLATED)
    rewrite("plain.pth", "big-endian.pth", big_endian)
    # As PyTorch 1.6 wrote it: no byte order, no ids; and with a folder of another name.
    rewrite("plain.pth", "old.pth", lambda name, content: content if name.endswith("data.pkl") or "/data/" in name or name.endswith("/version") else None)
    with torch.serialization.skip_data():
        pass
    assert torch.load(FOLDER / "big-endian.pth", weights_only=True)["a"].tolist() == torch.tensor([1.0, -2.5, 3e-5]).tolist()
    # What is data and not supported.
    save("quantized.pth", {"q": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)})
    save("sparse.pth", {"s": torch.eye(2).to_sparse()})
    save("float8.pth", {"f8": torch.ones(2, dtype=torch.float8_e4m3fn)})
    save("uint16.pth", {"u16": torch.ones(2, dtype=torch.uint16)})
    save("module.pth", torch.nn.Linear(1, 1))
    cycle = {}
    cycle["self"] = cycle
    save("cycle.pth", cycle)


if __name__ == "__main__":
    main()
