"""Writes test/fixtures/metrics/cases.json and inputs.safetensors: metrics by scikit-learn, scipy, scikit-image and others.

Run with a Python that has numpy, scipy, scikit-learn, scikit-image, safetensors, torch==2.11.0, torchmetrics and
pytorch-msssim: python tools/reference/metrics.py

A case names a metric of lib/metrics, its options, its arguments by their names in the safetensors file, the expected
result, and what computed it. Numbers that JSON does not have are strings.
"""
import json
import math
import pathlib
import warnings

import numpy as np
import scipy.optimize
import scipy.stats
import sklearn.metrics as sk
import torch
import torchmetrics.functional as tm
import torchmetrics.functional.segmentation
from pytorch_msssim import ms_ssim
from safetensors.numpy import save_file
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

warnings.filterwarnings("ignore")
FOLDER = pathlib.Path(__file__).parents[2] / "test/fixtures/metrics"
rng = np.random.default_rng(20240607)
inputs, cases = {}, []


def store(name, array):
    inputs[name] = np.ascontiguousarray(array)
    return name


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0):
        return [plain(item) for item in value]
    number = float(value)
    return number if math.isfinite(number) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(number, "NaN")


def case(metric, options, args, expected, source, tolerance=1e-10):
    cases.append(
        dict(metric=metric, options=options, args=args, expected=plain(expected), source=source, tolerance=tolerance)
    )


# ---- Classes -----------------------------------------------------------------------------------------------------------
N, C = 61, 5
targets = rng.integers(0, 4, N)  # class 4 is never a target
scores = np.round(rng.random((N, C)), 2)
scores[np.arange(N), targets] += 0.3
scores[:, 3] -= 0.8 * (targets != 3)
labels = scores.argmax(1)
labels[labels == 3] = 2  # class 3 is never predicted
T, S, P = store("classes.targets", targets), store("classes.scores", scores), store("classes.labels", labels)
LABELS = list(range(C))
case("Accuracy", {}, [P, T], sk.accuracy_score(targets, labels), "sklearn.accuracy_score")
case("Accuracy", dict(average="macro", numClasses=C), [P, T], sk.balanced_accuracy_score(targets, labels), "sklearn.balanced_accuracy_score")
for k in (1, 2, 4):
    # Without ties: the order of equal scores is nobody's to say.
    distinct = scores + np.arange(C) * 1e-4
    D = store("classes.distinct", distinct)
    case("Accuracy", dict(topK=k), [D, T], sk.top_k_accuracy_score(targets, distinct, k=k, labels=LABELS), "sklearn.top_k_accuracy_score")
for normalize in (None, "true", "pred", "all"):
    options = dict(numClasses=C, **({} if normalize is None else dict(normalize=normalize)))
    case("ConfusionMatrix", options, [P, T], sk.confusion_matrix(targets, labels, labels=LABELS, normalize=normalize), "sklearn.confusion_matrix")

for average in ("micro", "macro", "weighted", "none"):
    for zero in (0, 1, "NaN"):
        rest = dict(labels=LABELS, average=None if average == "none" else average, zero_division=np.nan if zero == "NaN" else zero)
        options = dict(numClasses=C, average=average, zeroDivision=zero)
        case("Precision", options, [P, T], sk.precision_score(targets, labels, **rest), "sklearn.precision_score")
        case("Recall", options, [P, T], sk.recall_score(targets, labels, **rest), "sklearn.recall_score")
        case("F1Score", options, [P, T], sk.f1_score(targets, labels, **rest), "sklearn.f1_score")
        case("FBetaScore", dict(beta=2, **options), [P, T], sk.fbeta_score(targets, labels, beta=2, **rest), "sklearn.fbeta_score")
one = store("classes.one", targets[:1])
case("F1Score", dict(numClasses=C), [one, one], sk.f1_score(targets[:1], targets[:1], labels=LABELS, average="macro", zero_division=0), "sklearn.f1_score")

# ---- Yes or no ---------------------------------------------------------------------------------------------------------
yes = rng.integers(0, 2, 83)
# One decimal: many scores are equal.
confidence = np.round(np.clip(rng.normal(0.4 + 0.2 * yes, 0.25), 0, 1), 1)
Y, F = store("binary.targets", yes), store("binary.scores", confidence)
smooth = store("binary.smooth", rng.normal(yes, 1.5))
said = (confidence > 0.5).astype(int)
case("Accuracy", {}, [F, Y], sk.accuracy_score(yes, said), "sklearn.accuracy_score")
case("Precision", {}, [F, Y], sk.precision_score(yes, said), "sklearn.precision_score")
case("Recall", dict(threshold=0.35), [F, Y], sk.recall_score(yes, confidence > 0.35), "sklearn.recall_score")
case("F1Score", {}, [F, Y], sk.f1_score(yes, said), "sklearn.f1_score")
case("F1Score", dict(numClasses=2), [F, Y], sk.f1_score(yes, said, average="macro"), "sklearn.f1_score")
case("FBetaScore", dict(beta=0.5), [F, Y], sk.fbeta_score(yes, said, beta=0.5), "sklearn.fbeta_score")


