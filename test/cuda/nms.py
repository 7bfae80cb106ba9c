"""Suppression on CUDA: the same boxes as on the CPU, hard, by class and soft; time beside torchvision's where it is there."""

import torch

from support import largest, same_bits, seconds


def boxes_of(count, side, generator, dtype=torch.float32):
    corner = torch.rand(count, 2, generator=generator, dtype=dtype) * side
    size = 4 + torch.rand(count, 2, generator=generator, dtype=dtype) * 60
    return torch.cat([corner, corner + size], 1), torch.rand(count, generator=generator, dtype=dtype)


def check(op, report):
    generator = torch.Generator().manual_seed(1)
    wrong, runs = [], 0
    # 64 and 1024 are the sizes of a word and of a block; 12000 has more than one word for each thread.
    for i, count in enumerate((0, 1, 2, 63, 64, 65, 128, 500, 1023, 1025, 4097, 12000)):
        for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
            boxes, scores = boxes_of(count, 300.0 + count / 10, generator)
            if i % 2:
                scores = (scores * 16).round() / 16
            if count > 100:
                boxes[3, 1], boxes[5], scores[7], scores[9] = float("nan"), float("inf"), float("nan"), -0.0
            boxes, scores = boxes.to(dtype), scores.to(dtype)
            idxs = torch.randint(-2, 9, (count,), generator=generator)
            for threshold in (-0.5, 0.0, 0.3, 0.7):
                runs += 1
                if not torch.equal(op.nms(boxes.cuda(), scores.cuda(), threshold).cpu(), op.nms(boxes, scores, threshold)):
                    wrong.append(("nms", count, dtype, threshold))
                cuda = op.batched_nms(boxes.cuda(), scores.cuda(), idxs.cuda(), threshold).cpu()
                if not torch.equal(cuda, op.batched_nms(boxes, scores, idxs, threshold)):
                    wrong.append(("batched_nms", count, dtype, threshold))
    report("nms: the boxes of the CPU", not wrong, f"{runs} calls of each, wrong: {wrong[:4]}")

    # More boxes than one band of bits holds: 300 000 have 4688 words, so a band has 1728 rows.
    boxes, scores = boxes_of(300_000, 4000.0, generator)
    equal = torch.equal(op.nms(boxes.cuda(), scores.cuda(), 0.5).cpu(), op.nms(boxes, scores, 0.5))
    report("nms: several bands", equal, "300000 boxes")

    wrong, worst = [], 0.0
    for count in (0, 1, 31, 1024, 1500):
        for dtype in (torch.float32, torch.float64):
            boxes, scores = boxes_of(count, 200.0, generator, dtype)
            for method in ("linear", "gaussian"):
                cuda = op.soft_nms(boxes.cuda(), scores.cuda(), method=method)
                cpu = op.soft_nms(boxes, scores, method=method)
                # exp differs in the last place, and with it the order of scores that are that close.
                if cuda[0].numel() != cpu[0].numel() or (method == "linear" and not same_bits(cuda[0].cpu(), cpu[0])):
                    wrong.append((count, dtype, method))
                elif count:
                    worst = max(worst, largest(cuda[1], cpu[1]))
    report("soft_nms: the boxes of the CPU", not wrong and worst < 1e-5, f"scores differ by {worst:.1e}, wrong: {wrong[:4]}")


def measure(op, report):
    try:
        from torchvision.ops import nms
    except ImportError:
        nms = None
    generator = torch.Generator().manual_seed(1)
    for count in (1000, 5000, 20000):
        boxes, scores = (t.cuda() for t in boxes_of(count, 1000.0, generator))
        ours = 1e3 * seconds(lambda: op.nms(boxes, scores, 0.5))
        theirs = 1e3 * seconds(lambda: nms(boxes, scores, 0.5)) if nms else float("nan")
        report(f"nms of {count}: time", nms is None or theirs >= ours, f"{ours:.2f} ms, torchvision {theirs:.2f} ms")
    boxes, scores = (t.cuda() for t in boxes_of(5000, 1000.0, generator))
    report("soft_nms of 5000: time", True, f"{1e3 * seconds(lambda: op.soft_nms(boxes, scores)):.2f} ms")
