"""Peer of tvl1-flow.ts: OpenCV's DualTVL1 with its defaults. Answers {"first", "second", "height", "width", "threads"},
paths of raw uint8 frames, with {"ms", "flow"}: the time of one solve and the path of its float32 flow."""
import json
import sys
import time

import cv2
import numpy as np

for line in sys.stdin:
    question = json.loads(line)
    cv2.setNumThreads(question["threads"])
    size = (question["height"], question["width"])
    first, second = (np.fromfile(question[name], np.uint8).reshape(size) for name in ("first", "second"))
    start = time.perf_counter()
    flow = cv2.optflow.DualTVL1OpticalFlow_create().calc(first, second, None)
    ms = 1000 * (time.perf_counter() - start)
    path = question["first"] + ".flow"
    flow.astype(np.float32).tofile(path)
    print(json.dumps({"ms": ms, "flow": path}))
