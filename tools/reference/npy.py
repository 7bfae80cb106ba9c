"""Writes test/fixtures/npy/*: arrays by NumPy, and their contents as JSON. Run: python tools/reference/npy.py (numpy)"""
import json
import pathlib

import numpy

FOLDER = pathlib.Path(__file__).parents[2] / "test/fixtures/npy"

FLOATS = [0.0, -0.0, 1.0, -2.5, 1 / 3, 65504.0, 6e-8, float("inf"), float("-inf")]
ARRAYS = {
    **{f"f{size}": numpy.array(FLOATS, f"<f{size}").reshape(3, 3) for size in (2, 4, 8)},
    **{f"i{size}": numpy.array([-(2 ** (8 * size - 1)), 2 ** (8 * size - 1) - 1, 5], f"<i{size}") for size in (1, 2, 4, 8)},
    **{f"u{size}": numpy.array([0, 2 ** (8 * size) - 1, 7], f"<u{size}") for size in (1, 2, 4)},
    "u8": numpy.array([0, 2**63 - 1], "<u8"),
    "bool": numpy.array([[True, False, True]]),
    "c8": numpy.array([1 + 2j, -0.5j], "<c8"),
    "c16": numpy.array([1 + 2j, -0.1j], "<c16"),
    "scalar": numpy.float32(3.5),
    "empty": numpy.zeros((0, 3), "<f4"),
    "fortran": numpy.asfortranarray(numpy.arange(24, dtype="<i4").reshape(2, 3, 4)),
}
for kind in ("f2", "f4", "f8", "i2", "i4", "i8", "u2", "u4", "u8", "c8", "c16"):
    ARRAYS[f"big {kind}"] = ARRAYS[kind].astype(f">{kind}")


def values(array):
    flat = array.reshape(-1)
    if array.dtype.kind == "c":
        flat = numpy.stack([flat.real, flat.imag], -1).reshape(-1)
    return [str(value) for value in flat.tolist()]


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    numpy.savez(FOLDER / "arrays.npz", **ARRAYS)
    numpy.savez_compressed(FOLDER / "compressed.npz", **ARRAYS)
    contents = {name: {"shape": list(array.shape), "values": values(array)} for name, array in ARRAYS.items()}
    (FOLDER / "arrays.json").write_text(json.dumps(contents, indent=1) + "\n")
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(FOLDER / f"version-{version[0]}.npy", "wb") as file:
            numpy.lib.format.write_array(file, ARRAYS["f4"], version=version)
    numpy.save(FOLDER / "objects.npy", numpy.array([{}, None]), allow_pickle=True)
    numpy.save(FOLDER / "text.npy", numpy.array(["a", "bc"]))
    numpy.save(FOLDER / "records.npy", numpy.zeros(2, [("x", "<f4"), ("y", "<i4")]))
    numpy.save(FOLDER / "large-u8.npy", numpy.array([1, 2**64 - 1], "<u8"))
    # What this package writes must be, byte for byte, what NumPy writes.
    for name in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "bool", "c8", "scalar", "empty"):
        numpy.save(FOLDER / f"same-{name}.npy", ARRAYS[name])


if __name__ == "__main__":
    main()
