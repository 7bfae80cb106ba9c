"""Skeletons of random blobs by scikit-image 0.26 (method 'lee'), as rows of hexadecimal bits.

Run with a Python that has scikit-image and scipy; writes test/fixtures/vision/skeleton3d.json.
"""

import json
import pathlib

import numpy as np
from scipy import ndimage
from skimage.morphology import skeletonize

SHAPE = (12, 14, 16)
random = np.random.default_rng(7)


def packed(volume):
    return np.packbits(volume.reshape(-1)).tobytes().hex()


cases = []
for sigma in (1.2, 1.6, 2.0):
    noise = ndimage.gaussian_filter(random.standard_normal(SHAPE), sigma)
    mask = noise > np.quantile(noise, 0.6)
    cases.append({"mask": packed(mask), "skeleton": packed(skeletonize(mask, method="lee") > 0)})

path = pathlib.Path(__file__).parents[2] / "test" / "fixtures" / "vision" / "skeleton3d.json"
path.write_text(json.dumps({"shape": SHAPE, "cases": cases}) + "\n")
