"""test/fixtures/vision/boxes.json: what torchvision's box functions give, and ATSS's assignment as a plain loop.

Run with a Python that has torch==2.11.0 and torchvision==0.26.0: python tools/reference/boxes.py
"""
import json
import math
import pathlib

import torch
from torchvision import ops
from torchvision.models.detection import _utils as det
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.fcos import FCOS
from torchvision.models.detection.image_list import ImageList

generator = torch.Generator().manual_seed(3)


def rand(*shape):
    return torch.rand(*shape, generator=generator)


def boxes_of(count, side=100.0, low=4.0, high=60.0):
    corner = rand(count, 2) * side
    return torch.cat([corner, corner + low + rand(count, 2) * (high - low)], 1)


def plain(value):
    if isinstance(value, torch.Tensor):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


written = {}
first, second = boxes_of(7), boxes_of(5)
second[0] = first[0]
second[1] = torch.tensor([300.0, 300.0, 310.0, 320.0])
written['first'], written['second'] = first, second
for name in ('box_iou', 'generalized_box_iou', 'distance_box_iou', 'complete_box_iou'):
    written[name] = getattr(ops, name)(first, second)
pairs, targets = boxes_of(6), boxes_of(6)
targets[0] = pairs[0]
targets[1] = pairs[1] + 500
written['pairs'], written['targets'] = pairs, targets
for name in ('generalized_box_iou_loss', 'distance_box_iou_loss', 'complete_box_iou_loss'):
    leaf = pairs.clone().requires_grad_()
    loss = getattr(ops, name)(leaf, targets)
    loss.sum().backward()
    written[name] = loss.detach()
    written[name + '_grad'] = leaf.grad
    written[name + '_mean'] = getattr(ops, name)(pairs, targets, reduction='mean')
written['convert'] = {f'{a} {b}': ops.box_convert(first, a, b) for a in ('xyxy', 'xywh', 'cxcywh') for b in ('xyxy', 'xywh', 'cxcywh')}
written['box_area'] = ops.box_area(first)
written['clip'] = ops.clip_boxes_to_image(first - 20, (50, 70))
written['remove_small'] = ops.remove_small_boxes(first, 30.0)
masks = (rand(5, 9, 12) > 0.93)
masks[2] = False
masks[3] = False
masks[3, 4, 7] = True
written['masks'], written['masks_to_boxes'] = masks.int(), ops.masks_to_boxes(masks)

anchors = AnchorGenerator(((32, 45.25), (64,), (128,)), ((0.5, 1.0, 2.0),) * 3)
maps = [torch.zeros(1, 1, 4, 5), torch.zeros(1, 1, 2, 3), torch.zeros(1, 1, 1, 2)]
images = ImageList(torch.zeros(1, 3, 66, 83), [(66, 83)])
written['anchors'] = anchors(images, maps)[0]
ratios = [[2], [2, 3], [2]]
for name, options in {
    'steps': {'scales': [0.07, 0.15, 0.33, 0.51], 'steps': [8, 16, 32]},
    'even': {'min_ratio': 0.2, 'max_ratio': 0.95},
    'unclipped': {'min_ratio': 0.5, 'max_ratio': 0.95, 'clip': False},
}.items():
    written[f'default_{name}'] = DefaultBoxGenerator(ratios, **options)(images, maps)[0]

coder, linear = det.BoxCoder((10.0, 10.0, 5.0, 5.0)), [det.BoxLinearCoder(n) for n in (True, False)]
written['encoded'] = coder.encode_single(pairs, targets)
codes = (rand(6, 8) - 0.5) * 60
written['codes'], written['decoded'] = codes, coder.decode(codes, [targets])
# Here torchvision's first argument is what the codes refer to.
written['linear_encoded'] = [each.encode(targets, pairs) for each in linear]
written['linear_decoded'] = [each.decode(codes[:, :4], targets) for each in linear]

quality = ops.box_iou(boxes_of(4, 60), boxes_of(40, 60))
written['quality'] = quality
written['matched'] = {f'{h} {l} {a}': det.Matcher(h, l, a)(quality) for h, l, a in ((0.5, 0.3, False), (0.7, 0.3, True), (0.5, 0.5, True))}
written['ssd_matched'] = det.SSDMatcher(0.5)(quality)
labels = torch.tensor([1, 0, -1, 3, 0, 0, 1, 0, -1, 2, 0, 1])
torch.manual_seed(11)
positive, negative = det.BalancedPositiveNegativeSampler(6, 0.5)([labels])
written['labels'], written['sampled'] = labels, [positive[0].int(), negative[0].int()]

grid = AnchorGenerator(((8,), (16,), (32,)), ((1.0,),) * 3)
places = grid(ImageList(torch.zeros(1, 3, 128, 128), [(128, 128)]), [torch.zeros(1, 1, 128 // s, 128 // s) for s in (8, 16, 32)])[0]
per_map = [16 * 16, 8 * 8, 4 * 4]
truth = boxes_of(5, 60.0, 8.0, 100.0)
truth[1] = truth[0] + 3


class Head:
    def compute_loss(self, targets, outputs, anchors, matched):
        return matched[0]


class Asking:
    head, center_sampling_radius = Head(), 1.5


written['truth'], written['per_map'] = truth, per_map
written['fcos'] = FCOS.compute_loss(Asking(), [{'boxes': truth}], {}, [places], per_map)


def atss(overlaps, places, per_map, truth, topk):
    """Algorithm 1 of Zhang et al., CVPR 2020, a box at a time."""
    centres = (places[:, :2] + places[:, 2:]) / 2
    best = [(-1.0, -1)] * len(places)
    for g, box in enumerate(truth):
        middle = (box[:2] + box[2:]) / 2
        candidates, start = [], 0
        for size in per_map:
            distances = (centres[start:start + size] - middle).pow(2).sum(1).sqrt()
            candidates += [start + i for i in distances.topk(min(topk, size), largest=False).indices.tolist()]
            start += size
        own = overlaps[g, candidates]
        threshold = float(own.mean() + own.std())
        for i in candidates:
            cx, cy = centres[i].tolist()
            inside = box[0] < cx < box[2] and box[1] < cy < box[3]
            if inside and overlaps[g, i] >= threshold and float(overlaps[g, i]) > best[i][0]:
                best[i] = (float(overlaps[g, i]), g)
    return [g for _, g in best]


# Centres that no two places are equally far from.
written['atss'] = atss(ops.box_iou(truth, places), places, per_map, truth, 9)

path = pathlib.Path(__file__).resolve().parents[2] / 'test/fixtures/vision/boxes.json'
path.parent.mkdir(parents=True, exist_ok=True)
lines = []
for name, value in written.items():
    value = {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else plain(value)
    lines.append(f'{json.dumps(name)}: {json.dumps(value)}')
path.write_text('{\n' + ',\n'.join(lines) + '\n}\n')
print(path.stat().st_size, 'bytes')
