"""Makes test/fixtures/data/order.json: what samplers and splits must give, computed apart from lib/data.

Run: python tools/reference/data-order.py    (needs torch, for DistributedSampler)

The orders come from Philox4x32-10 with Python's integers: word i of a stream is word i % 4 of
philox((i // 4, 0, epoch, stream), seed), and Fisher and Yates' shuffle takes words from the last place to the first,
drawing again where a word is past the last multiple of the number of choices.
"""
import json
import pathlib

from torch.utils.data import DistributedSampler

MASK = 2**32 - 1
ORDER, SAMPLES, SPLIT = 0, 1, 2


def philox(counter, key):
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (p1 >> 32) ^ b ^ k0, p1 & MASK, (p0 >> 32) ^ d ^ k1, p0 & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return a, b, c, d


def key_of(seed):
    seed %= 2**64
    return seed & MASK, seed >> 32


def words(seed, epoch, stream):
    block = 0
    while True:
        yield from philox((block & MASK, block >> 32, epoch, stream), key_of(seed))
        block += 1


def below(source, n):
    end = 2**32 - 2**32 % n
    while (word := next(source)) >= end:
        pass
    return word % n


def permutation(n, seed, epoch, stream=ORDER):
    source = words(seed, epoch, stream)
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        j = below(source, i + 1)
        order[i], order[j] = order[j], order[i]
    return order


def uniforms(count, seed, epoch):
    source = words(seed, epoch, ORDER)
    return [((next(source) >> 5) * 2**26 + (next(source) >> 6)) / 2**53 for _ in range(count)]


def sample_seed(seed, epoch, index):
    high, low, *_ = philox((index & MASK, index >> 32, epoch, SAMPLES), key_of(seed))
    return (high >> 5) * 2**26 + (low >> 6)


def distributed(n, replicas, drop_last):
    parts = [DistributedSampler(range(n), replicas, rank, shuffle=False, drop_last=drop_last) for rank in range(replicas)]
    return {"n": n, "replicas": replicas, "dropLast": drop_last, "parts": [list(part) for part in parts]}


SEEDS = [0, 1, 42, 2**53 - 1, -7]
fixture = {
    "permutations": [
        {"n": n, "seed": seed, "epoch": epoch, "order": permutation(n, seed, epoch)}
        for seed in SEEDS
        for n, epoch in [(10, 0), (10, 1), (7, 5)]
    ],
    "replacement": [
        {"n": 6, "seed": seed, "order": [below(source, 6) for _ in range(12)]}
        for seed in SEEDS
        for source in [words(seed, 0, ORDER)]
    ],
    "uniforms": [{"seed": seed, "values": uniforms(4, seed, 3)} for seed in SEEDS],
    "sampleSeeds": [
        {"seed": seed, "epoch": epoch, "index": index, "value": sample_seed(seed, epoch, index)}
        for seed in SEEDS
        for epoch, index in [(0, 0), (0, 1), (9, 123456), (1, 2**40 + 3)]
    ],
    "split": {"n": 10, "seed": 3, "order": permutation(10, 3, 0, SPLIT)},
    "distributed": [
        distributed(n, replicas, drop_last)
        for n, replicas in [(10, 1), (10, 2), (10, 4), (3, 4), (1, 3), (12, 4), (7, 16)]
        for drop_last in [False, True]
    ],
}
out = pathlib.Path(__file__).parents[2] / "test/fixtures/data/order.json"
out.parent.mkdir(parents=True, exist_ok=True)
out.write_text(json.dumps(fixture) + "\n")
