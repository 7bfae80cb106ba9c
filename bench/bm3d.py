"""Peer of bm3d.ts: PyPI's bm3d, by the authors of the method, where it is installed. Its licence allows non-commercial use
only, so that requirements.txt does not name it. OpenCV's xphoto.bm3dDenoising is left out of the wheels on PyPI.

Answers {"image", "shape", "sigma", "stages"}, a path of a raw float32 image [H, W, C], with {"ms", "output"} or {"missing"}."""
import json
import sys
import time

import numpy as np

sys.path.pop(0)  # this file has the package's name
try:
    import bm3d
except ImportError:
    bm3d = None

for line in sys.stdin:
    question = json.loads(line)
    if bm3d is None:
        print(json.dumps({"missing": "bm3d"}))
        continue
    image = np.fromfile(question["image"], np.float32).reshape(question["shape"]).squeeze()
    stages = bm3d.BM3DStages.ALL_STAGES if question["stages"] == "both" else bm3d.BM3DStages.HARD_THRESHOLDING
    run = bm3d.bm3d_rgb if image.ndim == 3 else bm3d.bm3d
    start, cpu = time.perf_counter(), time.process_time()
    result = run(image, question["sigma"], "np", stage_arg=stages) if image.ndim == 2 else run(image, question["sigma"], "np")
    ms, cpu_ms = 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - cpu)
    path = question["image"] + ".out"
    result.astype(np.float32).tofile(path)
    print(json.dumps({"ms": ms, "cpuMs": cpu_ms, "output": path}))
