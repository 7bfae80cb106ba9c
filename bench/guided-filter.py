"""Peer of guided-filter.ts: OpenCV's ximgproc.guidedFilter. Answers {"guide", "input", "height", "width", "channels",
"radius", "eps", "threads"}, paths of raw float32 images with interleaved channels, with {"ms", "output"}.

OpenCV's colour filter takes determinants below 1e-6 for 1, which is wrong for images in 0–1 with a small eps; it is given
0–255 and eps·255², and its result is scaled back outside the time."""
import json
import sys
import time

import cv2
import numpy as np

for line in sys.stdin:
    question = json.loads(line)
    cv2.setNumThreads(question["threads"])
    size = (question["height"], question["width"])
    channels = question["channels"]
    shape = size if channels == 1 else (*size, channels)
    guide = np.fromfile(question["guide"], np.float32).reshape(shape) * np.float32(255)
    image = np.fromfile(question["input"], np.float32).reshape(size) * np.float32(255)
    run = lambda: cv2.ximgproc.guidedFilter(guide, image, question["radius"], question["eps"] * 255 * 255)
    run()
    start = time.perf_counter()
    result = run()
    ms = 1000 * (time.perf_counter() - start)
    path = question["guide"] + ".out"
    (result / np.float32(255)).astype(np.float32).tofile(path)
    print(json.dumps({"ms": ms, "output": path}))
