"""test/fixtures/backbones/detection-mobilenet.json, from torchvision: what the heads of Faster R-CNN on MobileNet say."""
import torch
import torchvision
from common import record
from torchvision.models import detection

VERSION = f'torchvision {torchvision.__version__.split("+")[0]}'


def rcnn(net, inputs):
    image, numbers = inputs
    maps = net.backbone(image)
    corners = numbers[:, :2] * 16 + 16
    boxes = [torch.cat([corners, corners + numbers[:, 2:] * 290 + 310], 1)]
    heads = net.roi_heads
    regions = heads.box_roi_pool(maps, boxes, [tuple(image.shape[-2:])])
    return [*net.rpn.head(list(maps.values())), heads.box_predictor(heads.box_head(regions))]


name = 'fasterrcnn_mobilenet_v3_large_fpn'
record('detection-mobilenet', {
    name: {
        'make': lambda: detection.fasterrcnn_mobilenet_v3_large_fpn(weights=None, weights_backbone=None),
        'inputs': [{'shape': [1, 3, 64, 64]}, {'shape': [6, 4]}],
        'source': f'{VERSION}: heads of {name}',
        'run': rcnn,
    },
})
