"""Writes test/tensor/fixtures/indexed.json: what PyTorch 2.11 gives for indices.

Run with a Python that has torch==2.11.0: python tools/reference/index_tensors.py

The tensor is arange(24).reshape(2, 3, 4). A case holds the indices as data (`{"slice": [start, stop, step]}`,
`{"tensor": …}`, a list, a number, null for all, "newAxis", "..."), the shape and elements of the result, and the
elements of the whole tensor after 100 was assigned to that part.
"""
import json
import pathlib

import torch

TWO_ROWS = [[True, False, True], [False, True, False]]
CASES = [
    [],
    [0],
    [-1],
    [1, 2, 3],
    [1, -1],
    [None],
    ["..."],
    ["...", 0],
    [0, "..."],
    [0, "...", 0],
    [0, 0, "...", 0],
    ["newAxis"],
    [0, "newAxis"],
    ["...", "newAxis"],
    [None, "newAxis", 1, "newAxis"],
    [{"slice": [1, None, 1]}],
    [{"slice": [None, -1, 1]}],
    [None, {"slice": [-2, 100, 1]}, {"slice": [None, None, 2]}],
    [None, {"slice": [2, 1, 1]}],
    [None, {"slice": [-100, 1, 3]}],
    [{"tensor": [1, 0, 1]}],
    [{"tensor": [[0, 1], [1, -1]]}],
    [{"tensor": 1}],
    [None, {"tensor": 2}, None],
    [{"tensor": True}],
    [{"tensor": False}],
    [None, [0, 2]],
    [None, None, [3, 0]],
    [[0, 1], [1, 2]],
    [[0, 1], None, [1, 2]],
    [None, [0, 1], [1, 2]],
    [0, None, [1, 2]],
    [[0, 1], 1, [1, 2]],
    [[0, 1], "newAxis", [1, 2]],
    [[0, 1], "...", [1, 2]],
    [{"tensor": [[0], [1]]}, {"tensor": [[1, 2]]}],
    [[0, 1], {"slice": [1, 3, 1]}],
    [{"slice": [0, 1, 1]}, [2, 0, 1]],
    [{"tensor": TWO_ROWS}],
    [{"tensor": TWO_ROWS}, 3],
    [{"tensor": TWO_ROWS}, {"slice": [None, None, 2]}],
    [{"tensor": TWO_ROWS}, [0, 1, 2]],
    [0, {"tensor": TWO_ROWS[0]}],
    [None, [True, False, True]],
    [[False, False]],
    [[]],
    [None, []],
]


def native(index):
    if index is None:
        return slice(None)
    if index == "newAxis":
        return None
    if index == "...":
        return ...
    if isinstance(index, dict) and "slice" in index:
        return slice(*index["slice"])
    if isinstance(index, dict):
        return torch.tensor(index["tensor"])
    if isinstance(index, list):
        return torch.tensor(index, dtype=torch.bool if index and isinstance(index[0], bool) else torch.int64)
    return index


def case(indices):
    tensor = torch.arange(24.0).reshape(2, 3, 4)
    where = tuple(native(index) for index in indices)
    part = tensor[where].clone()
    tensor[where] = 100.0
    return {
        "indices": indices,
        "shape": list(part.shape),
        "elements": part.reshape(-1).tolist(),
        "assigned": tensor.reshape(-1).tolist(),
    }


path = pathlib.Path(__file__).parents[2] / "test/tensor/fixtures/indexed.json"
path.write_text("[\n" + ",\n".join(json.dumps(case(indices)) for indices in CASES) + "\n]\n")
