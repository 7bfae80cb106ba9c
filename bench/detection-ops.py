"""Peer of detection-ops.ts: torchvision's nms, batched_nms, roi_align and deform_conv2d.

Answers {"prepare": NAME, "op", "tensors": {role: {"path", "shape", "dtype"}}, "options", "backward", "threads", "folder"} with
{"outputs": [path of raw float32]}, the result or the gradients by the tensors of `backward`; and {"run": NAME} with {"ms"}."""
import json
import sys
import time

import numpy as np
import torch
from torchvision.ops import batched_nms, deform_conv2d, nms, roi_align

cases = {}


def read(spec):
    data = np.fromfile(spec["path"], np.dtype(spec["dtype"])).reshape(spec["shape"])
    return torch.from_numpy(data)


def prepare(question):
    torch.set_num_threads(question["threads"])
    given = {role: read(spec) for role, spec in question["tensors"].items()}
    options, wanted = question["options"], question["backward"]
    for role in wanted:
        given[role].requires_grad_()
    upstream = given.pop("upstream", None)
    operators = {
        "nms": lambda: nms(given["boxes"], given["scores"], options["threshold"]),
        "batched_nms": lambda: batched_nms(given["boxes"], given["scores"], given["idxs"], options["threshold"]),
        "roi_align": lambda: roi_align(given["input"], given["boxes"], options["size"], options["scale"], 2, True),
        "deform_conv2d": lambda: deform_conv2d(given["input"], given["offset"], given["weight"], padding=1, mask=given["mask"]),
    }
    operator = operators[question["op"]]

    def run():
        if not wanted:
            with torch.no_grad():
                return [operator()]
        return torch.autograd.grad(operator(), [given[role] for role in wanted], upstream)

    cases[question["prepare"]] = run
    outputs = []
    for i, result in enumerate(run()):
        path = f"{question['folder']}/peer-{i}"
        result.detach().contiguous().float().numpy().tofile(path)
        outputs.append(path)
    return {"outputs": outputs}


for line in sys.stdin:
    question = json.loads(line)
    if "prepare" in question:
        answer = prepare(question)
    else:
        start = time.perf_counter()
        cases[question["run"]]()
        answer = {"ms": 1000 * (time.perf_counter() - start)}
    print(json.dumps(answer))
