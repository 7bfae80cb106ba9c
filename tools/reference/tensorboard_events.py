"""Writes test/io/fixtures/tensorboard.events: an event file by PyTorch's SummaryWriter, at fixed times.

Run with a Python that has torch==2.11.0, numpy and tensorboard: python tools/reference/tensorboard_events.py [FOLDER]

With a folder it instead prints, as JSON, what TensorBoard itself finds in the event files there.
"""
import json
import pathlib
import sys
import tempfile
import time

import numpy as np

FIXTURE = pathlib.Path(__file__).parents[2] / "test/io/fixtures/tensorboard.events"


def write():
    time.time = lambda: 1700000000.25
    from torch.utils.tensorboard import SummaryWriter

    with tempfile.TemporaryDirectory() as folder:
        writer = SummaryWriter(folder, purge_step=3)
        writer.add_scalar("loss/train", 0.1, 0, walltime=1700000001.5)
        writer.add_scalar("loss/train", 0.0, 1, walltime=1700000002.5)
        writer.add_scalar("loss/train", float("nan"), 128, walltime=1700000003.5)
        writer.add_scalar("größe", -1e-30, 2**40 + 5, walltime=1700000004.5)
        writer.add_scalar("new", 2.5, 7, walltime=1700000005.5, new_style=True)
        writer.add_text("notes", "a **b**\n\nc — d", 4, walltime=1700000006.5)
        # Multiples of 1/8, whose sums are exact in whatever order.
        values = np.arange(-24, 40)[::3] / 8
        writer.add_histogram("weights", values, 5, walltime=1700000007.5)
        writer.add_histogram("zeros", np.zeros(3), 6, walltime=1700000008.5)
        image = np.arange(24, dtype=np.uint8).reshape(3, 2, 4) * 10
        writer.add_image("image", image, 8, walltime=1700000009.5)
        writer.close()
        (made,) = pathlib.Path(folder).iterdir()
        FIXTURE.write_bytes(made.read_bytes())


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    # By 0, all events are kept.
    accumulator = EventAccumulator(folder, size_guidance=dict(scalars=0, images=0, histograms=0, tensors=0)).Reload()
    scalars = {tag: [[e.wall_time, e.step, e.value] for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}
    histograms = {
        tag: [[e.step, e.histogram_value.num, list(e.histogram_value.bucket)] for e in accumulator.Histograms(tag)]
        for tag in accumulator.Tags()["histograms"]
    }
    images = {
        tag: [[e.step, e.width, e.height, len(e.encoded_image_string)] for e in accumulator.Images(tag)]
        for tag in accumulator.Tags()["images"]
    }
    texts = {
        tag: [[e.step, e.tensor_proto.string_val[0].decode()] for e in accumulator.Tensors(tag)]
        for tag in accumulator.Tags()["tensors"]
    }
    print(json.dumps(dict(scalars=scalars, histograms=histograms, images=images, texts=texts)))


read(sys.argv[1]) if len(sys.argv) > 1 else write()
