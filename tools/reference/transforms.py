"""Writes test/fixtures/transforms/{inputs,functional,seeded}.safetensors: what torchvision's v2 transforms give.

`functional` holds the functional forms with fixed arguments on each input, as `case|input`; `seeded` whole transforms
after torch.manual_seed, as `case|seed|part`. The first word of a case is the export that it tests.

Run with a Python that has torch==2.11.0, torchvision==0.26.0 and safetensors: python tools/reference/transforms.py
"""

import pathlib

import torch
from safetensors.torch import save_file
from torchvision import tv_tensors
from torchvision.transforms import AutoAugmentPolicy
from torchvision.transforms import InterpolationMode as Mode
from torchvision.transforms import v2
from torchvision.transforms.functional import _get_perspective_coeffs
from torchvision.transforms.v2 import functional as F

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test/fixtures/transforms"
CANVAS = (13, 17)
generator = torch.Generator().manual_seed(4)


def smooth(*shape):
    """Values from 0 to 1 that vary slowly, with some noise: neighbours matter, and no two pixels are alike."""
    h, w = shape[-2:]
    y, x = torch.meshgrid(torch.arange(h) / h, torch.arange(w) / w, indexing="ij")
    phase = torch.rand(shape[:-2], generator=generator)[..., None, None] * 6
    noise = torch.rand(shape, generator=generator)
    return (0.4 + 0.3 * torch.sin(5 * x + 3 * y + phase) + 0.3 * noise).clamp(0, 1)


def bytes_of(values):
    return (values * 255).round().to(torch.uint8)


def boxes(values, format, dtype=torch.float32):
    corners = tv_tensors.BoundingBoxes(torch.tensor(values, dtype=dtype), format="XYXY", canvas_size=CANVAS)
    return F.convert_bounding_box_format(corners, new_format=format)


CORNERS = [[1.5, 2.25, 9.75, 8.5], [0, 0, 17, 13], [10.25, 1, 16.5, 12.75], [4, 7.5, 6.5, 9]]
WHOLE_CORNERS = [[1, 2, 10, 9], [0, 0, 17, 13], [10, 1, 16, 12]]
POINTS = [[0, 0], [16, 12], [3.5, 7.25], [8, 6], [15.75, 0.5]]

PICTURES = {
    "bytes": bytes_of(smooth(3, 13, 17)),
    "floats": smooth(3, 13, 17),
    "batch": bytes_of(smooth(2, 3, 13, 17)),
    "grey": bytes_of(smooth(1, 13, 17)),
}
CLIP = tv_tensors.Video(smooth(2, 3, 3, 6, 7))
OTHERS = {
    "mask": tv_tensors.Mask((smooth(13, 17) * 5).to(torch.uint8)),
    "masks": tv_tensors.Mask(smooth(2, 13, 17) > 0.5),
    "xyxy": boxes(CORNERS, "XYXY"),
    "xywh": boxes(CORNERS, "XYWH"),
    "cxcywh": boxes(CORNERS, "CXCYWH"),
    "whole": boxes(WHOLE_CORNERS, "XYXY", torch.int64),
    "wholeCentres": boxes(WHOLE_CORNERS, "CXCYWH", torch.int64),
    "points": tv_tensors.KeyPoints(torch.tensor(POINTS), canvas_size=CANVAS),
    "wholePoints": tv_tensors.KeyPoints(torch.tensor(POINTS).round().long().reshape(5, 1, 2), canvas_size=CANVAS),
}
FLAT = PICTURES["bytes"].clone()
FLAT[1] = 77

out = {}


def plain(t):
    return t.as_subclass(torch.Tensor).contiguous().clone()


def put(name, value):
    assert name not in out, name
    out[name] = plain(value)
    if isinstance(value, (tv_tensors.BoundingBoxes, tv_tensors.KeyPoints)):
        out[f"{name} canvas"] = torch.tensor(value.canvas_size)


def colour(name, run, inputs=None):
    """A function of pictures: all of them for the plain case and a factor of 0.6, a few for the others."""
    inputs = inputs or (("bytes", "floats", "batch", "grey") if " " not in name or "0.6" in name else ("bytes", "floats"))
    for key in inputs:
        put(f"{name}|{key}", run(PICTURES[key]))


def geometry(name, run, leave_out=()):
    """A function of pictures, masks, boxes and points. What is special needs no batch; grey is like another channel."""
    for key, value in {**PICTURES, **OTHERS}.items():
        if key != "grey" and key not in leave_out and (key != "batch" or " " not in name):
            put(f"{name}|{key}", run(value))


