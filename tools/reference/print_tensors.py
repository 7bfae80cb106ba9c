"""Writes test/tensor/fixtures/printed.json: how PyTorch 2.11 prints tensors.

Run with a Python that has torch==2.11.0: python tools/reference/print_tensors.py

Each case holds the dtype, the shape, the elements and the text. An int64 tensor says its dtype here and not in PyTorch
(a list of numbers makes float32 here), so integers are printed as other types.
"""
import json
import math
import pathlib

import torch


def case(tensor):
    flat = tensor.detach().reshape(-1)
    if tensor.dtype.is_complex:
        flat = torch.view_as_real(flat.to(torch.complex128)).reshape(-1)
    pattern = torch.equal(tensor, make_pattern(tensor.shape, tensor.dtype))
    elements = None if pattern else [str(v) if isinstance(v, float) and not math.isfinite(v) else v for v in flat.tolist()]
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "requiresGrad": tensor.requires_grad,
        "negativeZeros": [i for i, v in enumerate(flat.tolist()) if v == 0 and math.copysign(1, v) < 0],
        "elements": elements,
        "text": str(tensor),
    }


def make_pattern(shape, dtype):
    """Large tensors are made by this formula in the test too, so that the file stays small."""
    count = math.prod(shape) * (2 if dtype.is_complex else 1)
    i = torch.arange(count, dtype=torch.float64)
    numbers = (i * 37 % 101 - 50) * (1 if dtype == torch.int32 else 0.125)
    if dtype.is_complex:
        numbers = torch.view_as_complex(numbers.reshape(-1, 2))
    return numbers.to(dtype).reshape(shape)


def main():
    torch.manual_seed(0)
    t = torch.tensor
    inf, nan = math.inf, math.nan
    cases = [
        t([[1.0, 2.0], [3.0, 4.0]]),
        t(3.0),
        t(3.25),
        t(-1e-7),
        t([0.0, 0.0]),
        t([-0.0, 0.5]),
        t([-0.0, 2.0]),
        t([nan, inf, -inf]),
        t([nan, inf, -inf, 1.0, 10.0]),
        t([nan, 1.5, -inf]),
        t([nan, 1e-9, inf, 1.0]),
        t([0.03125, 0.09375, 0.00005, 2.5]),
        t([100005.0, 100015.0, 0.5]),
        t([1.0, 1000.0]),
        t([1.0, 1001.0]),
        t([0.001, 1.0]),
        t([0.00099, 1.0]),
        t([1e8, 1e6]),
        t([2e8]),
        t([123456789.0]),
        t([1e-4, 2e-4]),
        t([9e-5, 2e-4]),
        t([1e38, 1e-38]),
        t([1e-45]),
        t([1e300, 1e-300], dtype=torch.float64),
        t([0.1, 0.2], dtype=torch.float64),
        t([1, -20, 300], dtype=torch.int32),
        t([[1, -20], [300, 4]], dtype=torch.int16),
        t([[True, False], [False, True]]),
        t(True),
        t([255, 0], dtype=torch.uint8),
        t([-128, 127], dtype=torch.int8),
        t([1.5, 2.25], dtype=torch.float16),
        t([1.5, 300.0, 1e30], dtype=torch.bfloat16),
        t([65504.0, 6e-8], dtype=torch.float16),
        t([1 + 2j, -3 - 4.5j]),
        t([1 + 2j, 3e-6 - 0.0j]),
        t(complex(nan, -inf)),
        t([1 + 2j], dtype=torch.complex128),
        torch.randn(3, 4),
        torch.randn(2, 3, 4),
        torch.randn(2, 2, 2, 2),
        torch.randn(25),
        torch.randn(1, 30),
        make_pattern((1000,), torch.float32),
        make_pattern((1001,), torch.float32),
        make_pattern((40, 30,), torch.float32),
        make_pattern((7, 200,), torch.float32),
        make_pattern((6, 6, 40,), torch.float32),
        make_pattern((8, 9, 20,), torch.float32),
        torch.randint(-100, 100, (3, 30), dtype=torch.int32),
        make_pattern((50, 30), torch.int32),
        make_pattern((1500,), torch.complex64),
        torch.randn(14, dtype=torch.complex128),
        torch.randn(17, dtype=torch.float64),
        torch.randn(18, dtype=torch.float64),
        torch.zeros(0),
        torch.zeros(2, 0),
        torch.zeros(0, dtype=torch.int32),
        torch.zeros(2, 0, 3, dtype=torch.float64),
        torch.ones(2, 3, requires_grad=True),
        torch.ones(19, dtype=torch.float64, requires_grad=True),
    ]
    path = pathlib.Path(__file__).parents[2] / "test/tensor/fixtures/printed.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case(tensor)) for tensor in cases)
    path.write_text(f"[\n{lines}\n]\n")


main()
