"""Two videos in the layout of the features released with W-TALC, arrays of Python objects.

    python tools/reference/reduced_features.py        (NumPy 2; writes test/fixtures/reduced-features)
"""

import pathlib

import numpy

OUT = pathlib.Path(__file__).parents[2] / "test/fixtures/reduced-features"
NOTES = OUT / "Tiny-Annotations"


def objects(values):
    array = numpy.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        array[i] = value
    return array


NOTES.mkdir(parents=True, exist_ok=True)
features = [numpy.arange(n * 4, dtype=numpy.float32).reshape(n, 4) / 8 for n in (3, 2, 5)]
numpy.save(OUT / "Tiny-I3D-JOINTFeatures.npy", objects(features), allow_pickle=True)
numpy.save(NOTES / "videoname.npy", numpy.array([b"video_validation_1", b"video_test_2", b"video_validation_3"]))
numpy.save(NOTES / "subset.npy", numpy.array(["validation", "test", "validation"]))
numpy.save(NOTES / "labels_all.npy", objects([["Diving", "CliffDiving"], ["Shotput"], []]), allow_pickle=True)
numpy.save(NOTES / "segments.npy", objects([[[0.5, 1.5], [1.0, 1.7]], numpy.array([[0.1, 0.9]]), []]), allow_pickle=True)
numpy.save(NOTES / "classlist.npy", numpy.array([b"CliffDiving", b"Diving", b"Shotput"]))