def equal_error_rate(truth, values):
    fpr, tpr, _ = sk.roc_curve(truth, values, drop_intermediate=False)
    return scipy.optimize.brentq(lambda x: 1 - x - np.interp(x, fpr, tpr), 0, 1, xtol=1e-15, rtol=1e-15)


for args in ([F, Y], [smooth, Y]):
    values = inputs[args[0]]
    fpr, tpr, thresholds = sk.roc_curve(yes, values, drop_intermediate=False)
    case("ROC", {}, args, dict(falsePositiveRate=fpr, truePositiveRate=tpr, thresholds=thresholds), "sklearn.roc_curve")
    p, r, thresholds = sk.precision_recall_curve(yes, values, drop_intermediate=False)
    # scikit-learn goes up, and has no threshold for its last point.
    expected = dict(precision=p[::-1], recall=r[::-1], thresholds=[np.inf, *thresholds[::-1]])
    case("PrecisionRecallCurve", {}, args, expected, "sklearn.precision_recall_curve")
    case("AUROC", {}, args, sk.roc_auc_score(yes, values), "sklearn.roc_auc_score")
    case("AveragePrecision", {}, args, sk.average_precision_score(yes, values), "sklearn.average_precision_score")
    case("EER", {}, args, equal_error_rate(yes, values), "root of 1 - x - sklearn.roc_curve(x)")
constant = store("binary.constant", np.full(83, 0.25))
case("AUROC", {}, [constant, Y], sk.roc_auc_score(yes, inputs[constant]), "sklearn.roc_auc_score")
case("AveragePrecision", {}, [constant, Y], sk.average_precision_score(yes, inputs[constant]), "sklearn.average_precision_score")

for metric, function in (("AUROC", sk.roc_auc_score), ("AveragePrecision", sk.average_precision_score)):
    # scikit-learn wants each class among the targets.
    seen = scores[:, :4]
    V = store("classes.seen", seen)
    one_hot = np.eye(4, dtype=int)[targets]
    for average in ("macro", "weighted", "micro", "none"):
        expected = function(one_hot, seen, average=None if average == "none" else average)
        case(metric, dict(numClasses=4, average=average), [V, T], expected, f"sklearn.{function.__name__}")

# ---- Any number of labels ----------------------------------------------------------------------------------------------
many = (rng.random((47, 6)) < [0.5, 0.2, 0.8, 0.4, 0.1, 0.6]).astype(int)
belief = np.round(np.clip(rng.normal(0.35 + 0.3 * many, 0.25), 0, 1), 2)
many[:, 4] = 0  # never there
M, B = store("labels.targets", many), store("labels.scores", belief)
for average in ("micro", "macro", "weighted", "none"):
    rest = dict(average=None if average == "none" else average, zero_division=0)
    options = dict(numLabels=6, average=average)
    case("Precision", options, [B, M], sk.precision_score(many, belief > 0.5, **rest), "sklearn.precision_score")
    case("Recall", options, [B, M], sk.recall_score(many, belief > 0.5, **rest), "sklearn.recall_score")
    case("F1Score", options, [B, M], sk.f1_score(many, belief > 0.5, **rest), "sklearn.f1_score")
    case("FBetaScore", dict(beta=3, **options), [B, M], sk.fbeta_score(many, belief > 0.5, beta=3, **rest), "sklearn.fbeta_score")
present, felt = store("labels.present", np.delete(many, 4, 1)), store("labels.felt", np.delete(belief, 4, 1))
for metric, function in (("AUROC", sk.roc_auc_score), ("AveragePrecision", sk.average_precision_score)):
    for average in ("micro", "macro", "weighted", "none"):
        expected = function(inputs[present], inputs[felt], average=None if average == "none" else average)
        case(metric, dict(numLabels=5, average=average), [felt, present], expected, f"sklearn.{function.__name__}")

