"""Writes test/io/fixtures/safetensors/*: files by Python's safetensors, and their contents as JSON.

Run with a Python that has torch==2.11.0 and safetensors==0.8.0: python tools/reference/safetensors_files.py
"""
import json
import pathlib

import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parents[2] / "test/io/fixtures/safetensors"

FLOATS = [0.0, -0.0, 1.0, -2.5, 1 / 3, 65504.0, 6e-8, float("inf"), float("-inf")]
ALL_TYPES = {
    "float16": torch.tensor(FLOATS, dtype=torch.float16),
    "bfloat16": torch.tensor(FLOATS, dtype=torch.bfloat16),
    "float32": torch.tensor(FLOATS).reshape(3, 3),
    "float64": torch.tensor(FLOATS, dtype=torch.float64).reshape(1, 9),
    "complex64": torch.tensor([1 + 2j, -0.5j], dtype=torch.complex64),
    "int8": torch.tensor([-128, 127], dtype=torch.int8),
    "int16": torch.tensor([[-32768], [32767]], dtype=torch.int16),
    "int32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
    "int64": torch.tensor([-(2**63), 2**63 - 1, 5], dtype=torch.int64),
    "uint8": torch.tensor([0, 255, 7], dtype=torch.uint8),
    "bool": torch.tensor([[True, False, True]]),
    "scalar": torch.tensor(3.5),
    "empty": torch.zeros(0, 3),
    "name with \"quotes\", ünïcode and \U0001f600": torch.tensor([1], dtype=torch.int64),
    "7": torch.tensor([7], dtype=torch.int64),
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


FOLDER.mkdir(parents=True, exist_ok=True)
save_file(ALL_TYPES, FOLDER / "all-types.safetensors", metadata={"format": "pt"})
(FOLDER / "all-types.json").write_text(json.dumps(contents(ALL_TYPES), indent=1) + "\n")
save_file({}, FOLDER / "nothing.safetensors")
save_file({"w": torch.ones(2)}, FOLDER / "metadata.safetensors", metadata={"author": "J. Ü.", "step": "12"})
save_file({"f8": torch.ones(2, dtype=torch.float8_e4m3fn), "w": torch.ones(2)}, FOLDER / "float8.safetensors")
