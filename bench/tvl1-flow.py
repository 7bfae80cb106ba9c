"""Peer of tvl1-flow.ts: OpenCV's DualTVL1. Answers {"first", "second", "height", "width", "threads", "epsilon", "outer",
"inner"}, paths of raw uint8 frames, with {"ms", "cpuMs", "flow"}: the times of one solve and the path of its float32 flow.
{"video", "frames", "height", "width", "folder"} is answered with {"paths"}: those frames in grey, resized, raw."""
import json
import sys
import time

import cv2
import numpy as np


def frames_of(question):
    video = cv2.VideoCapture(question["video"])
    paths = []
    for index in range(max(question["frames"]) + 1):
        _, frame = video.read()
        if index in question["frames"]:
            grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
            path = f"{question['folder']}/frame-{index}"
            cv2.resize(grey, (question["width"], question["height"]), interpolation=cv2.INTER_LINEAR).tofile(path)
            paths.append(path)
    return {"paths": paths}


def solve(question):
    cv2.setNumThreads(question["threads"])
    size = (question["height"], question["width"])
    first, second = (np.fromfile(question[name], np.uint8).reshape(size) for name in ("first", "second"))
    solver = cv2.optflow.DualTVL1OpticalFlow_create()
    solver.setEpsilon(question["epsilon"])
    solver.setOuterIterations(question["outer"])
    solver.setInnerIterations(question["inner"])
    start, cpu = time.perf_counter(), time.process_time()
    flow = solver.calc(first, second, None)
    ms, cpu_ms = 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - cpu)
    path = question["first"] + ".flow"
    flow.astype(np.float32).tofile(path)
    return {"ms": ms, "cpuMs": cpu_ms, "flow": path}


for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(frames_of(question) if "video" in question else solve(question)))
