#!/usr/bin/env python3
"""Checks the CUDA kernels against the CPU kernels on a GPU, and measures them.

    python3 test/cuda/run.py [OPERATOR ...] [--build FOLDER] [--no-timing]

Needs Python with torch 2.11 for CUDA 13.0 and numpy, and the libraries of `npm run build:cuda`. A module beside this one
checks the operators of its name: `check(op, report)` and `measure(op, report)`, where `op` is torch.ops.vision_native and
`report(name, passed, detail)` records a result. Numbers in names are those of the kernel's specification.
"""

import argparse
import importlib
import sys
import traceback
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODULES = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in ("run", "support"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("operators", nargs="*", metavar="OPERATOR", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "Release")
    parser.add_argument("--no-timing", action="store_true")
    options = parser.parse_args()
    unknown = sorted(set(options.operators) - set(MODULES))
    if unknown:
        parser.error(f"no checks of {', '.join(unknown)}; there are those of {', '.join(MODULES)}")
    if not torch.cuda.is_available():
        print(f"no GPU: torch {torch.__version__} sees no CUDA device on this machine; nothing was checked")
        return 3
    for name in ("libvision_native.so", "libvision_native_cuda.so"):
        if not (options.build / name).exists():
            print(f"{options.build / name} is not there; run `npm run build:cuda`")
            return 2
        torch.ops.load_library(str(options.build / name))
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}")
    results = []

    def report(name, passed, detail):
        results.append(bool(passed))
        print(f"{'ok  ' if passed else 'FAIL'} {name}: {detail}", flush=True)

    for name in options.operators or MODULES:
        module = importlib.import_module(name)
        for step in (module.check,) if options.no_timing else (module.check, module.measure):
            try:
                step(torch.ops.vision_native, report)
            except Exception:
                report(f"{name}.{step.__name__}", False, traceback.format_exc())
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
