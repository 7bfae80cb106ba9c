"""Peer of components.ts. Answers {"task", "image", "shape", "dtype", "connectivity", "threads", "markers"} with {"ms", "output"}, paths
of raw arrays, or with {"missing"}, the package that is not installed.

Tasks: "opencv" and "opencv-stats" (connectedComponents of binary images), "scikit-image" (measure.label), "cc3d", "watershed"
(scikit-image's)."""
import importlib
import json
import sys
import time

import cv2
import numpy as np

ORDER = {4: 1, 8: 2, 6: 1, 18: 2, 26: 3}
PACKAGES = {"scikit-image": "skimage.measure", "cc3d": "cc3d", "watershed": "skimage.segmentation"}


def work(question, image, markers):
    task, connectivity = question["task"], question["connectivity"]
    if task == "opencv":
        return lambda: cv2.connectedComponents(image, connectivity=connectivity)[1]
    if task == "opencv-stats":
        return lambda: cv2.connectedComponentsWithStats(image, connectivity=connectivity)[1]
    module = importlib.import_module(PACKAGES[task])
    if task == "scikit-image":
        return lambda: module.label(image, connectivity=ORDER[connectivity], background=0)
    if task == "cc3d":
        return lambda: module.connected_components(image, connectivity=connectivity)
    return lambda: module.watershed(image, markers, ORDER[connectivity])


for line in sys.stdin:
    question = json.loads(line)
    cv2.setNumThreads(question["threads"])
    image = np.fromfile(question["image"], question["dtype"]).reshape(question["shape"])
    markers = np.fromfile(question["markers"], np.int32).reshape(question["shape"]) if question["markers"] else None
    try:
        run = work(question, image, markers)
    except ImportError as error:
        print(json.dumps({"missing": error.name}))
        continue
    start = time.perf_counter()
    labels = run()
    ms = 1000 * (time.perf_counter() - start)
    path = question["image"] + ".out"
    labels.astype(np.int32).tofile(path)
    print(json.dumps({"ms": ms, "output": path}))
