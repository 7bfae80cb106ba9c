"""Writes test/fixtures/vision/mosaic.json: mosaics, warps with boxes and colours as YOLOv5 describes them, by numpy and OpenCV.

`python tools/reference/mosaic.py` with numpy and opencv-python-headless
"""

import json
import math
from pathlib import Path

import cv2
import numpy as np

OUT = Path(__file__).resolve().parents[2] / "test/fixtures/vision/mosaic.json"
random = np.random.default_rng(3)
S = 16
SIZES = [(16, 12), (10, 16), (16, 16), (9, 16), (16, 8), (16, 11), (13, 16), (16, 14), (7, 16)]


def picture(size):
    """Pictures of one channel whose longer side is S, with two boxes."""
    height, width = size
    image = np.round(random.uniform(0, 1, size), 3).astype(np.float32)
    corners = np.sort(np.round(random.uniform(0, 1, (2, 2, 2)), 2) * [width, height], axis=1)
    return image, np.round(corners.reshape(2, 4), 3)


def four(pictures, x, y):
    canvas = np.full((2 * S, 2 * S), 114 / 255, np.float32)
    boxes = []
    # Pixel by pixel: which picture covers it.
    for (image, own), (left, top) in zip(pictures, [(1, 1), (0, 1), (1, 0), (0, 0)]):
        height, width = image.shape
        x0, y0 = x - left * width, y - top * height
        for row in range(2 * S):
            for column in range(2 * S):
                if 0 <= row - y0 < height and 0 <= column - x0 < width:
                    canvas[row, column] = image[row - y0, column - x0]
        boxes += [np.clip(box + [x0, y0, x0, y0], 0, 2 * S) for box in own]
    return canvas, np.array(boxes)


def nine(pictures, x, y):
    """Around the middle with the clock; each beside its neighbour, as the drawing in YOLOv5's repository shows."""
    canvas = np.full((3 * S, 3 * S), 114 / 255, np.float32)
    sizes = [image.shape for image, _ in pictures]
    (h0, w0), boxes = sizes[0], []
    for i, (image, own) in enumerate(pictures):
        h, w = sizes[i]
        hp, wp = sizes[i - 1] if i else (0, 0)
        x0 = [S, S, S + wp, S + w0, S + w0, S + w0 - w, S + w0 - wp - w, S - w, S - w][i]
        y0 = [S, S - h, S - h, S, S + hp, S + h0, S + h0, S + h0 - h, S + h0 - hp - h][i]
        for row in range(3 * S):
            for column in range(3 * S):
                if 0 <= row - y0 < h and 0 <= column - x0 < w:
                    canvas[row, column] = image[row - y0, column - x0]
        boxes += [np.clip(box + [x0 - x, y0 - y, x0 - x, y0 - y], 0, 2 * S) for box in own]
    return canvas[y:y + 2 * S, x:x + 2 * S], np.array(boxes)


def warps(image, boxes):
    cases = []
    for angle, scale, shear, shift, perspective, size in [
        (0, 1.3, (0, 0), (0.45, 0.6), (0, 0), (32, 32)),
        (25, 0.8, (5, -8), (0.5, 0.5), (0, 0), (20, 28)),
        (-10, 1.1, (3, 2), (0.55, 0.5), (0.002, -0.003), (16, 16)),
    ]:
        height, width = size
        center = np.array([[1, 0, -image.shape[1] / 2], [0, 1, -image.shape[0] / 2], [0, 0, 1]])
        projective = np.array([[1, 0, 0], [0, 1, 0], [*perspective, 1]])
        rotation = np.vstack([cv2.getRotationMatrix2D(angle=angle, center=(0, 0), scale=scale), [0, 0, 1]])
        sheared = np.array([[1, math.tan(math.radians(shear[0])), 0], [math.tan(math.radians(shear[1])), 1, 0], [0, 0, 1]])
        moved = np.array([[1, 0, shift[0] * width], [0, 1, shift[1] * height], [0, 0, 1]])
        matrix = moved @ sheared @ rotation @ projective @ center
        warped = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=114 / 255)
        kept, found = [], []
        for i, (x1, y1, x2, y2) in enumerate(boxes):
            corners = np.array([[x1, y1, 1], [x2, y2, 1], [x1, y2, 1], [x2, y1, 1]]) @ matrix.T
            xs, ys = np.clip(corners[:, 0] / corners[:, 2], 0, width), np.clip(corners[:, 1] / corners[:, 2], 0, height)
            w, h = np.ptp(xs), np.ptp(ys)
            area = (x2 - x1) * (y2 - y1) * scale**2
            if w > 2 and h > 2 and w * h / (area + 1e-16) > 0.1 and max(w / h, h / w) < 100:
                kept.append(i)
                found.append([xs.min(), ys.min(), xs.max(), ys.max()])
        cases.append({"matrix": matrix.ravel().tolist(), "scale": scale, "size": size, "kept": kept,
                      "boxes": np.array(found).tolist(), "image": warped.astype(float).round(4).tolist()})
    return cases


def colours():
    image = random.uniform(0, 1, (6, 5, 3)).astype(np.float32)
    hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    factors = [1.014, 1.5, 0.7]
    changed = [(hue * factors[0]) % 360, np.clip(saturation * factors[1], 0, 1), np.clip(value * factors[2], 0, 1)]
    result = cv2.cvtColor(cv2.merge([c.astype(np.float32) for c in changed]), cv2.COLOR_HSV2RGB)
    flat = lambda a: a.transpose(2, 0, 1).astype(float).round(6).tolist()
    return {"image": flat(image), "factors": factors, "result": flat(result)}


def mosaic_case(pictures, make, x, y):
    canvas, boxes = make(pictures, x, y)
    return {"center": [x, y], "image": canvas.astype(float).round(4).tolist(), "boxes": boxes.tolist()}


pictures = [picture(size) for size in SIZES]
canvas, boxes = four(pictures, 13, 20)
fixture = {
    "pictures": [{"image": image.astype(float).round(3).tolist(), "boxes": own.tolist()} for image, own in pictures],
    "four": [mosaic_case(pictures, four, *c) for c in [(13, 20), (8, 23)]],
    "nine": [mosaic_case(pictures, nine, *c) for c in [(0, 15), (9, 4)]],
    "warps": warps(canvas, boxes),
    "colours": colours(),
}
OUT.write_text(json.dumps(fixture) + "\n")
print(OUT.stat().st_size, [w["kept"] for w in fixture["warps"]])
