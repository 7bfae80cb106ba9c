"""Writes test/fixtures/native/segmentation.json: components, their properties and watersheds by scikit-image.

Run with a Python that has numpy, scipy and scikit-image: python tools/reference/segmentation.py

Watersheds are of images whose levels all differ, where the order of the flood has no ties.
"""
import json
import pathlib

import numpy as np
from scipy import ndimage
from skimage.measure import label, regionprops
from skimage.segmentation import watershed

PATH = pathlib.Path(__file__).parents[2] / "test/fixtures/native/segmentation.json"
ORDER = {4: 1, 8: 2, 6: 1, 18: 2, 26: 3}
rng = np.random.default_rng(20240817)


def components(shape, values, connectivity):
    image = rng.integers(0, values, shape).astype(np.int32)
    labels = label(image, connectivity=ORDER[connectivity], background=0)
    regions = regionprops(labels)
    return {
        "shape": list(shape),
        "connectivity": connectivity,
        "image": image.ravel().tolist(),
        "labels": labels.ravel().tolist(),
        "area": [int(r.area) for r in regions],
        "box": [list(map(int, r.bbox)) for r in regions],
        "centroid": [list(map(float, r.centroid)) for r in regions],
    }


def flood(shape, seeds, connectivity, masked, compactness, whole):
    count = int(np.prod(shape))
    smooth = ndimage.gaussian_filter(rng.standard_normal(shape), 1.5)
    image = np.empty(count, np.int64)
    image[np.argsort(smooth.ravel(), kind="stable")] = np.arange(count)
    image = image.reshape(shape) - count // 3
    markers = np.zeros(count, np.int32)
    markers[rng.choice(count, seeds, replace=False)] = np.arange(1, seeds + 1)
    markers = markers.reshape(shape)
    mask = rng.random(shape) < 0.85 if masked else np.ones(shape, bool)
    labels = watershed(image / (1 if whole else 7), markers, ORDER[connectivity], mask=mask, compactness=compactness)
    return {
        "shape": list(shape),
        "connectivity": connectivity,
        "compactness": compactness,
        "scale": 1 if whole else 7,
        "image": image.ravel().tolist(),
        "markers": markers.ravel().tolist(),
        "mask": mask.astype(int).ravel().tolist(),
        "labels": labels.ravel().tolist(),
    }


PATH.parent.mkdir(exist_ok=True)
PATH.write_text(
    json.dumps(
        {
            "components": [
                components((13, 70), 2, 4),
                components((13, 70), 2, 8),
                components((9, 131), 4, 4),
                components((9, 131), 4, 8),
                components((5, 6, 17), 2, 6),
                components((5, 6, 17), 3, 18),
                components((5, 6, 17), 4, 26),
            ],
            "watershed": [
                flood((17, 23), 6, 4, False, 0, True),
                flood((17, 23), 6, 8, True, 0, False),
                flood((6, 7, 9), 5, 6, True, 0, True),
                flood((6, 7, 9), 5, 18, False, 0, False),
                flood((6, 7, 9), 5, 26, True, 0, True),
                flood((17, 23), 6, 8, True, 30.5, True),
                flood((6, 7, 9), 5, 6, False, 12.25, False),
            ],
        },
        separators=(",", ":"),
    )
    + "\n"
)
