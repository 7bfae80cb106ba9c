"""Peer of transforms.ts: torchvision's v2 transforms on tensors. Answers {"case", "path", "seeds", "threads"}, the path
of a raw uint8 image 3 x 256 x 256, with {"ms", "output"}: the time of one sample and the path of the first, as float32."""
import json
import sys
import time

import numpy as np
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import v2

TO_FLOATS = [v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
PIPELINES = {
    "train": v2.Compose([v2.RandomResizedCrop(224), v2.RandomHorizontalFlip(), *TO_FLOATS]),
    "evaluate": v2.Compose([v2.Resize(232), v2.CenterCrop(224), *TO_FLOATS]),
    "jitter": v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
    "affine": v2.RandomAffine(20, (0.1, 0.1), (0.8, 1.2), interpolation=InterpolationMode.BILINEAR),
    "blur": v2.GaussianBlur(9),
    "randAugment": v2.RandAugment(),
    "augMix": v2.AugMix(),
}

for line in sys.stdin:
    question = json.loads(line)
    torch.set_num_threads(question["threads"])
    image = torch.from_numpy(np.fromfile(question["path"], np.uint8).reshape(3, 256, 256))
    transform = PIPELINES[question["case"]]
    total = 0.0
    first = None
    for seed in question["seeds"]:
        torch.manual_seed(seed)
        start = time.perf_counter()
        output = transform(image)
        total += time.perf_counter() - start
        first = output if first is None else first
    path = question["path"] + ".output"
    first.to(torch.float32).contiguous().numpy().tofile(path)
    print(json.dumps({"ms": 1000 * total / len(question["seeds"]), "output": path}))
