"""Writes test/fixtures/metrics/segmentation.json: partitions by scikit-image, outlines by scipy (MedPy's formulas),
instances and panoptic quality by loops over pairs.

Run with a Python that has numpy, scipy and scikit-image: python tools/reference/segmentation_metrics.py
"""

import json
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage.metrics import adapted_rand_error, variation_of_information

OUT = Path(__file__).resolve().parents[2] / "test/fixtures/metrics/segmentation.json"
random = np.random.default_rng(5)


def blobs(shape, count, sigma):
    return ndimage.label(ndimage.gaussian_filter(random.normal(size=shape), sigma) > count)[0]


def partitions():
    cases = []
    for shape in [(24, 30), (8, 12, 14)]:
        target = blobs(shape, 0.05, 1.2)
        noise = random.integers(0, 3, shape)
        for predicted in [target, blobs(shape, 0.02, 1.2), np.where(noise > 0, target, target + 50 * (target > 0))]:
            split, merge = variation_of_information(target, predicted)
            split0, merge0 = variation_of_information(target, predicted, ignore_labels=[0])
            error, precision, recall = adapted_rand_error(target, predicted)
            whole = adapted_rand_error(target, predicted, ignore_labels=(), alpha=0.3)
            cases.append({
                "shape": shape, "target": target.ravel().tolist(), "predicted": predicted.ravel().tolist(),
                "information": [split, merge], "withoutBackground": [split0, merge0],
                "rand": [error, precision, recall], "whole": list(whole),
            })
    return cases


def surface(result, reference, spacing):
    """MedPy 0.5, metric.binary.__surface_distances with connectivity 1."""
    footprint = ndimage.generate_binary_structure(result.ndim, 1)
    border = [mask ^ ndimage.binary_erosion(mask, structure=footprint, iterations=1) for mask in (result, reference)]
    return ndimage.distance_transform_edt(~border[1], sampling=spacing)[border[0]]


def outlines():
    cases = []
    for shape, spacing in [((20, 26), [1, 1]), ((20, 26), [0.5, 2]), ((7, 12, 11), [3, 1, 0.8])]:
        a = ndimage.gaussian_filter(random.normal(size=shape), 1.5) > 0.02
        b = ndimage.gaussian_filter(random.normal(size=shape), 1.5) > 0.02
        there, back = surface(a, b, spacing), surface(b, a, spacing)
        tolerance = 1.5
        p, r = np.mean(there <= tolerance), np.mean(back <= tolerance)
        cases.append({
            "shape": shape, "spacing": spacing,
            "predicted": a.astype(int).ravel().tolist(), "target": b.astype(int).ravel().tolist(),
            "hausdorff": max(there.max(), back.max()),
            "hd95": np.percentile(np.hstack((there, back)), 95),
            "assd": (there.mean() + back.mean()) / 2,
            "tolerance": tolerance, "boundary": [p, r, 2 * p * r / (p + r)],
        })
    return cases


def average_precision(target, predicted, threshold, low, high):
    """One threshold and one range of sizes, by loops over all pairs of objects."""
    objects = {k: target == k for k in np.unique(target) if k}
    inside = lambda size: low < size <= high
    rows = sorted(((-(predicted == k).sum(), k) for k in np.unique(predicted) if k))
    taken, hits = set(), []
    wanted = sum(inside(mask.sum()) for mask in objects.values())
    for negative, label in rows:
        mask = predicted == label
        overlaps = {k: (mask & o).sum() / (mask | o).sum() for k, o in objects.items() if (mask & o).any()}
        of_class = {k: v for k, v in overlaps.items() if inside(objects[k].sum())}
        pool = of_class or overlaps
        best = max(pool, key=pool.get) if pool else 0
        hit = bool(pool) and pool[best] >= threshold and best not in taken
        if hit:
            taken.add(best)
        if inside(objects[best].sum()) if hit else inside(-negative):
            hits.append(hit)
    if wanted == 0:
        return None
    found = np.cumsum(hits) if hits else np.zeros(0)
    recall, precision = found / wanted, found / np.arange(1, len(hits) + 1)
    levels = np.array([i / 100 for i in range(101)])
    return float(np.mean([max(precision[recall >= level], default=0) for level in levels]))


