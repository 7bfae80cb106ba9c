"""Writes test/fixtures/vision/homography.json: homographies by OpenCV from noisy points.

opencv-python-headless 5.0. `python tools/reference/homography.py`
"""

import json
from pathlib import Path

import cv2
import numpy as np

OUT = Path(__file__).resolve().parents[2] / "test/fixtures/vision/homography.json"
TRUE = np.array([[0.9, 0.12, 15], [-0.08, 1.1, -7], [4e-4, -2e-4, 1]])

random = np.random.default_rng(7)
cases = []
for count, noise in [(4, 0.0), (12, 0.3), (60, 1.0), (200, 2.0)]:
    points = np.round(random.uniform(0, 300, (count, 2)), 2)
    images = cv2.perspectiveTransform(points[None], TRUE)[0] + random.normal(0, noise, (count, 2))
    images = np.round(images, 3)
    matrix, _ = cv2.findHomography(points, images, 0)
    error = np.sum((cv2.perspectiveTransform(points[None], matrix)[0] - images) ** 2)
    row = {"from": points.tolist(), "to": images.tolist(), "matrix": matrix.tolist(), "error": float(error)}
    cases.append(row)

image = np.round(random.uniform(0, 1, (9, 11)), 3).astype(np.float32)
warps = []
for size in [(9, 11), (6, 14)]:
    warped = cv2.warpPerspective(image, TRUE * [[1, 1, 0.1], [1, 1, 0.1], [1, 1, 1]], size[::-1], flags=cv2.INTER_LINEAR)
    warps.append({"size": size, "warped": np.round(warped.astype(float), 4).tolist()})
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps({"cases": cases, "image": image.astype(float).round(3).tolist(), "warps": warps}) + "\n")
print([case["error"] for case in cases], OUT.stat().st_size)
