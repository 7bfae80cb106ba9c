"""Peer of worker.ts: the same training by DistributedDataParallel over Gloo, started by torchrun.

With --make FILE it writes weights and a batch there instead.
"""
import json
import sys
import time

import torch
import torch.distributed as dist
import torchvision
from safetensors.torch import load_file, save_file
from torch.nn.parallel import DistributedDataParallel

if sys.argv[1] == "--make":
    torch.manual_seed(0)
    state = torchvision.models.resnet18(num_classes=10).state_dict()
    tensors = {f"model.{name}": value.contiguous().clone() for name, value in state.items()}
    save_file({**tensors, "input": torch.randn(32, 3, 96, 96), "target": torch.arange(32) % 10}, sys.argv[2])
    sys.exit()

file, steps, result = sys.argv[1], int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)
dist.init_process_group("gloo")
rank, world_size = dist.get_rank(), dist.get_world_size()
tensors = load_file(file)
model = torchvision.models.resnet18(num_classes=10)
model.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
network = DistributedDataParallel(model) if world_size > 1 else model
size = len(tensors["input"]) // world_size
x, y = (tensors[name][rank * size : (rank + 1) * size] for name in ("input", "target"))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
losses, times = [], []
for _ in range(steps):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(network(x), y)
    loss.backward()
    optimizer.step()
    mean = loss.detach().clone()
    dist.all_reduce(mean)
    losses.append(mean.item() / world_size)
    times.append(time.perf_counter())
if rank == 0:
    with open(result, "w") as out:
        json.dump({"losses": losses, "ms": [1000 * (b - a) for a, b in zip(times, times[1:])]}, out)
dist.destroy_process_group()
