"""test/fixtures/backbones/gpt2.json, and texts of test/fixtures/text/gpt2-generate.json, from transformers."""
import json

import torch
import transformers
from common import FIXTURES, fill, hash_integers, record
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Model

SOURCE = f'transformers {transformers.__version__}'
TINY = {'vocab_size': 100, 'n_positions': 64, 'n_embd': 32, 'n_layer': 3, 'n_head': 4}
OPTIONS = {'vocabSize': 100, 'nPositions': 64, 'nEmbd': 32, 'nLayer': 3, 'nHead': 4}


def inputs(words):
    return [{'shape': [2, 8], 'high': words}]


def run(net, args):
    return [net(args[0], use_cache=False)[0]]


record('gpt2', {
    'gpt2': {'make': lambda: GPT2Model(GPT2Config()), 'inputs': inputs(50257), 'run': run, 'source': f'{SOURCE}: GPT2Model(GPT2Config())'},
    'gpt2_lm': {'make': lambda: GPT2LMHeadModel(GPT2Config()), 'inputs': inputs(50257), 'run': run, 'source': f'{SOURCE}: GPT2LMHeadModel(GPT2Config())'},
    'gpt2_medium_tiny': {
        'network': 'gpt2_medium', 'options': OPTIONS, 'make': lambda: GPT2Model(GPT2Config(**TINY)), 'inputs': inputs(100), 'run': run,
        'source': f'{SOURCE}: GPT2Model(GPT2Config(**TINY))',
    },
    'gpt2_lm_tiny': {
        'network': 'gpt2_lm', 'options': {**OPTIONS, 'nInner': 48, 'activationFunction': 'relu'},
        'make': lambda: GPT2LMHeadModel(GPT2Config(**TINY, n_inner=48, activation_function='relu')), 'inputs': inputs(100), 'run': run,
        'source': f'{SOURCE}: GPT2LMHeadModel(GPT2Config(**TINY, n_inner=48, activation_function="relu"))',
    },
})

network = GPT2LMHeadModel(GPT2Config(**TINY)).eval()
fill(network)
tokens = hash_integers('prompt', (3, 5), 100)
mask = torch.ones_like(tokens)
mask[1, :2] = 0
CASES = {
    'greedy': {},
    'greedyWithEnd': {'eos_token_id': None},
    'beams': {'num_beams': 3},
    'beamsWithEnd': {'num_beams': 3, 'eos_token_id': None},
    'beamsEarly': {'num_beams': 4, 'eos_token_id': None, 'early_stopping': True, 'length_penalty': 0.5},
    'beamsNever': {'num_beams': 4, 'eos_token_id': None, 'early_stopping': 'never', 'length_penalty': 2.0},
}
# Words that the network says itself, so that texts end.
plain = network.generate(tokens, attention_mask=mask, max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=-5)
ends = sorted({int(plain[0, 5 + 4]), int(plain[2, 5 + 2])})
written = {}
for name, options in CASES.items():
    with_end = 'eos_token_id' in options
    out = network.generate(
        tokens, attention_mask=mask, max_new_tokens=12, do_sample=False, pad_token_id=0, return_dict_in_generate=True, output_scores=True,
        **{**options, 'eos_token_id': ends if with_end else [-5]},
    )
    texts = []
    for row in out.sequences[:, 5:].tolist():
        cut = next((i + 1 for i, token in enumerate(row) if with_end and token in ends), len(row))
        texts.append(row[:cut])
    written[name] = {'ends': ends if with_end else [], 'texts': texts}
    if 'num_beams' in options:
        written[name]['scores'] = [float(v) for v in out.sequences_scores]
path = FIXTURES.parent / 'text' / 'gpt2-generate.json'
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps({'source': SOURCE, 'prompt': tokens.tolist(), 'mask': mask.tolist(), 'cases': written}) + '\n')
print(written)