PIXELLESS = ("xyxy", "xywh", "cxcywh", "whole", "wholeCentres", "points", "wholePoints")

for mode in (Mode.NEAREST, Mode.NEAREST_EXACT, Mode.BILINEAR, Mode.BICUBIC):
    geometry(f"resize {mode.value}", lambda x: F.resize(x, [9, 11], mode), () if mode is Mode.BILINEAR else PIXELLESS)
for mode in (Mode.BILINEAR, Mode.BICUBIC):
    colour(f"resize larger {mode.value}", lambda x: F.resize(x, [15, 20], mode, antialias=False), ("bytes", "floats"))
geometry("resize shorter", lambda x: F.resize(x, 7))
geometry("resize longest", lambda x: F.resize(x, 10, max_size=12))
geometry("resize only longest", lambda x: F.resize(x, None, max_size=11))
geometry("horizontalFlip", F.horizontal_flip)
geometry("verticalFlip", F.vertical_flip)
geometry("crop", lambda x: F.crop(x, 2, 3, 8, 9))
geometry("crop beyond", lambda x: F.crop(x, -2, 9, 9, 12))
geometry("centerCrop", lambda x: F.center_crop(x, [6, 10]))
geometry("centerCrop larger", lambda x: F.center_crop(x, [15, 9]))
geometry("resizedCrop", lambda x: F.resized_crop(x, 1, 4, 9, 10, [6, 8]))
geometry("pad", lambda x: F.pad(x, [1, 2, 3, 0], fill=7 if not x.is_floating_point() else 0.25))
geometry("pad pair", lambda x: F.pad(x, [2, 1]))
for mode in ("edge", "reflect", "symmetric"):
    geometry(f"pad {mode}", lambda x: F.pad(x, [3, 1, 2, 4], padding_mode=mode), PIXELLESS)
colour("pad colour", lambda x: F.pad(x, [1, 0, 2, 1], fill=[0.5, 100.0, 3.25]), ("bytes", "floats", "batch"))

AFFINE = dict(angle=23.0, translate=[2, -1], scale=1.2, shear=[8.0, -5.0])
geometry("affine", lambda x: F.affine(x, **AFFINE))
geometry("affine bilinear", lambda x: F.affine(x, **AFFINE, interpolation=Mode.BILINEAR, fill=0.0), PIXELLESS)
geometry("affine center", lambda x: F.affine(x, -40.0, [0, 3], 0.7, [0.0, 12.0], center=[3, 10], fill=1.0))
colour(
    "affine colour",
    lambda x: F.affine(x, **AFFINE, interpolation=Mode.BILINEAR, fill=[0.5, 100.0, 3.0]),
    ("bytes", "floats", "batch"),
)
for angle in (90, 180, 270, -30.5):
    geometry(f"rotate {angle}", lambda x: F.rotate(x, angle))
geometry("rotate expand", lambda x: F.rotate(x, 37.0, expand=True, interpolation=Mode.BILINEAR, fill=0.5))
geometry("rotate quarter expand", lambda x: F.rotate(x, 90.0, expand=True))
geometry("rotate center", lambda x: F.rotate(x, 20.0, center=[2, 5], fill=1.0))

CORNERS_FROM = [[0, 0], [16, 0], [16, 12], [0, 12]]
CORNERS_TO = [[2, 1], [14, 0], [15, 10], [1, 11]]
COEFFICIENTS = _get_perspective_coeffs(CORNERS_FROM, CORNERS_TO)
out["perspectiveCoefficients"] = torch.tensor(COEFFICIENTS)
geometry("perspective", lambda x: F.perspective(x, None, None, coefficients=COEFFICIENTS, fill=0.0), ("whole", "wholeCentres", "wholePoints"))
geometry("perspective nearest", lambda x: F.perspective(x, None, None, Mode.NEAREST, None, COEFFICIENTS), PIXELLESS)

displacement = (torch.rand(1, *CANVAS, 2, generator=generator) - 0.5) * 0.3
# Corners on the far edges have no pixel of their own, which torchvision refuses.
for key in ("xyxy", "xywh", "cxcywh"):
    inner = boxes([CORNERS[0], CORNERS[3]], key.upper())
    put(f"elastic|inner {key}", F.elastic(inner, displacement))
    put(f"input|inner {key}", inner)