def instances():
    cases = []
    ranges = {"small": [0, 8], "medium": [8, 30], "large": [30, 1e9]}
    for shape in [(40, 44), (10, 20, 22)]:
        target = blobs(shape, 0.08, 1.1)
        predicted = np.where(random.uniform(size=shape) < 0.9, target, 0)
        predicted = np.where(target % 5 == 1, np.where(np.indices(shape)[-1] % 2 == 0, target, target + 500), predicted)
        predicted = np.where((target == 0) & (random.uniform(size=shape) < 0.02), 900, predicted)
        predicted[target % 7 == 2] = 0
        thresholds = [0.3, 0.5, 0.75, 0.9]
        table = {name: [average_precision(target, predicted, t, *limits) for t in thresholds]
                 for name, limits in {"all": [0, 1e9], **ranges}.items()}
        cases.append({"shape": shape, "target": target.ravel().tolist(), "predicted": predicted.ravel().tolist(),
                      "thresholds": thresholds, "ranges": ranges, "precision": table})
    return cases


def panoptic():
    """Equation 1 of the paper with the rules of void and crowds, by loops over all pairs of segments."""
    scenes = []
    stat = {}
    for crowd in [False, True]:
        target = blobs((30, 34), 0.05, 1.5)
        target[:3] = 0
        predicted = np.where(random.uniform(size=target.shape) < 0.8, target, 0)
        predicted[:3, 5:20] = 77
        predicted[target % 4 == 3] = 78
        labels = [int(k) for k in np.unique(target) if k]
        kinds = {k: k % 3 for k in labels}
        guesses = {int(k): (int(k) % 3 if k % 6 else 2) for k in np.unique(predicted) if k}
        guesses[77], guesses[78] = 1, 0
        crowds = [labels[2], labels[5]] if crowd else []
        entry = lambda c: stat.setdefault(c, {"iou": 0.0, "tp": 0, "fp": 0, "fn": 0})
        found = set()
        for k in guesses:
            mask = predicted == k
            void = (mask & (target == 0)).sum()
            hit = False
            for g in labels:
                other = target == g
                if g in crowds or guesses[k] != kinds[g] or not (mask & other).any():
                    continue
                iou = (mask & other).sum() / ((mask | other).sum() - void)
                if iou > 0.5:
                    entry(kinds[g])["tp"] += 1
                    entry(kinds[g])["iou"] += float(iou)
                    found.add(g)
                    hit = True
            in_crowd = sum((mask & (target == g)).sum() for g in crowds if kinds[g] == guesses[k])
            if not hit and (void + in_crowd) / mask.sum() <= 0.5:
                entry(guesses[k])["fp"] += 1
        for g in labels:
            if g not in found and g not in crowds:
                entry(kinds[g])["fn"] += 1
        scenes.append({"shape": list(target.shape), "target": target.ravel().tolist(), "kinds": list(kinds.items()),
                       "predicted": predicted.ravel().tolist(), "guesses": list(guesses.items()), "crowds": crowds})
    per = {c: [s["iou"] / (s["tp"] + s["fp"] / 2 + s["fn"] / 2), s["iou"] / max(1, s["tp"]), s["tp"], s["fp"], s["fn"]]
           for c, s in sorted(stat.items())}
    return {"scenes": scenes, "categories": list(per.items()), "quality": float(np.mean([v[0] for v in per.values()]))}


fixture = {"partitions": partitions(), "outlines": outlines(), "instances": instances(), "panoptic": panoptic()}
OUT.write_text(json.dumps(fixture, default=float) + "\n")
print(OUT.stat().st_size, fixture["panoptic"]["categories"], [c["precision"] for c in fixture["instances"]])