# ---- Segmentation ------------------------------------------------------------------------------------------------------
mask = rng.integers(0, 4, (3, 9, 11))
guess = np.where(rng.random(mask.shape) < 0.6, mask, rng.integers(0, 4, mask.shape))
G, K = store("masks.predictions", guess), store("masks.targets", mask)
flat = (mask.ravel(), guess.ravel())
for average in ("micro", "macro", "weighted", "none"):
    expected = sk.jaccard_score(*flat, average=None if average == "none" else average, labels=range(4))
    case("MeanIoU", dict(numClasses=4, average=average), [G, K], expected, "sklearn.jaccard_score")
    expected = sk.f1_score(*flat, average=None if average == "none" else average, labels=range(4))
    case("DiceScore", dict(numClasses=4, average=average), [G, K], expected, "sklearn.f1_score")
ignored = np.where(rng.random(mask.shape) < 0.2, 255, mask)
I = store("masks.ignored", ignored)
used = ignored != 255
case("MeanIoU", dict(numClasses=4, ignoreIndex=255), [G, I], sk.jaccard_score(mask[used], guess[used], average="macro"), "sklearn.jaccard_score")
case("MeanIoU", dict(numClasses=4, classes=[1, 3]), [G, K], sk.jaccard_score(*flat, labels=[1, 3], average="macro"), "sklearn.jaccard_score")
case("DiceScore", dict(numClasses=4, ignoreIndex=255), [G, I], sk.f1_score(mask[used], guess[used], average="macro"), "sklearn.f1_score")
case("Accuracy", dict(ignoreIndex=255), [G, I], sk.accuracy_score(mask[used], guess[used]), "sklearn.accuracy_score")
case("MeanIoU", dict(numClasses=6), [G, K], sk.jaccard_score(*flat, average="macro"), "sklearn.jaccard_score, absent classes left out")
each = [sk.jaccard_score(t.ravel(), p.ravel(), average="macro", labels=range(4)) for t, p in zip(mask, guess)]
case("MeanIoU", dict(numClasses=4, reduction="sample"), [G, K], np.mean(each), "mean of sklearn.jaccard_score")
hot = [torch.nn.functional.one_hot(torch.from_numpy(a), 4).movedim(-1, 1) for a in (guess, mask)]
expected = tm.segmentation.dice_score(*hot, num_classes=4, include_background=True, average="macro").mean()
case("DiceScore", dict(numClasses=4, reduction="sample"), [G, K], expected, "torchmetrics.dice_score", 1e-6)
expected = tm.segmentation.generalized_dice_score(*hot, num_classes=4, weight_type="square").mean()
case("DiceScore", dict(numClasses=4, reduction="sample", average="generalized"), [G, K], expected, "torchmetrics.generalized_dice_score", 1e-6)

# ---- Correlation and error ---------------------------------------------------------------------------------------------
x = np.round(rng.normal(5, 2, 97), 1)
y = np.round(x + rng.normal(0, 2, 97))  # many ties
far = x + 1e6
X, Q, W = store("values.x", x), store("values.y", y), store("values.far", far)
for args in ([X, Q], [W, Q], [X, X]):
    a, b = (inputs[name] for name in args)
    case("PearsonCorrCoef", {}, args, scipy.stats.pearsonr(a, b).statistic, "scipy.pearsonr", 1e-10)
    case("SpearmanCorrCoef", {}, args, scipy.stats.spearmanr(a, b).statistic, "scipy.spearmanr")
    case("KendallRankCorrCoef", {}, args, scipy.stats.kendalltau(a, b).statistic, "scipy.kendalltau")
    case("R2Score", {}, args, sk.r2_score(b, a), "sklearn.r2_score")
    case("MeanSquaredError", {}, args, sk.mean_squared_error(b, a), "sklearn.mean_squared_error", 1e-10)
    case("RootMeanSquaredError", {}, args, sk.root_mean_squared_error(b, a), "sklearn.root_mean_squared_error")
    case("MeanAbsoluteError", {}, args, sk.mean_absolute_error(b, a), "sklearn.mean_absolute_error")
level = store("values.constant", np.full(97, 2.5))
for metric in ("PearsonCorrCoef", "SpearmanCorrCoef", "KendallRankCorrCoef"):
    function = dict(PearsonCorrCoef=scipy.stats.pearsonr, SpearmanCorrCoef=scipy.stats.spearmanr, KendallRankCorrCoef=scipy.stats.kendalltau)[metric]
    case(metric, {}, [level, Q], function(inputs[level], y).statistic, "scipy")
case("R2Score", {}, [X, level], sk.r2_score(inputs[level], x), "sklearn.r2_score")
case("R2Score", {}, [level, level], sk.r2_score(inputs[level], inputs[level]), "sklearn.r2_score")
rows, others = rng.normal(size=(13, 7)), rng.normal(size=(13, 7))
rows[4] = 0
R, O = store("vectors.x", rows), store("vectors.y", others)
case("CosineSimilarity", {}, [R, O], np.diag(sk.pairwise.cosine_similarity(rows, others)).mean(), "sklearn.cosine_similarity")
weights = rng.random(97)
Z = store("values.weights", weights)
case("Mean", {}, [X, Z], np.average(x, weights=weights), "numpy.average")
case("Mean", {}, [X], np.mean(x), "numpy.mean")

