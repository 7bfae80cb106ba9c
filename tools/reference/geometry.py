"""Writes test/fixtures/geometry/rotations.json: rotations by scipy, alignments by scikit-image, cameras by OpenCV.

numpy, scipy, scikit-image, opencv-python-headless. `python tools/reference/geometry.py`
"""

import itertools
import json
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation, Slerp
from skimage.transform import SimilarityTransform

OUT = Path(__file__).resolve().parents[2] / "test/fixtures/geometry"
OUT.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(11)


def write(name, value):
    plain = json.loads(json.dumps(value, default=lambda a: np.round(np.asarray(a, float), 12).tolist()))
    (OUT / name).write_text(json.dumps(plain) + "\n")
    print(name, (OUT / name).stat().st_size)


def rotations():
    quaternions = random.normal(size=(12, 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    # Each of the four largest once, half turns and none.
    special = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1e-9, 0.6, 0.8, 0], [1, 1e-8, 0, 0]])
    quaternions = np.concatenate([quaternions, special])
    rotation = Rotation.from_quat(quaternions[:, [1, 2, 3, 0]])
    canonical = rotation.as_quat(canonical=True)[:, [3, 0, 1, 2]]
    first = rotation[:12]
    # Capitals with the body, small letters with the world; neighbours different.
    orders = ["".join(p) for p in itertools.product("XYZ", repeat=3) if p[0] != p[1] and p[1] != p[2]]
    orders += [order.lower() for order in orders]
    ends = Rotation.from_quat(np.roll(quaternions[:2], -1, axis=1))
    times = [0, 0.1, 0.5, 0.9, 1]
    return {
        "quaternions": canonical,
        "matrices": rotation.as_matrix(),
        "axisAngle": rotation.as_rotvec(),
        "products": (first * Rotation.from_quat(first.as_quat()[::-1])).as_matrix(),
        "euler": {order: first.as_euler(order) for order in orders},
        "slerp": {"times": times, "matrices": Slerp([0, 1], ends)(times).as_matrix()},
        "angles": (first.inv() * Rotation.from_quat(first.as_quat()[::-1])).magnitude(),
    }


def alignments():
    cases = []
    for count, noise, mirror in [(5, 0.0, False), (12, 0.3, False), (9, 0.5, True)]:
        source = random.normal(size=(count, 3))
        target = 1.7 * Rotation.random(rng=random).apply(source) + [1, -2, 3] + random.normal(0, noise, (count, 3))
        if mirror:
            target[:, 0] *= -1
        weights = random.uniform(0.2, 1, count)
        rigid, _ = Rotation.align_vectors(target - target.mean(0), source - source.mean(0))
        means = [np.average(points, axis=0, weights=weights) for points in (source, target)]
        weighted, _ = Rotation.align_vectors(target - means[1], source - means[0], weights=weights)
        similar = SimilarityTransform.from_estimate(source, target)
        cases.append({
            "from": source, "to": target, "weights": weights,
            "rotation": rigid.as_matrix(), "weighted": weighted.as_matrix(),
            "similarity": similar.params,
        })
    return cases


def cameras():
    points = random.uniform(-1, 1, (10, 3)) + [0, 0, 4]
    axis, translation = np.array([0.2, -0.1, 0.3]), np.array([0.1, -0.2, 0.4])
    intrinsics = np.array([[520.0, 0, 321], [0, 515, 242], [0, 0, 1]])
    cases = []
    for distortion in [[], [0.1, -0.05, 0.002, -0.003], [0.1, -0.05, 0.002, -0.003, 0.02],
                       [0.1, -0.05, 0.002, -0.003, 0.02, 0.05, -0.01, 0.004]]:
        pixels, _ = cv2.projectPoints(points, axis, translation, intrinsics, np.array(distortion, float))
        cases.append({"distortion": distortion, "pixels": pixels[:, 0]})
    return {"points": points, "axisAngle": axis, "translation": translation, "intrinsics": intrinsics, "cases": cases}


def nerf():
    """Mildenhall et al. 2020, equations 3 to 5, in numpy loops."""
    bins = np.sort(random.uniform(2, 6, (3, 9)), axis=1)
    weights = random.uniform(0, 1, (3, 8))
    weights[1, 2:5] = 0
    u = random.uniform(0, 1, (3, 12))
    samples = np.zeros_like(u)
    for r in range(3):
        p = (weights[r] + 1e-5) / np.sum(weights[r] + 1e-5)
        cdf = np.concatenate([[0], np.cumsum(p)])
        samples[r] = np.interp(u[r], cdf, bins[r])
    densities, depths = random.uniform(0, 3, (3, 8)), np.sort(random.uniform(2, 6, (3, 8)), axis=1)
    out = np.zeros_like(densities)
    left = np.zeros(3)
    for r in range(3):
        transmitted = 1.0
        for i in range(8):
            distance = depths[r, i + 1] - depths[r, i] if i < 7 else 1e10
            alpha = 1 - np.exp(-densities[r, i] * distance)
            out[r, i] = transmitted * alpha
            transmitted *= 1 - alpha
        left[r] = transmitted
    return {"bins": bins, "weights": weights, "u": u, "samples": samples,
            "densities": densities, "depths": depths, "volume": out, "left": left}


def transport():
    first, second = random.normal(size=(2, 20, 3))
    costs = cdist(first, second)
    rows, columns = linear_sum_assignment(costs)
    squared = costs**2
    srows, scolumns = linear_sum_assignment(squared)
    # Sinkhorn in the log domain, uniform masses, until nothing changes.
    a, b, eps = random.normal(size=(6, 2)), random.normal(size=(9, 2)), 0.1
    cost = cdist(a, b) ** 2
    f, g = np.zeros(6), np.zeros(9)
    lse = lambda m, axis: np.log(np.sum(np.exp(m - m.max(axis, keepdims=True)), axis)) + m.max(axis)
    for _ in range(20000):
        f = eps * (np.log(1 / 6) - lse((g[None] - cost) / eps, 1))
        g = eps * (np.log(1 / 9) - lse((f[:, None] - cost) / eps, 0))
    plan = np.exp((f[:, None] + g[None] - cost) / eps)
    rectangle = random.integers(0, 30, (7, 11))
    return {
        "first": first, "second": second, "assignment": columns, "distance": costs[rows, columns].mean(),
        "squared": squared[srows, scolumns].mean(),
        "rectangle": rectangle, "least": int(rectangle[linear_sum_assignment(rectangle)].sum()),
        "a": a, "b": b, "epsilon": eps, "plan": plan, "cost": float((plan * cost).sum()),
    }


write("rotations.json", rotations())
write("alignments.json", alignments())
write("cameras.json", cameras())
write("nerf.json", nerf())
write("transport.json", transport())
