"""Outputs of reference networks whose weights are a hash of their names: see test/support/hash-weights.ts.

Each script beside this one calls `record(family, cases)`, which writes test/fixtures/backbones/<family>.json.
"""
import json
import math
import pathlib
import re

import numpy as np
import torch

FIXTURES = pathlib.Path(__file__).resolve().parents[3] / 'test' / 'fixtures' / 'backbones'
PERIOD = 65_537
MASK = np.uint64(0xFFFFFFFF)


def hash_numbers(name, count):
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    x = (np.uint64(seed) + np.arange(min(count, PERIOD), dtype=np.uint64) * np.uint64(0x9E3779B9)) & MASK
    x = ((x ^ (x >> np.uint64(16))) * np.uint64(0x85EBCA6B)) & MASK
    x = ((x ^ (x >> np.uint64(13))) * np.uint64(0xC2B2AE35)) & MASK
    return ((x ^ (x >> np.uint64(16))) & MASK).astype(np.float64) / 2**31 - 1


def hash_tensor(name, shape, spread=1.0, centre=0.0):
    size = math.prod(shape)
    period = torch.from_numpy((centre + spread * hash_numbers(name, size)).astype(np.float32))
    return period.repeat(-(-size // PERIOD))[:size].reshape(shape) if size else torch.empty(shape)


def hash_integers(name, shape, high):
    size = math.prod(shape)
    numbers = np.floor((hash_numbers(name, size) + 1) / 2 * high).astype(np.int64)
    return torch.from_numpy(np.resize(numbers, size)).reshape(shape)


def range_of(name, shape, spreads):
    for pattern, spread in spreads.items():
        if re.search(pattern, name):
            return spread, 0.0
    last = name.rsplit('.', 1)[-1]
    if last == 'running_var':
        return 0.5, 1.0
    if len(shape) >= 2:
        return math.sqrt(3 / math.prod(shape[1:])), 0.0
    return (0.2, 1.0) if last in ('weight', 'gamma') else (0.1, 0.0)


@torch.no_grad()
def fill(network, spreads={}):
    seen = set()
    for name, target in network.state_dict().items():
        key = (target.data_ptr(), tuple(target.shape))
        if key in seen or not target.is_floating_point():
            continue
        seen.add(key)
        spread, centre = range_of(name, target.shape, spreads)
        target.copy_(hash_tensor(name, tuple(target.shape), spread, centre))


def flat(value):
    """The tensors of a result, in the order of lists, tuples and dictionaries."""
    if isinstance(value, torch.Tensor):
        return [value]
    if hasattr(value, 'items'):
        value = value.values()
    return [tensor for item in value for tensor in flat(item)] if isinstance(value, (list, tuple)) or hasattr(value, '__iter__') else []


def inputs_of(spec):
    """Tensors from `{'shape': [...]}`, with 'high' for whole numbers, 'spread' and 'centre' for others."""
    made = []
    for i, each in enumerate(spec):
        name = f'input{i}'
        if 'high' in each:
            made.append(hash_integers(name, each['shape'], each['high']))
        else:
            made.append(hash_tensor(name, each['shape'], each.get('spread', 1.0), each.get('centre', 0.0)))
    return made


def record(family, cases):
    """cases: name -> dict of `make` (a function), `inputs` (specs), `source`, and optionally
    `network` and `options` (what the registry is asked for; the name and none by default),
    `layout` (a name in lib/backbones/layouts, where the reference's names are not the registry's),
    `spreads` (of weights by a regular expression of their names, for networks that scale them themselves),
    `run` (network, inputs -> outputs; by default the network called with the inputs)."""
    path = FIXTURES / f'{family}.json'
    written = {}
    for name, case in cases.items():
        torch.manual_seed(0)
        network = case['make']().eval()
        fill(network, case.get('spreads', {}))
        with torch.no_grad():
            run = case.get('run', lambda net, args: net(*args))
            outputs = flat(run(network, inputs_of(case['inputs'])))
        written[name] = {
            'network': case.get('network', name),
            'options': case.get('options', {}),
            **({'layout': case['layout']} if 'layout' in case else {}),
            'source': case['source'],
            'parameters': sum(p.numel() for p in network.parameters()),
            **({'spreads': case['spreads']} if 'spreads' in case else {}),
            'inputs': case['inputs'],
            'outputs': [
                {
                    'shape': list(out.shape),
                    'norm': float(out.double().norm()),
                    'first': [float(f'{v:.8g}') for v in out.double().flatten()[:32].tolist()],
                }
                for out in outputs
            ],
        }
        print(name, [o['norm'] for o in written[name]['outputs']])
        del network
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ',\n'.join(f'{json.dumps(k)}: {json.dumps(v)}' for k, v in written.items())
    path.write_text('{\n' + lines + '\n}\n')
