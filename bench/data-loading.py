"""Peer of data-loading.ts: the same files through PyTorch's DataLoader with PIL and torchvision."""
import json
import pathlib
import sys
import time

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

NORMALIZE = [transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]


class Jpegs(Dataset):
    def __init__(self, folder, size):
        self.files = sorted(pathlib.Path(folder).glob("*.jpg"))
        self.transform = transforms.Compose([transforms.RandomResizedCrop(size), *NORMALIZE])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        return self.transform(Image.open(self.files[index]).convert("RGB")), index % 10


def main():
    setup = json.loads(sys.stdin.readline())
    torch.set_num_threads(setup["threads"])
    dataset = Jpegs(setup["folder"], setup["size"])
    loaders = {}
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        if "decode" in question:
            image = Image.open(pathlib.Path(setup["folder"]) / question["decode"]).convert("RGB")
            print(json.dumps({"values": transforms.Compose(NORMALIZE)(image).reshape(-1).tolist()}), flush=True)
            continue
        workers = question["workers"]
        if workers not in loaders:
            loaders = {
                workers: DataLoader(
                    dataset, setup["batch"], shuffle=True, drop_last=True, num_workers=workers,
                    persistent_workers=workers > 0,
                )
            }
        start = time.perf_counter()
        batches = sum(1 for _ in loaders[workers])
        print(json.dumps({"ms": (time.perf_counter() - start) * 1000 / batches}), flush=True)


if __name__ == "__main__":
    main()
