"""Writes test/fixtures/native/tvl1-flow.safetensors: a part of the RubberWhale pair and its flow by OpenCV's DualTVL1.

Run with a Python that has opencv-contrib-python-headless (5.0) and safetensors: python tools/reference/tvl1_flow.py
"""
import pathlib

import cv2
import numpy as np
from safetensors.numpy import save_file

ROOT = pathlib.Path(__file__).parents[2]
PATH = ROOT / "test/fixtures/native/tvl1-flow.safetensors"
PART = (slice(120, 168), slice(230, 294))

first, second = (
    np.ascontiguousarray(cv2.imread(str(ROOT / f"examples/data/rubberwhale{i}.png"), cv2.IMREAD_GRAYSCALE)[PART])
    for i in (1, 2)
)
cv2.setNumThreads(1)


def flow(**options):
    solver = cv2.optflow.DualTVL1OpticalFlow_create()
    for name, value in options.items():
        getattr(solver, f"set{name}")(value)
    return np.ascontiguousarray(solver.calc(first, second, None).transpose(2, 0, 1))


save_file(
    {
        "first": first,
        "second": second,
        "defaults": flow(),
        "one_warp": flow(ScalesNumber=1, WarpingsNumber=1, OuterIterations=1, Epsilon=0.0),
        "two_warps": flow(ScalesNumber=1, WarpingsNumber=2, OuterIterations=2, Epsilon=0.0),
    },
    PATH,
)
