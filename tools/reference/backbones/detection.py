"""test/fixtures/backbones/detection.json, from torchvision: what the heads of detectors say, before anything is sorted or
dropped, so that a last bit cannot change which boxes there are."""
import torch
import torchvision
from common import record
from torchvision.models import detection, resnet18, resnet50
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.ops import FrozenBatchNorm2d

VERSION = f'torchvision {torchvision.__version__.split("+")[0]}'


def frozen_fpn(**options):
    return _resnet_fpn_extractor(resnet50(weights=None, norm_layer=FrozenBatchNorm2d), 5, **options)


def plain(name):
    return lambda: getattr(detection, name)(weights=None, weights_backbone=None)


def boxes_of(numbers):
    """Boxes of sizes that lie on every map, from numbers in [-1, 1)."""
    corners = numbers[:, :2] * 16 + 16
    return torch.cat([corners, corners + numbers[:, 2:] * 290 + 310], 1)


def rcnn(net, inputs):
    image, numbers = inputs
    maps = net.backbone(image)
    said = list(net.rpn.head(list(maps.values())))
    boxes, sizes, heads = [boxes_of(numbers)], [tuple(image.shape[-2:])], net.roi_heads
    said.append(heads.box_predictor(heads.box_head(heads.box_roi_pool(maps, boxes, sizes))))
    if heads.has_mask():
        said.append(heads.mask_predictor(heads.mask_head(heads.mask_roi_pool(maps, boxes, sizes))))
    if heads.has_keypoint():
        said.append(heads.keypoint_predictor(heads.keypoint_head(heads.keypoint_roi_pool(maps, boxes, sizes))))
    return said


IMAGE, NUMBERS = {'shape': [1, 3, 64, 64]}, {'shape': [6, 4]}
cases = {
    'resnet_fpn_backbone': {
        'make': lambda: _resnet_fpn_extractor(resnet18(weights=None), 5),
        'options': {'network': 'resnet18'},
        'inputs': [IMAGE],
        'source': f'{VERSION}: _resnet_fpn_extractor(resnet18(weights=None), 5)',
    },
}
for name, frozen in {
    'fasterrcnn_resnet50_fpn': lambda: detection.FasterRCNN(frozen_fpn(), 91),
    'maskrcnn_resnet50_fpn': lambda: detection.MaskRCNN(frozen_fpn(), 91),
    'keypointrcnn_resnet50_fpn': lambda: detection.KeypointRCNN(frozen_fpn(), 2),
}.items():
    shared = {'inputs': [IMAGE, NUMBERS], 'source': f'{VERSION}: heads of {name}', 'run': rcnn}
    cases[name] = {'make': plain(name), **shared}
    cases[f'{name}_frozenbn'] = {'make': frozen, 'network': name, 'options': {'frozenNorm': True}, **shared}

record('detection', cases)