geometry("elastic", lambda x: F.elastic(x, displacement, fill=0.0), ("xyxy", "xywh", "cxcywh", "whole", "wholeCentres", "wholePoints"))
geometry("elastic nearest", lambda x: F.elastic(x, displacement, Mode.NEAREST), PIXELLESS)
for i, crop in enumerate(F.five_crop(PICTURES["bytes"], [5, 8])):
    put(f"fiveCrop|{i}", crop)
for i, crop in enumerate(F.ten_crop(PICTURES["floats"], [4, 7], vertical_flip=True)):
    put(f"tenCrop|{i}", crop)

beyond = tv_tensors.BoundingBoxes(
    torch.tensor([[-3.0, 2, 5, 20], [4, -2, 30, 7], [5, 5, 5.5, 9], [20, 20, 25, 30]]), format="XYXY", canvas_size=CANVAS
)
for format in ("XYXY", "XYWH", "CXCYWH"):
    value = F.convert_bounding_box_format(beyond, new_format=format)
    put(f"input|beyond {format.lower()}", value)
    put(f"clampBoundingBoxes|{format.lower()}", F.clamp_bounding_boxes(value))
    put(f"validBoundingBoxes|{format.lower()}", F.sanitize_bounding_boxes(F.clamp_bounding_boxes(value), min_size=2)[1])
    for to in ("XYXY", "XYWH", "CXCYWH"):
        put(f"convertBoundingBoxFormat|{format.lower()} {to.lower()}", F.convert_bounding_box_format(value, new_format=to))
far = tv_tensors.KeyPoints(torch.tensor([[-1.0, 4], [18, 12.5], [3, 3]]), canvas_size=CANVAS)
put("input|far", far)
put("clampKeyPoints", F.clamp_keypoints(far))

colour("rgbToGrayscale", F.rgb_to_grayscale)
colour("rgbToGrayscale three", lambda x: F.rgb_to_grayscale(x, 3))
colour("grayscaleToRgb", F.grayscale_to_rgb)
for factor in (0.0, 0.6, 1.7):
    colour(f"adjustBrightness {factor}", lambda x: F.adjust_brightness(x, factor))
    colour(f"adjustContrast {factor}", lambda x: F.adjust_contrast(x, factor))
    colour(f"adjustSaturation {factor}", lambda x: F.adjust_saturation(x, factor))
    colour(f"adjustSharpness {factor}", lambda x: F.adjust_sharpness(x, factor))
for factor in (-0.5, 0.13, 0.4):
    colour(f"adjustHue {factor}", lambda x: F.adjust_hue(x, factor))
colour("adjustGamma", lambda x: F.adjust_gamma(x, 1.8))
colour("adjustGamma gain", lambda x: F.adjust_gamma(x, 0.7, 1.3))
colour("permuteChannels", lambda x: F.permute_channels(x, [2, 0, 1]), ("bytes", "floats", "batch"))
for bits in (0, 3, 8):
    colour(f"posterize {bits}", lambda x: F.posterize(x, bits))
colour("solarize", lambda x: F.solarize(x, 0.45 if x.is_floating_point() else 120))
colour("invert", F.invert)
colour("autocontrast", F.autocontrast)
colour("equalize", F.equalize)
put("input|flat", FLAT)
put("autocontrast|flat", F.autocontrast(FLAT))
put("equalize|flat", F.equalize(FLAT))
colour("gaussianBlur", lambda x: F.gaussian_blur(x, [5, 3], [1.3, 0.6]))
colour("gaussianBlur default", lambda x: F.gaussian_blur(x, 7))
colour("gaussianBlur wide", lambda x: F.gaussian_blur(x, [15, 21], [2.5, 4.0]))
for dtype in (torch.float32, torch.float64, torch.uint8, torch.int16, torch.float16):
    colour(f"toDtype {dtype}".replace("torch.", ""), lambda x: F.to_dtype(x, dtype, scale=True), ("bytes", "floats"))
    colour(f"toDtype plain {dtype}".replace("torch.", ""), lambda x: F.to_dtype(x, dtype), ("bytes", "floats"))
