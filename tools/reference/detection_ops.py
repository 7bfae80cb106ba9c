"""Writes test/fixtures/detection/{cases.json, tensors.safetensors}: what torchvision's detection operators give, and
soft-NMS after the pseudo-code of Bodla et al., ICCV 2017, in plain Python.

cases.json lists {"op", "name", "options"}; the tensors of a case are `op|name|role`, with roles as the arguments of the
operator, `out`, `scores`, and `grad.<argument>` for the gradient of sum(out · upstream).

Run with a Python that has torch==2.11.0, torchvision==0.26.0 and safetensors: python tools/reference/detection_ops.py
"""

import json
import math
import pathlib

import torch
from safetensors.torch import save_file
from torchvision.ops import boxes as box_ops
from torchvision.ops import deform_conv2d, nms, roi_align

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/detection"
generator = torch.Generator().manual_seed(5)
cases, tensors = [], {}


def record(op, name, options, **roles):
    cases.append({"op": op, "name": name, "options": options})
    for role, value in roles.items():
        if value is not None:
            tensors[f"{op}|{name}|{role}"] = value.detach().clone().contiguous()


def random_boxes(count, side, dtype=torch.float32):
    corner = torch.rand(count, 2, generator=generator, dtype=torch.float64) * side
    size = 4 + torch.rand(count, 2, generator=generator, dtype=torch.float64) * 40
    return torch.cat([corner, corner + size], 1).to(dtype), torch.rand(count, generator=generator, dtype=torch.float64).to(dtype)


def soft_nms(boxes, scores, method, iou_threshold, sigma, score_threshold):
    boxes, left = boxes.double().tolist(), dict(enumerate(scores.double().tolist()))
    keep, out = [], []

    def iou(a, b):
        width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        inside = max(width, 0) * max(height, 0)
        return inside / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside)

    left = {i: s for i, s in left.items() if s >= score_threshold}
    while left:
        first = min(left, key=lambda i: (-left[i], i))
        keep.append(first)
        out.append(left.pop(first))
        for i in left:
            overlap = iou(boxes[first], boxes[i])
            if method == "gaussian":
                left[i] *= math.exp(-overlap * overlap / sigma)
            elif overlap >= iou_threshold:
                left[i] *= 1 - overlap
        left = {i: s for i, s in left.items() if s >= score_threshold}
    return torch.tensor(keep), torch.tensor(out, dtype=torch.float64)


def suppression():
    for dtype in (torch.float32, torch.float64):
        for threshold in (0.0, 0.3, 0.5, 0.75, 1.0):
            boxes, scores = random_boxes(300, 120, dtype)
            record("nms", f"{threshold} {dtype}", {"threshold": threshold}, boxes=boxes, scores=scores, out=nms(boxes, scores, threshold))
    boxes, scores = random_boxes(200, 60)
    boxes, scores = boxes.round(), (scores * 8).round() / 8
    boxes[50:60] = boxes[40:50]
    record("nms", "ties", {"threshold": 0.4}, boxes=boxes, scores=scores, out=nms(boxes, scores, 0.4))
    boxes, scores = random_boxes(100, 60)
    boxes[3, 1], boxes[5], boxes[7, 0] = math.nan, math.inf, -math.inf
    boxes[8], scores[2], scores[9], scores[11] = boxes[8].flip(0), math.nan, math.inf, -math.inf
    record("nms", "not finite", {"threshold": 0.2}, boxes=boxes, scores=scores, out=nms(boxes, scores, 0.2))
    boxes, scores = random_boxes(300, 60)
    idxs = torch.randint(-2, 6, (300,), generator=generator)
    record("batched_nms", "classes", {"threshold": 0.4}, boxes=boxes, scores=scores, idxs=idxs,
           out=box_ops._batched_nms_vanilla(boxes, scores, idxs, 0.4))
    for method in ("linear", "gaussian"):
        for threshold, sigma, least in ((0.3, 0.5, 0.001), (0.5, 0.1, 0.2)):
            boxes, scores = random_boxes(80, 80, torch.float64)
            options = {"method": method, "iouThreshold": threshold, "sigma": sigma, "scoreThreshold": least}
            keep, lowered = soft_nms(boxes, scores, method, threshold, sigma, least)
            record("soft_nms", f"{method} {threshold} {sigma} {least}", options, boxes=boxes, scores=scores, out=keep, lowered=lowered)


