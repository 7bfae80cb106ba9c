"""The OpenCV side of tvl1-accuracy: flow of two grey frames by TV-L1, DIS and Farneback.

Arguments: width, height, uint8|float32, first frame, second frame, folder for the results.
Frames are raw values, row by row. Each method writes `<name>.flow`: u and v of each pixel, float32. The last line printed
is JSON: {"opencv": version, "methods": [{"name", "ms"}]}.
"""

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np

width, height = int(sys.argv[1]), int(sys.argv[2])
dtype, folder = np.dtype(sys.argv[3]), Path(sys.argv[6])
first, second = (np.fromfile(path, dtype).reshape(height, width) for path in sys.argv[4:6])

METHODS = {
    # All parameters at their defaults; the flow is None, so that nothing is started from.
    "DualTVL1": lambda: cv2.optflow.DualTVL1OpticalFlow_create().calc(first, second, None),
    "DIS (medium)": lambda: cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(first, second, None),
    # The values of OpenCV's own sample.
    "Farneback": lambda: cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0),
}
# The others take bytes only.
names = list(METHODS) if dtype == np.uint8 else ["DualTVL1"]

methods = []
for name in names:
    start = time.perf_counter()
    flow = METHODS[name]()
    ms = 1000 * (time.perf_counter() - start)
    flow.astype(np.float32).tofile(folder / f"{name}.flow")
    methods.append({"name": name, "ms": ms})
print(json.dumps({"opencv": cv2.__version__, "methods": methods}))