short = F.to_dtype(PICTURES["bytes"], torch.int16, scale=True)
put("input|short", short)
put("toDtype short|uint8", F.to_dtype(short, torch.uint8, scale=True))
put("toDtype short|int32", F.to_dtype(short, torch.int32, scale=True))
put("toDtype short|float32", F.to_dtype(short, torch.float32, scale=True))
put("invert|short", F.invert(short))
put("posterize short|short", F.posterize(short, 4))
colour("normalize", lambda x: F.normalize(x, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]), ("floats",))
colour("erase", lambda x: F.erase(x, 3, 4, 5, 6, torch.tensor([0.5, 1.0, 0.0]).reshape(3, 1, 1)), ("bytes", "floats", "batch"))
put("uniformTemporalSubsample", F.uniform_temporal_subsample(CLIP, 2))
put("uniformTemporalSubsample more", F.uniform_temporal_subsample(CLIP, 5))
put("horizontalFlip|clip", F.horizontal_flip(CLIP))
put("affine|clip", F.affine(CLIP, **AFFINE, interpolation=Mode.BILINEAR))
put("adjustContrast|clip", F.adjust_contrast(CLIP, 0.6))
put("adjustHue|clip", F.adjust_hue(CLIP, 0.2))
put("gaussianBlur|clip", F.gaussian_blur(CLIP, 3))
put("equalize|clip", F.equalize(CLIP))
out["input|displacement"] = displacement
for key, value in {**PICTURES, **OTHERS, "clip": CLIP}.items():
    put(f"input|{key}", value)
FOLDER.mkdir(parents=True, exist_ok=True)
save_file(out, FOLDER / "functional.safetensors")

# ---- Whole transforms -------------------------------------------------------------------------------------------------

out = {}
SEEDS = (0, 1, 2)
SAMPLE = {
    "image": tv_tensors.Image(PICTURES["bytes"]),
    "mask": OTHERS["mask"],
    "boxes": OTHERS["xywh"],
    "points": OTHERS["points"],
}


def seeded(name, transform, sample=SAMPLE):
    for seed in SEEDS:
        torch.manual_seed(seed)
        result = transform(sample)
        for key, value in result.items():
            put(f"{name}|{seed}|{key}", value)


def pictures(name, transform, key="bytes"):
    seeded(name, transform, {"image": PICTURES[key]})


seeded("Resize", v2.Resize([9, 12]))
seeded("CenterCrop", v2.CenterCrop(9))
seeded("Pad", v2.Pad([1, 2, 3, 4], fill={tv_tensors.Mask: 9, "others": 1}))
seeded("RandomCrop", v2.RandomCrop([8, 9]))
seeded("RandomCrop padded", v2.RandomCrop([16, 15], padding=[1, 2], pad_if_needed=True, fill=3))
seeded("RandomResizedCrop", v2.RandomResizedCrop([8, 7]))
seeded("RandomResizedCrop narrow", v2.RandomResizedCrop(6, scale=(0.9, 1.0), ratio=(3.0, 4.0)))
seeded("RandomHorizontalFlip", v2.RandomHorizontalFlip())
seeded("RandomVerticalFlip", v2.RandomVerticalFlip())
seeded("RandomZoomOut", v2.RandomZoomOut(fill=2, side_range=(1.0, 2.0)))
seeded("ScaleJitter", v2.ScaleJitter((16, 16), scale_range=(0.5, 1.2)))
seeded("RandomShortestSize", v2.RandomShortestSize([7, 9, 11], max_size=13))
seeded("RandomResize", v2.RandomResize(6, 12))
seeded("RandomRotation", v2.RandomRotation(40))
seeded("RandomRotation expand", v2.RandomRotation([10, 60], expand=True, interpolation=Mode.BILINEAR))
seeded("RandomAffine", v2.RandomAffine(20, (0.2, 0.1), (0.7, 1.3), 15))
seeded("RandomAffine shears", v2.RandomAffine([0, 0], shear=[-10, 10, 5, 20], fill=4, center=[3, 4]))
seeded("RandomPerspective", v2.RandomPerspective(0.6, p=0.8))
ELASTIC = {key: SAMPLE[key] for key in ("image", "mask", "points")}
seeded("ElasticTransform", v2.ElasticTransform(alpha=20.0, sigma=0.6), ELASTIC)
seeded("RandomIoUCrop", v2.RandomIoUCrop(), {key: SAMPLE[key] for key in ("image", "mask", "boxes")})
pictures("Grayscale", v2.Grayscale(3))
pictures("RandomGrayscale", v2.RandomGrayscale(0.5))
pictures("RGB", v2.RGB(), "grey")
pictures("ColorJitter", v2.ColorJitter(0.4, 0.5, (0.2, 1.8), 0.3))
pictures("RandomChannelPermutation", v2.RandomChannelPermutation())
pictures("RandomPhotometricDistort", v2.RandomPhotometricDistort(p=0.7))
pictures("GaussianBlur", v2.GaussianBlur(5))
pictures("GaussianNoise", v2.GaussianNoise(0.1, 0.2), "floats")
pictures("RandomInvert", v2.RandomInvert())
pictures("RandomPosterize", v2.RandomPosterize(3))
pictures("RandomSolarize", v2.RandomSolarize(130))
pictures("RandomAdjustSharpness", v2.RandomAdjustSharpness(1.9))
pictures("RandomAutocontrast", v2.RandomAutocontrast())
pictures("RandomEqualize", v2.RandomEqualize())
pictures("Normalize", v2.Normalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.4]), "floats")
pictures("ToDtype", v2.ToDtype(torch.float32, scale=True))
pictures("ConvertImageDtype", v2.ConvertImageDtype(torch.float32))
pictures("RandomErasing", v2.RandomErasing(p=0.8))
pictures("RandomErasing random", v2.RandomErasing(p=0.8, value="random", scale=(0.1, 0.5)), "floats")
for name, policy in {"imagenet": "IMAGENET", "cifar10": "CIFAR10", "svhn": "SVHN"}.items():
    pictures(f"AutoAugment {name}", v2.AutoAugment(AutoAugmentPolicy[policy]))
