"""Peer of inference.ts: the same networks in eager PyTorch.

{"make": case, "folder"} writes the case's weights, input and output, and the network as an ONNX file; answers
{"file", "onnx"}, the latter null where the exporter cannot write it. {"case", "runs", "threads"} answers {"ms"}.
"""
import json
import sys
import time
import warnings

import torch
import torchvision
from safetensors.torch import save_file

IMAGE, CLIP = (1, 3, 224, 224), (1, 3, 16, 112, 112)
SHAPES = {
    "resnet50": IMAGE,
    "mobilenet_v2": IMAGE,
    "efficientnet_b0": IMAGE,
    "vit_b_16": IMAGE,
    "swin_t": IMAGE,
    "r2plus1d_18": CLIP,
}
running = {}


def calibrate(model, shape):
    """Statistics of two small batches, and gains, shifts and heads that do something: faults in them are seen."""
    for parameter in model.parameters():
        if not parameter.any():
            parameter.data.normal_(0, 0.02)
    for module in model.modules():
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)):
            module.momentum = None
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    model.train()
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(2, *shape[1:]))
    return model.eval()


def make(name, folder):
    torch.manual_seed(0)
    shape = SHAPES[name]
    model = calibrate(torchvision.models.get_model(name, weights=None), shape)
    x = torch.randn(shape)
    with torch.inference_mode():
        output = model(x)
    file, onnx = f"{folder}/{name}.safetensors", f"{folder}/{name}.onnx"
    tensors = {f"model.{k}": v.contiguous().clone() for k, v in model.state_dict().items()}
    save_file({**tensors, "input": x, "output": output.clone()}, file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(model, (x,), onnx, input_names=["input"], output_names=["output"], dynamo=False)
        except torch.onnx.errors.OnnxExporterError as error:
            print(f"{name} has no ONNX form: {error}", file=sys.stderr)
            onnx = None
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
