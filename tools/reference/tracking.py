"""Corners and tracked points of OpenCV, for test/vision/tracking.test.ts.

    python tools/reference/tracking.py

Writes test/fixtures/vision/tracking.json. OpenCV 5.0.
"""
import base64
import json
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 128, 96


def texture(seed: int, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH))
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
    return (smooth - smooth.min()) / (smooth.max() - smooth.min()) * 255


def text(image: np.ndarray) -> str:
    return base64.b64encode(image.astype(np.uint8).tobytes()).decode()


first = np.round(0.5 * texture(1, 1.5) + 0.5 * texture(2, 4)).astype(np.uint8)
matrix = np.array([[1.02, 0.03, 3.1], [-0.025, 0.985, -2.2], [1e-4, -5e-5, 1]])
second = cv2.warpPerspective(first, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)

response = cv2.cornerHarris(first, 11, 3, 0.04)
corners = cv2.goodFeaturesToTrack(first, 1000, 0.01, 5, blockSize=11, useHarrisDetector=True, k=0.04)
strongest = cv2.goodFeaturesToTrack(first, 10, 0.01, 12, blockSize=3, useHarrisDetector=True, k=0.04)
points = corners.reshape(-1, 1, 2).astype(np.float32)
tracked, status, _ = cv2.calcOpticalFlowPyrLK(
    first, second, points, None, winSize=(19, 19), maxLevel=3,
    criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.03), minEigThreshold=0.001)
one_level, one_status, _ = cv2.calcOpticalFlowPyrLK(
    first, second, points, None, winSize=(9, 9), maxLevel=0,
    criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 0.01), minEigThreshold=0.03)

out = {
    "opencv": cv2.__version__,
    "size": [HEIGHT, WIDTH],
    "first": text(first),
    "second": text(second),
    "matrix": matrix.tolist(),
    "response": {"rows": [5, 40, 90], "values": [response[y, ::16].tolist() for y in (5, 40, 90)]},
    "corners": corners.reshape(-1, 2).tolist(),
    "strongest": strongest.reshape(-1, 2).tolist(),
    "tracked": tracked.reshape(-1, 2).tolist(),
    "found": status.ravel().tolist(),
    "oneLevel": {"points": one_level.reshape(-1, 2).tolist(), "found": one_status.ravel().tolist()},
}
path = Path(__file__).parents[2] / "test/fixtures/vision/tracking.json"
path.write_text(json.dumps(out) + "\n")
print(path, len(corners), "corners", status.sum(), "found;", one_status.sum(), "at one level")