# ---- Images ------------------------------------------------------------------------------------------------------------
rows, columns = np.mgrid[0:37, 0:42]
clean = np.stack([[127 + 100 * np.sin(rows / (3 + n) + c) * np.cos(columns / 4) for c in range(3)] for n in range(3)])
noisy = clean + rng.normal(0, 1, clean.shape) * np.array([3, 15, 40])[:, None, None, None]
clean, noisy = (np.clip(np.round(a), 0, 255).astype(np.uint8) for a in (clean, noisy))
A, E = store("images.clean", clean), store("images.noisy", noisy)
A1, E1 = store("images.clean64", clean / 255.0), store("images.noisy64", noisy / 255.0)
each = [peak_signal_noise_ratio(a, b, data_range=255) for a, b in zip(clean, noisy)]
case("PSNR", {}, [E, A], np.mean(each), "mean of skimage.peak_signal_noise_ratio")
case("PSNR", {}, [E1, A1], np.mean(each), "mean of skimage.peak_signal_noise_ratio")
case("PSNR", dict(dataRange=200), [E, A], np.mean([peak_signal_noise_ratio(a, b, data_range=200) for a, b in zip(clean, noisy)]), "mean of skimage.peak_signal_noise_ratio")
case("PSNR", dict(per="dataset"), [E, A], peak_signal_noise_ratio(clean, noisy, data_range=255), "skimage.peak_signal_noise_ratio")
case("PSNR", {}, [A, A], np.inf, "definition")


def similarity(a, b, data_range, **options):
    return np.mean([structural_similarity(p, q, data_range=data_range, channel_axis=0, **options) for p, q in zip(a, b)])


wang = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
case("SSIM", {}, [E, A], similarity(noisy, clean, 255, **wang), "skimage.structural_similarity")
case("SSIM", {}, [E1, A1], similarity(noisy / 255.0, clean / 255.0, 1, **wang), "skimage.structural_similarity")
case("SSIM", dict(dataRange=2, k1=0.02, k2=0.05), [E1, A1], similarity(noisy / 255.0, clean / 255.0, 2, K1=0.02, K2=0.05, **wang), "skimage.structural_similarity")
case("SSIM", dict(windowSize=7, sigma=0.8), [E, A], similarity(noisy, clean, 255, gaussian_weights=True, sigma=0.8, use_sample_covariance=False), "skimage.structural_similarity")
case("SSIM", dict(window="uniform", windowSize=7), [E, A], similarity(noisy, clean, 255, use_sample_covariance=False), "skimage.structural_similarity")
case("SSIM", dict(window="uniform", windowSize=7, sampleCovariance=True), [E, A], similarity(noisy, clean, 255), "skimage.structural_similarity")


def multi_scale(names, data_range, size, sigma, channels, **options):
    """By a window in double precision; the library's own is in single."""
    line = torch.exp(-((torch.arange(size, dtype=torch.float64) - size // 2) ** 2) / (2 * sigma**2))
    window = (line / line.sum()).reshape(1, 1, 1, size).repeat(channels, 1, 1, 1)
    tensors = [torch.from_numpy(inputs[name]).double() for name in names]
    return ms_ssim(*tensors, data_range=data_range, win_size=size, win=window, K=(0.01, 0.03), **options)


# Sizes that halve without rest: what others are rounded to is each library's own.
even = [store(f"images.even{i}", a[:, :, :36, :40] / 255.0) for i, a in enumerate((noisy, clean))]
weights = [0.2, 0.3, 0.5]
expected = multi_scale(even, 1.0, 3, 1.1, 3, weights=weights)
case("MSSSIM", dict(weights=weights, windowSize=3, sigma=1.1), even, expected, "pytorch_msssim.ms_ssim")
grey = [store(f"images.grey{i}", a[1:2, :1].repeat(6, 2).repeat(5, 3)[:, :, :176, :192]) for i, a in enumerate((noisy, clean))]
case("MSSSIM", {}, grey, multi_scale(grey, 255, 11, 1.5, 1), "pytorch_msssim.ms_ssim")

FOLDER.mkdir(parents=True, exist_ok=True)
save_file(inputs, FOLDER / "inputs.safetensors")
lines = ",\n".join(json.dumps(entry) for entry in cases)
(FOLDER / "cases.json").write_text(f"[\n{lines}\n]\n")
print(f"{len(cases)} cases, {sum(a.nbytes for a in inputs.values())} bytes")