def regions():
    shapes = ((2, 3, 24, 31), (1, 9, 6, 5), (3, 1, 1, 1), (1, 2, 3, 64))
    for i, (size, scale, ratio, aligned) in enumerate(
        (((7, 7), 1.0, 2, True), ((7, 7), 0.25, -1, False), ((3, 10), 0.5, 3, True), ((14, 14), 1.0, -1, True),
         ((1, 1), 0.5, 0, False), ((9, 2), 0.125, 2, False), ((2, 17), 1.0, 1, True), ((8, 8), 1.0, -1, False))
    ):
        n, c, h, w = shapes[i % 4]
        x = torch.randn(n, c, h, w, generator=generator, dtype=torch.float64).requires_grad_()
        corner = (torch.rand(6, 2, generator=generator, dtype=torch.float64) * 1.4 - 0.3) * torch.tensor([w, h]) / scale
        extent = torch.rand(6, 2, generator=generator, dtype=torch.float64) * torch.tensor([w, h]) / scale
        place = torch.randint(0, n, (6, 1), generator=generator).double()
        boxes = torch.cat([place, corner, corner + extent], 1)
        boxes[5, 1:] = torch.tensor([-9.0, -9, w + 9, h + 9]) / scale
        out = roi_align(x, boxes, size, scale, ratio, aligned)
        upstream = torch.randn(out.shape, generator=generator, dtype=torch.float64)
        (grad,) = torch.autograd.grad(out, x, upstream)
        options = {"outputSize": size, "spatialScale": scale, "samplingRatio": ratio, "aligned": aligned}
        record("roi_align", f"{i}", options, input=x, boxes=boxes, out=out, upstream=upstream, **{"grad.input": grad})


def convolutions():
    for i, (shape, filters, kernel, stride, padding, dilation, groups, offset_groups, masked, biased) in enumerate(
        (((2, 4, 7, 8), 6, (3, 3), (1, 1), (1, 1), (1, 1), 1, 1, False, True),
         ((1, 6, 9, 7), 4, (3, 2), (2, 1), (1, 0), (1, 2), 2, 3, True, True),
         ((3, 2, 5, 5), 3, (1, 1), (1, 1), (0, 0), (1, 1), 1, 2, True, False),
         ((1, 8, 6, 6), 8, (3, 3), (1, 2), (2, 2), (2, 2), 8, 2, True, False),
         ((2, 6, 4, 5), 6, (5, 3), (1, 1), (2, 1), (1, 1), 3, 2, False, False))
    ):
        n, c, h, w = shape
        out_size = [(s + 2 * padding[k] - dilation[k] * (kernel[k] - 1) - 1) // stride[k] + 1 for k, s in enumerate((h, w))]
        draw = lambda *size: torch.randn(*size, generator=generator, dtype=torch.float64).requires_grad_()
        x, weight = draw(*shape), draw(filters, c // groups, *kernel)
        offset = draw(n, 2 * offset_groups * kernel[0] * kernel[1], *out_size)
        mask = draw(n, offset_groups * kernel[0] * kernel[1], *out_size) if masked else None
        bias = draw(filters) if biased else None
        out = deform_conv2d(x, offset, weight, bias, stride, padding, dilation, mask)
        upstream = torch.randn(out.shape, generator=generator, dtype=torch.float64)
        named = {"input": x, "offset": offset, "weight": weight, "bias": bias, "mask": mask}
        given = {name: value for name, value in named.items() if value is not None}
        grads = torch.autograd.grad(out, list(given.values()), upstream)
        record("deform_conv2d", f"{i}", {"stride": stride, "padding": padding, "dilation": dilation}, **named, out=out,
               upstream=upstream, **{f"grad.{name}": grad for name, grad in zip(given, grads)})


suppression()
regions()
convolutions()
FOLDER.mkdir(parents=True, exist_ok=True)
(FOLDER / "cases.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
save_file(tensors, FOLDER / "tensors.safetensors")
print(len(cases), sum(t.nbytes for t in tensors.values()))
