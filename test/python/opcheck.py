#!/usr/bin/env python3
"""torch.library.opcheck on every operator of the libraries, at the examples of test/fixtures/operators.json.

    python3 test/python/opcheck.py [OPERATOR ...] [--build FOLDER]

Needs Python with torch 2.11. Operators without an example fail. Where the CUDA library was built, its registrations are
compared with the examples' word, for which no GPU is needed; where there is one, every example runs on both devices.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = json.loads((ROOT / "test/fixtures/operators.json").read_text())
# Those that act on the graph of autograd, or tell of the process: they are no functions of tensors.
NOT_FUNCTIONS = {"grad", "backward", "_cpu_isa", "_tvl1_threads_of_last_call"}

TESTS = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic")


def operators():
    names = {s.name.split("::")[1] for s in torch._C._jit_get_all_schemas() if s.name.startswith("vision_native::")}
    return sorted(names - NOT_FUNCTIONS)


def value(given, device, gradients, generator):
    """A tensor where an example describes one: multiples of 1/16, which every floating dtype holds exactly."""
    if isinstance(given, list):
        return [value(one, device, gradients, generator) for one in given]
    if not isinstance(given, dict):
        return given
    dtype = getattr(torch, given.get("dtype", "float32"))
    if "values" in given:
        made = torch.tensor(given["values"], dtype=dtype).reshape(given["shape"])
    else:
        low, high = given.get("low", -2), given.get("high", 2)
        steps = 16 if dtype.is_floating_point else 1
        made = torch.randint(round(low * steps), round(high * steps) + 1, given["shape"], generator=generator) / steps
        made = made.to(dtype)
    return made.to(device).requires_grad_(gradients and dtype.is_floating_point and not given.get("constant"))


def refuses_gradients(operator, args, options):
    """Whether the call, or backward from its result, says that there is no derivative."""
    try:
        results = operator(*args, **options)
        sum(r.sum() for r in (results if isinstance(results, tuple) else (results,)) if r.requires_grad).backward()
    except RuntimeError as error:
        return "derivative" in str(error)
    return False


def runs_on_cuda(name):
    keys = ("CUDA", "CompositeExplicitAutograd", "CompositeImplicitAutograd")
    return any(torch._C._dispatch_has_kernel_for_dispatch_key(f"vision_native::{name}", key) for key in keys)


def failures(name, device):
    operator, example = getattr(torch.ops.vision_native, name).default, EXAMPLES[name]
    found = []
    for gradients in (False, True):
        generator = torch.Generator().manual_seed(1)
        make = lambda given: value(given, device, gradients, generator)
        args = tuple(make(given) for given in example["args"])
        options = {key: make(given) for key, given in example.get("options", {}).items()}
        if gradients and example.get("gradients") == "refused":
            found += [] if refuses_gradients(operator, args, options) else ["gives gradients, though they are refused"]
            continue
        # torch.compile breaks its graph at operators whose shapes depend on values.
        dynamic = torch.Tag.dynamic_output_shape in operator.tags
        tests = [name for name in TESTS if not (dynamic and name == "test_aot_dispatch_dynamic")]
        outcome = torch.library.opcheck(operator, args, options, test_utils=tests, raise_exception=False)
        found += [f"{test}{' with gradients' if gradients else ''}: {result}"
                  for test, result in outcome.items() if result != "SUCCESS"]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("operators", nargs="*", metavar="OPERATOR")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "Release")
    options = parser.parse_args()
    torch.ops.load_library(str(options.build / "libvision_native.so"))
    passed = failed = 0
    has_cuda = (options.build / "libvision_native_cuda.so").exists()
    if has_cuda:
        torch.ops.load_library(str(options.build / "libvision_native_cuda.so"))
        wrong = [name for name in operators() if bool(EXAMPLES.get(name, {}).get("cuda")) != runs_on_cuda(name)]
        passed, failed = (0, 1) if wrong else (1, 0)
        print(f"{'FAIL' if wrong else 'ok  '} kernels for CUDA are those that the examples state{':' if wrong else ''}", *wrong)
    else:
        print("the CUDA library is not built: devices were not compared")
    warnings.filterwarnings("ignore")
    devices = ["cpu", "cuda"] if has_cuda and torch.cuda.is_available() else ["cpu"]
    for name in options.operators or operators():
        for device in devices:
            found = failures(name, device) if name in EXAMPLES else ["no example in test/fixtures/operators.json"]
            passed, failed = passed + (not found), failed + bool(found)
            print(f"{'FAIL' if found else 'ok  '} {name} on {device}", *found, sep="\n     ", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
