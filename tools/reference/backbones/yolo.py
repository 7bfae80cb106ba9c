"""test/fixtures/backbones/yolov5.json and test/fixtures/yolov5.json, from the PyPI package yolov5 7.0.13 (installed without
its dependencies; those of its modules that only draw, log or download are replaced by empty ones)."""
import importlib.abc
import importlib.machinery
import json
import os
import sys
from unittest.mock import MagicMock

import torch
import torchvision  # noqa: F401 (before the empty modules: it looks at what is installed)



class Empty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives an empty module for what is not installed."""
    NAMES = {'pandas', 'seaborn', 'matplotlib', 'requests', 'scipy', 'thop', 'ultralytics', 'IPython', 'fire', 'boto3', 'sahi'}

    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if name.split('.')[0] in self.NAMES else None

    def create_module(self, spec):
        module = MagicMock(__path__=[], __spec__=spec)
        return module

    def exec_module(self, module):
        pass


sys.meta_path.append(Empty())
ASKED, sys.argv = sys.argv[1:], sys.argv[:1]

from common import FIXTURES, fill, hash_tensor, record  # noqa: E402
from yolov5.models import yolo  # noqa: E402
from yolov5.utils.augmentations import letterbox  # noqa: E402
from yolov5.utils.general import non_max_suppression  # noqa: E402
from yolov5.utils.loss import ComputeLoss  # noqa: E402

ROOT = os.path.dirname(yolo.__file__)
SOURCE = 'yolov5 7.0.13'


def make(name):
    folder = f'{ROOT}/hub' if name.endswith('6') else ROOT
    return yolo.DetectionModel(f'{folder}/{name}.yaml', ch=3, nc=80)


def cases():
    for size in 'nsmlx':
        for level, side in [('', 64), ('6', 64)]:
            name = f'yolov5{size}{level}'
            yield name, {
                'make': lambda name=name: make(name),
                'inputs': [{'shape': [1, 3, side, 2 * side], 'spread': 0.5, 'centre': 0.5}],
                'source': f'{SOURCE}: DetectionModel({name!r})',
            }


HYP = {'box': 0.05, 'cls': 0.5, 'obj': 1.0, 'cls_pw': 1.0, 'obj_pw': 1.0, 'anchor_t': 4.0, 'fl_gamma': 0.0}
TARGETS = [
    [0, 3, 0.52, 0.49, 0.30, 0.41], [0, 7, 0.11, 0.93, 0.08, 0.05], [1, 0, 0.97, 0.02, 0.05, 0.04],
    [1, 5, 0.501, 0.251, 0.9, 0.5], [1, 9, 0.31, 0.66, 0.02, 0.22],
]


def losses():
    made = []
    for changed in [{}, {'fl_gamma': 1.5, 'label_smoothing': 0.1, 'cls_pw': 1.7, 'obj_pw': 0.6}, {'anchor_t': 1.5}]:
        for targets in [TARGETS, []]:
            torch.manual_seed(0)
            model = yolo.DetectionModel(f'{ROOT}/yolov5n.yaml', ch=3, nc=11).train()
            model.hyp = {**HYP, **changed}
            levels = [
                hash_tensor(f'level{i}', (2, 3, 64 // 2**i, 80 // 2**i, 16), 2.0).requires_grad_() for i in range(3)
            ]
            total, parts = ComputeLoss(model)(levels, torch.tensor(targets).view(-1, 6))
            total.backward()
            made.append({
                'changed': changed, 'targets': targets, 'total': float(total), 'parts': parts.tolist(),
                'gradients': [float(level.grad.double().norm()) for level in levels],
            })
    return made


def suppressions():
    boxes = hash_tensor('boxes', (2, 60, 4), 20.0, 50.0)
    odds = hash_tensor('odds', (2, 60, 6), 0.5, 0.5)
    made = []
    for options in [{}, {'multi_label': True}, {'agnostic': True}, {'classes': [1, 3]}, {'max_det': 4, 'conf_thres': 0.5}]:
        found = non_max_suppression(torch.cat([boxes, odds], 2).clone(), **options)
        made.append({'options': options, 'found': [[[round(v, 5) for v in row] for row in each.tolist()] for each in found]})
    return made


def letterboxes():
    made = []
    for height, width, options in [(9, 20, {'new_shape': 32}), (45, 70, {'new_shape': (32, 48)}), (50, 31, {'new_shape': 64, 'stride': 16}),
                                   (10, 12, {'new_shape': 32, 'scaleup': False})]:
        image = hash_tensor('image', (3, height, width), 0.5, 0.5)
        options = {'auto': 'stride' in options, 'color': (0.25, 0.25, 0.25), **options}
        found, ratio, pad = letterbox(image.permute(1, 2, 0).numpy(), **options)
        found = torch.from_numpy(found).permute(2, 0, 1)
        made.append({'height': height, 'width': width, 'options': options, 'ratio': ratio[0], 'pad': [float(p) for p in pad],
                     'shape': list(found.shape), 'norm': float(found.double().norm()), 'middle': found[:, found.shape[1] // 2].flatten().tolist()})
    return made


if __name__ == '__main__':
    # `helpers` as the argument leaves out the networks, which take minutes.
    if 'helpers' not in ASKED:
        record('yolov5', dict(cases()))
    path = FIXTURES.parent / 'yolov5.json'
    found = {'source': SOURCE, 'losses': losses(), 'suppressions': suppressions(), 'letterboxes': letterboxes()}
    path.write_text(json.dumps(found) + '\n')