pictures("RandAugment", v2.RandAugment())
pictures("RandAugment many", v2.RandAugment(num_ops=5, magnitude=20, interpolation=Mode.BILINEAR, fill=128))
pictures("TrivialAugmentWide", v2.TrivialAugmentWide())
pictures("AugMix", v2.AugMix())
pictures("AugMix deep", v2.AugMix(severity=7, mixture_width=2, chain_depth=3, alpha=0.5, all_ops=False))
pictures("AugMix batch", v2.AugMix(), "batch")
pictures("RandomApply", v2.RandomApply([v2.RandomInvert(p=1), v2.RandomCrop(8)], p=0.5))
pictures("RandomChoice", v2.RandomChoice([v2.RandomInvert(p=1), v2.RandomPosterize(2, p=1), v2.RandomCrop(8)], p=[1, 2, 3]))
pictures("RandomOrder", v2.RandomOrder([v2.RandomSolarize(100, p=1), v2.RandomCrop(9), v2.RandomPosterize(3, p=1)]))
pictures("Compose", v2.Compose([v2.RandomCrop(10), v2.RandomHorizontalFlip(), v2.ColorJitter(0.5)]))


matrix = torch.diag(torch.rand(126, generator=generator)) + 0.1 * torch.roll(torch.eye(126), 3, 0)
mean = torch.rand(126, generator=generator)
put("input|matrix diagonal", matrix.diag())
put("input|mean", mean)
seeded("LinearTransformation", v2.LinearTransformation(matrix, mean), {"clip": CLIP})
seeded("UniformTemporalSubsample", v2.UniformTemporalSubsample(2), {"clip": CLIP})

BATCH = smooth(4, 3, 6, 8)
LABELS = torch.tensor([2, 0, 1, 2])
put("input|mix images", BATCH)
put("input|mix labels", LABELS)
for name, transform in {
    "MixUp": v2.MixUp(num_classes=3),
    "MixUp alpha": v2.MixUp(alpha=0.3, num_classes=4),
    "CutMix": v2.CutMix(num_classes=3),
    "CutMix alpha": v2.CutMix(alpha=3.0, num_classes=3),
}.items():
    seeded(name, transform, {"images": BATCH, "labels": LABELS})

detections = {"boxes": beyond, "labels": torch.tensor([4, 3, 2, 1]), "masks": tv_tensors.Mask(smooth(4, 13, 17) > 0.5)}
put("input|detection masks", detections["masks"])
put("input|detection boxes", beyond)
put("input|detection labels", detections["labels"])
clean = v2.Compose([v2.ClampBoundingBoxes(), v2.SanitizeBoundingBoxes(min_size=2, min_area=3)])
seeded("SanitizeBoundingBoxes", clean, detections)
seeded("ClampBoundingBoxes", v2.ClampBoundingBoxes(), {"boxes": beyond})
seeded("ConvertBoundingBoxFormat", v2.ConvertBoundingBoxFormat("CXCYWH"), {"boxes": beyond})
seeded("ClampKeyPoints", v2.ClampKeyPoints(), {"points": far})
save_file(out, FOLDER / "seeded.safetensors")

for path in sorted(FOLDER.glob("*.safetensors")):
    print(path.name, path.stat().st_size)
