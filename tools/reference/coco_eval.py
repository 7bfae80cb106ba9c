"""Writes test/fixtures/metrics/coco.json: what pycocotools says of 200 random cases, and of random polygons as masks.

pycocotools 2.0.11, numpy 2.4. `python tools/reference/coco_eval.py`

The cases are made from hashed numbers in the same order as in test/support/coco-cases.ts.
"""

import contextlib
import copy
import hashlib
import io
import json
import math
from pathlib import Path

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

OUT = Path(__file__).resolve().parents[2] / "test/fixtures/metrics/coco.json"
PERIOD = 65_537
KINDS = ["bbox", "segm", "keypoints"]


def hash_numbers(name, count):
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    x = (seed + np.arange(count, dtype=np.uint64) * 0x9E3779B9) & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return (x ^ (x >> 16)).astype(np.float64) / 2**31 - 1


class Draw:
    def __init__(self, name):
        self.numbers = hash_numbers(name, PERIOD).tolist()
        self.next = 0

    def unit(self):
        value = (self.numbers[self.next % PERIOD] + 1) / 2
        self.next += 1
        return value

    def whole(self, low, high):
        return low + math.floor(self.unit() * (high - low + 1))

    def between(self, low, high):
        return math.floor((low + self.unit() * (high - low)) * 100) / 100


def polygons(draw, x, y, w, h):
    parts = []
    for _ in range(draw.whole(1, 2)):
        part = []
        for _ in range(draw.whole(3, 8)):
            part += [draw.between(x - 3, x + w + 3), draw.between(y - 3, y + h + 3)]
        parts.append(part)
    return parts


def shape(draw, kind, width, height):
    x, y = draw.between(0, width * 0.8), draw.between(0, height * 0.8)
    w, h = draw.between(2, width - x), draw.between(2, height - y)
    box = {"bbox": [x, y, w, h], "area": w * h * draw.between(0.4, 1)}
    if kind == "bbox":
        return box
    if kind == "segm":
        return {**box, "segmentation": polygons(draw, x, y, w, h)}
    marked = draw.unit() < 0.8
    points = []
    for _ in range(17):
        visible = draw.whole(0, 2) if marked else 0
        points += [draw.between(x, x + w), draw.between(y, y + h), visible]
    return {**box, "keypoints": points, "num_keypoints": sum(v > 0 for v in points[2::3])}


def rle(parts, height, width):
    merged = masks.merge(masks.frPyObjects(parts, height, width))
    return {"size": merged["size"], "counts": merged["counts"].decode()}


def detection_of(kind, made, height, width):
    if kind == "bbox":
        return {"bbox": made["bbox"]}
    if kind == "segm":
        return {"segmentation": rle(made["segmentation"], height, width)}
    return {"keypoints": made["keypoints"]}


def jitter(draw, kind, made, height, width):
    by = 0.02 if draw.unit() < 0.5 else 0.15
    x, y, w, h = made["bbox"]

    def moved(value, length):
        return value + draw.between(-by, by) * length

    if kind == "bbox":
        return {"bbox": [moved(x, w), moved(y, h), max(1, moved(w, w)), max(1, moved(h, h))]}
    if kind == "segm":
        parts = [[moved(v, w if i % 2 == 0 else h) for i, v in enumerate(part)] for part in made["segmentation"]]
        return {"segmentation": rle(parts, height, width)}
    points = [1 if i % 3 == 2 else moved(v, w if i % 3 == 0 else h) for i, v in enumerate(made["keypoints"])]
    return {"keypoints": points}


def case(index):
    draw = Draw(f"coco{index}")
    kind = KINDS[index % 3]
    categories = [{"id": i + 1, "name": str(i + 1)} for i in range(draw.whole(1, 3))]
    images = []
    for i in range(draw.whole(1, 4)):
        width, height = draw.whole(40, 260), draw.whole(40, 260)
        images.append({"id": i + 1, "width": width, "height": height})
    annotations, detections = [], []
    for image in images:
        width, height = image["width"], image["height"]
        objects = []
        for _ in range(draw.whole(0, 6)):
            category = draw.whole(1, len(categories))
            crowd = 1 if draw.unit() < 0.15 else 0
            made = shape(draw, kind, width, height)
            objects.append({"image_id": image["id"], "category_id": category, "iscrowd": crowd, **made})
        annotations += objects
        extra = 130 if index % 25 == 0 else draw.whole(0, 12)
        for made in objects:
            for _ in range(draw.whole(0, 2)):
                score = draw.whole(0, 20) / 20
                found = jitter(draw, kind, made, height, width)
                detections.append(
                    {"image_id": image["id"], "category_id": made["category_id"], "score": score, **found}
                )
        for _ in range(extra):
            category = draw.whole(1, len(categories))
            score = draw.whole(0, 20) / 20
            found = detection_of(kind, shape(draw, kind, width, height), height, width)
            detections.append({"image_id": image["id"], "category_id": category, "score": score, **found})
    for i, annotation in enumerate(annotations):
        annotation["id"] = i + 1
    return kind, {"images": images, "categories": categories, "annotations": annotations}, detections


def evaluate(kind, truth, detections):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = copy.deepcopy(truth)
        coco.createIndex()
        # loadRes takes no empty list.
        found = coco.loadRes(copy.deepcopy(detections)) if detections else COCO()
        if not detections:
            found.dataset = {**copy.deepcopy(truth), "annotations": []}
            found.createIndex()
        run = COCOeval(coco, found, kind)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(value) for value in run.stats]


def polygon_case(index):
    draw = Draw(f"polygon{index}")
    width, height = draw.whole(1, 60), draw.whole(1, 60)
    parts = polygons(draw, draw.between(-5, width), draw.between(-5, height), draw.between(0, 40), draw.between(0, 40))
    encoded = masks.frPyObjects(parts, height, width)
    union, shared = masks.merge(encoded), masks.merge(encoded, intersect=True)
    pixels = masks.decode(union)
    assert masks.encode(np.asfortranarray(pixels))["counts"] == union["counts"] or pixels.sum() == masks.area(union)
    return {
        "parts": [part["counts"].decode() for part in encoded],
        "union": union["counts"].decode(),
        "shared": shared["counts"].decode(),
        "encoded": masks.encode(np.asfortranarray(pixels))["counts"].decode(),
        "area": int(masks.area(union)),
        "box": [float(v) for v in masks.toBbox(union)],
        "pixels": hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()[:16],
        "iou": float(masks.iou([encoded[0]], [union], [0])[0, 0]),
        "crowd": float(masks.iou([union], [encoded[0]], [1])[0, 0]),
    }


if __name__ == "__main__":
    stats = [evaluate(*case(index)) for index in range(200)]
    shapes = [polygon_case(index) for index in range(60)]
    lines = [json.dumps(row) for row in stats]
    rows = [json.dumps(row) for row in shapes]
    OUT.write_text('{"stats": [\n' + ",\n".join(lines) + '\n],\n"polygons": [\n' + ",\n".join(rows) + "\n]}\n")
    counted = sum(1 for row in stats if row[0] >= 0)
    print(f"{len(stats)} cases, {counted} with objects; {len(shapes)} polygons; {OUT.stat().st_size} bytes")
