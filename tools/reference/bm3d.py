"""Writes test/fixtures/native/bm3d.safetensors: BM3D by a slow, obvious program in float64.

Run with a Python that has numpy, safetensors and PyWavelets: python tools/reference/bm3d.py

The blocks of each group are found by comparing all candidates, transformed by PyWavelets' bior1.5 and by scipy-free DCT
matrices, and put back one by one. `input` is uniform noise around a few edges; `hard` and `both` are the stages.
"""
import pathlib

import numpy as np
import pywt
from safetensors.numpy import save_file

PATH = pathlib.Path(__file__).parents[2] / "test/fixtures/native/bm3d.safetensors"
N, STEP = 8, 3


def wavelet_matrix():
    """Full decomposition with period 8; rows of length 1, so that the noise in each coefficient is that of a pixel."""
    rows = []
    for unit in np.eye(N):
        coefficients = pywt.wavedec(unit, "bior1.5", mode="periodization", level=3)
        rows.append(np.concatenate(coefficients))
    matrix = np.array(rows).T
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def cosine_matrix():
    k, i = np.arange(N)[:, None], np.arange(N)[None]
    return np.sqrt(np.where(k == 0, 1, 2) / N) * np.cos(np.pi * (2 * i + 1) * k / (2 * N))


def hadamard(count):
    matrix = np.ones((1, 1))
    while len(matrix) < count:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix / np.sqrt(len(matrix))


def places(side):
    found = list(range(0, side - N, STEP))
    return found + [side - N]


def stage(noisy, compared, basic, sigmas, limit, most, reach, matrix):
    channels, height, width = noisy.shape
    inverse = np.linalg.inv(matrix)
    window = np.outer(np.kaiser(N, 2), np.kaiser(N, 2))
    values, weights = np.zeros(noisy.shape), np.zeros(noisy.shape)
    block = lambda plane, p: plane[p[0]:p[0] + N, p[1]:p[1] + N]
    for y in places(height):
        for x in places(width):
            candidates = []
            for dy in range(-reach, reach + 1):
                for dx in range(-reach, reach + 1):
                    p = (y + dy, x + dx)
                    if not (0 <= p[0] <= height - N and 0 <= p[1] <= width - N):
                        continue
                    distance = np.mean((block(compared, p) - block(compared, (y, x))) ** 2)
                    if distance <= limit:
                        candidates.append((distance if (dy, dx) != (0, 0) else -1, p))
            candidates.sort(key=lambda c: c[0])
            count = 2 ** int(np.log2(min(len(candidates), most)))
            group = [p for _, p in candidates[:count]]
            third = hadamard(count)
            forward = lambda plane: np.einsum("kn,nij->kij", third, [matrix @ block(plane, p) @ matrix.T for p in group])
            for c in range(channels):
                coefficients = forward(noisy[c])
                if basic is None:
                    keep = np.abs(coefficients) >= 2.7 * sigmas[c]
                    coefficients = coefficients * keep
                    weight = 1 / max(keep.sum(), 1)
                else:
                    power = forward(basic[c]) ** 2
                    factor = power / (power + sigmas[c] ** 2)
                    coefficients = coefficients * factor
                    weight = 1 / np.sum(factor**2)
                blocks = np.einsum("kn,kij->nij", third, coefficients)
                for p, b in zip(group, blocks):
                    block(values[c], p)[...] += weight * window * (inverse @ b @ inverse.T)
                    block(weights[c], p)[...] += weight * window
    return values / weights


def bm3d(image, sigma, reach=19):
    colour = len(image) == 3
    to = np.array([[1, 1, 1], [1.5, 0, -1.5], [0.75, -1.5, 0.75]]) / 3 if colour else np.eye(1)
    noisy = np.einsum("ij,jyx->iyx", to, image)
    sigmas = sigma * np.linalg.norm(to, axis=1)
    strong = sigma > 40 / 255
    hard = stage(noisy, noisy[0], None, sigmas, (5000 if strong else 2500) / 255**2, 16, reach, wavelet_matrix())
    both = stage(noisy, hard[0], hard, sigmas, (3500 if strong else 400) / 255**2, 32, reach, cosine_matrix())
    back = np.linalg.inv(to)
    return [np.einsum("ij,jyx->iyx", back, result) for result in (hard, both)]


def picture(rng, channels, height, width, noise):
    y, x = np.mgrid[:height, :width]
    steps = 0.3 + 0.4 * ((x // 7 + y // 9) % 2)
    tint = np.array([1, 0.8, 0.5])[:channels, None, None]
    # float32, so that the test filters what was filtered here.
    return (tint * steps + noise * rng.standard_normal((channels, height, width))).astype(np.float32)


rng = np.random.default_rng(7)
tensors = {}
for name, channels, height, width, noise, reach in (
    ("grey", 1, 24, 29, 25 / 255, 19),
    ("colour", 3, 21, 19, 20 / 255, 19),
    ("strong", 1, 17, 30, 50 / 255, 19),
    ("near", 1, 19, 20, 15 / 255, 4),
    ("least", 1, 8, 8, 25 / 255, 19),
):
    image = picture(rng, channels, height, width, noise)
    hard, both = bm3d(image.astype(np.float64), noise, reach)
    tensors |= {f"{name}.input": image, f"{name}.hard": hard.astype(np.float32), f"{name}.both": both.astype(np.float32)}
save_file(tensors, PATH)
