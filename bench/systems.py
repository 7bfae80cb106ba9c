"""Peer of systems.ts: the networks of a system, composed of PyTorch's own operators by bench/systems/<system>.py.

{"load": {"system", "config", "device", "threads", "file", "answer"}} loads the state of the file into the system's
`network(config)`, name by name, and writes what it makes of the file's inputs. {"runs"} answers {"ms"}, the time of a pass;
{"memory"} answers {"mb"}, what a pass takes at most beside weights and inputs; {"cuda"} whether there is a GPU for PyTorch.
"""
import importlib.util
import json
import pathlib
import sys
import time

import torch
from safetensors.torch import load_file, save_file

FOLDER = pathlib.Path(__file__).parent / "systems"


def module_of(system):
    spec = importlib.util.spec_from_file_location(f"peer of {system}", FOLDER / f"{system}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class System:
    def __init__(self, system, config, device, threads, file, answer):
        torch.set_num_threads(threads)
        tensors = load_file(file, device)
        state = {name[len("state.") :]: tensor for name, tensor in tensors.items() if name.startswith("state.")}
        self.inputs = [tensors[f"input.{i}"] for i in range(len(tensors) - len(state))]
        self.network = module_of(system).network(config).to(device).eval()
        self.network.load_state_dict(state)
        save_file({f"output.{i}": output.contiguous() for i, output in enumerate(self.run())}, answer)

    def run(self):
        with torch.inference_mode():
            outputs = self.network(*self.inputs)
        # Results are brought to the CPU, where a GPU must have ended before.
        return [output.cpu() for output in (outputs if isinstance(outputs, (tuple, list)) else [outputs])]

    def time(self, runs):
        start = time.perf_counter()
        for _ in range(runs):
            self.run()
        return (time.perf_counter() - start) / runs * 1e3

    def memory(self):
        self.run()
        before = status_mb("VmRSS")
        pathlib.Path("/proc/self/clear_refs").write_text("5")
        self.run()
        return status_mb("VmHWM") - before


def status_mb(field):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) * 1024 / 1e6


system = None
for line in sys.stdin:
    question = json.loads(line)
    if "load" in question:
        system = System(**question["load"])
        answer = {}
    elif "cuda" in question:
        answer = {"cuda": torch.cuda.is_available()}
    elif "memory" in question:
        answer = {"mb": system.memory()}
    else:
        answer = {"ms": system.time(question["runs"])}
    print(json.dumps(answer), flush=True)
