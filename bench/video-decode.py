"""Peer of video-decode.ts: OpenCV's VideoCapture, which gives frames as 8-bit BGR, turned to RGB. Answers
{"path", "threads", "frames", "compare"} with {"ms", "frames", "means"}."""
import json
import sys
import time

import cv2

for line in sys.stdin:
    question = json.loads(line)
    cv2.setNumThreads(question["threads"])
    means, count, compare = [], 0, question["compare"]
    start = time.perf_counter()
    video = cv2.VideoCapture(question["path"], cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, question["threads"]])
    while count < question["frames"]:
        there, frame = video.read()
        if not there:
            break
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        if compare and count % compare == 0:
            means.append(float(rgb.mean()))
        count += 1
    video.release()
    print(json.dumps({"ms": 1000 * (time.perf_counter() - start), "frames": count, "means": means}))
