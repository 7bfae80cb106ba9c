"""Peer of inference.ts: the same networks in eager PyTorch.

{"make": case, "folder"} writes the case's weights, input and output, and the network as an ONNX file; answers
{"file", "onnx"}. {"case", "runs", "threads"} answers {"ms"}.
"""
import json
import sys
import time
import warnings

import torch
import torchvision
from safetensors.torch import save_file

SHAPE = (1, 3, 224, 224)
CASES = {
    "resnet50": lambda: torchvision.models.resnet50(num_classes=1000),
    "mobilenet_v2": lambda: torchvision.models.mobilenet_v2(num_classes=1000),
}
running = {}


def calibrate(model):
    """Statistics of two small batches, and gains and shifts that do something: folding them wrongly is seen."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    model.train()
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(2, 3, 96, 96))
    return model.eval()


def make(name, folder):
    torch.manual_seed(0)
    model = calibrate(CASES[name]())
    x = torch.randn(SHAPE)
    with torch.inference_mode():
        output = model(x)
    file, onnx = f"{folder}/{name}.safetensors", f"{folder}/{name}.onnx"
    tensors = {f"model.{k}": v.contiguous().clone() for k, v in model.state_dict().items()}
    save_file({**tensors, "input": x, "output": output.clone()}, file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (x,), onnx, input_names=["input"], output_names=["output"], dynamo=False)
    running[name] = (model, x)
    return {"file": file, "onnx": onnx}


def infer(name, runs):
    model, x = running[name]
    start = time.perf_counter()
    with torch.inference_mode():
        for _ in range(runs):
            model(x)
    return {"ms": (time.perf_counter() - start) / runs * 1e3}


for line in sys.stdin:
    question = json.loads(line)
    if "make" in question:
        answer = make(question["make"], question["folder"])
    else:
        torch.set_num_threads(question["threads"])
        answer = infer(question["case"], question["runs"])
    print(json.dumps(answer), flush=True)
