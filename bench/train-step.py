"""Peer of train-step.ts: the same training steps in eager PyTorch.

{"make": case, "folder"} writes the case's weights, input and target to a file and answers {"file"};
{"case", "steps", "threads"} trains on and answers {"ms", "losses"}.
"""
import json
import sys
import time

import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

LEARNING_RATE = 1e-4


class EncoderClassifier(nn.Module):
    def __init__(self, classes):
        super().__init__()
        layer = nn.TransformerEncoderLayer(256, 4, 1024, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        self.head = nn.Linear(256, classes)

    def forward(self, x):
        return self.head(self.encoder(x).mean(1))


CASES = {
    "resnet18": (lambda: torchvision.models.resnet18(num_classes=10), (8, 3, 64, 64)),
    "transformer": (lambda: EncoderClassifier(10), (8, 128, 256)),
}
running = {}


def make(name, folder):
    torch.manual_seed(0)
    build, shape = CASES[name]
    model = build().train()
    x, target = torch.randn(shape), torch.arange(shape[0]) % 10
    file = f"{folder}/{name}.safetensors"
    tensors = {f"model.{k}": v.contiguous().clone() for k, v in model.state_dict().items()}
    save_file({**tensors, "input": x, "target": target}, file)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=True)
    running[name] = (model, optimizer, x, target)
    return {"file": file}


def train(name, steps):
    model, optimizer, x, target = running[name]
    losses = []
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    ms = (time.perf_counter() - start) / steps * 1e3
    return {"ms": ms, "losses": [loss.item() for loss in losses]}


for line in sys.stdin:
    question = json.loads(line)
    if "make" in question:
        answer = make(question["make"], question["folder"])
    else:
        torch.set_num_threads(question["threads"])
        answer = train(question["case"], question["steps"])
    print(json.dumps(answer), flush=True)
