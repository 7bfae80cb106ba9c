"""test/fixtures/vision/detectors.json: losses and detections of torchvision's detectors on small bodies with weights that are
a hash of their names, for images and targets that test/backbones/detectors.test.ts makes again.

Run with a Python that has torch==2.11.0 and torchvision==0.26.0: python tools/reference/detection_networks.py
"""
import json
import pathlib
import sys

import torch
import torchvision
from torch import nn
from torchvision.models import detection
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.ops import FrozenBatchNorm2d, MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / 'backbones'))
from common import fill, hash_tensor  # noqa: E402

CHANNELS = 32


def pyramid(stages=(1, 2, 3, 4), extra=None):
    body = ResNet(BasicBlock, [1, 1, 1, 1], norm_layer=FrozenBatchNorm2d)
    layers = {f'layer{s}': str(i) for i, s in enumerate(stages)}
    channels = [64 * 2 ** (s - 1) for s in stages]
    return BackboneWithFPN(body, layers, channels, CHANNELS, extra)


SIZE = {'min_size': 96, 'max_size': 160}
RCNN = {**SIZE, 'box_detections_per_img': 8, 'box_score_thresh': 0.1, 'rpn_post_nms_top_n_train': 60, 'rpn_post_nms_top_n_test': 30,
        'rpn_batch_size_per_image': 64, 'box_batch_size_per_image': 32}
DENSE = {**SIZE, 'detections_per_img': 8, 'score_thresh': 0.2}


def torchvision_mask(classes):
    from torchvision.models.detection.mask_rcnn import MaskRCNN
    return MaskRCNN(pyramid(), classes, **RCNN)


NETWORKS = {
    'faster': lambda: detection.FasterRCNN(pyramid(), 5, **RCNN),
    'mask': lambda: torchvision_mask(5),
    'keypoint': lambda: detection.KeypointRCNN(pyramid(), 2, num_keypoints=3, **RCNN),
    'retina': lambda: detection.RetinaNet(pyramid((2, 3, 4), LastLevelP6P7(512, CHANNELS)), 5, **DENSE),
    'fcos': lambda: detection.FCOS(pyramid((2, 3, 4), LastLevelP6P7(CHANNELS, CHANNELS)), 5, **DENSE),
    'ssdlite': lambda: detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5,
                                                              detections_per_img=8, score_thresh=0.1),
}


def images():
    return [hash_tensor('image0', (3, 60, 80), 0.5, 0.5), hash_tensor('image1', (3, 72, 50), 0.5, 0.5)]


def targets():
    boxes = [[[5.0, 6.0, 40.0, 50.0], [30.0, 10.0, 75.0, 55.0]], [[8.0, 20.0, 44.0, 66.0]]]
    made = []
    for own, labels, (height, width) in zip(boxes, ([1, 1], [1]), ((60, 80), (72, 50))):
        masks = torch.zeros(len(own), height, width, dtype=torch.uint8)
        keypoints = torch.zeros(len(own), 3, 3)
        for i, (x1, y1, x2, y2) in enumerate(own):
            masks[i, int(y1) + 3:int(y2), int(x1):int(x2) - 5] = 1
            keypoints[i] = torch.tensor([[x1 + 3, y1 + 4, 1], [x2, y2 - 7, 1], [x2 + 40, y1, 1]])
        made.append({'boxes': torch.tensor(own), 'labels': torch.tensor(labels), 'masks': masks, 'keypoints': keypoints})
    made[0]['labels'][1] = 1
    return made


def numbers(tensor):
    return [float(f'{v:.7g}') for v in tensor.double().flatten().tolist()]


written = {}
for name, make in NETWORKS.items():
    torch.manual_seed(0)
    net = make()
    fill(net)
    net.train()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    torch.manual_seed(7)
    losses = net(images(), targets())
    sum(losses.values()).backward()
    gradient = sum(float(p.grad.double().abs().sum()) for p in net.parameters() if p.grad is not None)
    net.eval()
    with torch.no_grad():
        found = net(images())
    written[name] = {
        'losses': {key: float(value.detach()) for key, value in losses.items()},
        'gradient': gradient,
        'found': [{key: {'shape': list(value.shape), 'first': numbers(value)[:40], 'sum': float(value.double().sum())}
                   for key, value in each.items()} for each in found],
    }
    print(name, written[name]['losses'], gradient, [len(each['boxes']) for each in found], flush=True)

maps = [hash_tensor(f'map{i}', (2, 3, 32 >> i, 48 >> i)) for i in range(4)]
rois = [torch.tensor([[2.0, 3.0, 40.0, 60.0], [0.0, 0.0, 190.0, 120.0], [10.0, 10.0, 12.0, 300.0]]), torch.tensor([[1.0, 1.0, 224.0, 224.0], [0.0, 0.0, 600.0, 500.0]])]
pooled = MultiScaleRoIAlign(['0', '1', '2', '3'], (3, 2), 2)({str(i): m for i, m in enumerate(maps)}, rois, [(128, 192), (120, 100)])
written['pooled'] = numbers(pooled)
norm = FrozenBatchNorm2d(3)
fill(norm)
written['frozen'] = numbers(norm(hash_tensor('input0', (2, 3, 2, 2))))

path = pathlib.Path(__file__).resolve().parents[2] / 'test/fixtures/vision/detectors.json'
path.write_text('{\n' + ',\n'.join(f'{json.dumps(k)}: {json.dumps(v)}' for k, v in written.items()) + '\n}\n')
print(path.stat().st_size, 'bytes', torchvision.__version__)
