"""test/fixtures/backbones/t5.json, and texts of test/fixtures/text/t5-generate.json, from transformers."""
import json

import torch
import transformers
from common import FIXTURES, fill, hash_integers, record
from transformers import T5Config, T5EncoderModel, T5ForConditionalGeneration, T5Model

SOURCE = f'transformers {transformers.__version__}'
BASE = {'d_model': 768, 'd_kv': 64, 'd_ff': 3072, 'num_layers': 12, 'num_heads': 12, 'vocab_size': 32128}
TINY = {'d_model': 32, 'd_kv': 6, 'd_ff': 48, 'num_layers': 2, 'num_decoder_layers': 3, 'num_heads': 4, 'vocab_size': 90}
OPTIONS = {'dModel': 32, 'dKv': 6, 'dFf': 48, 'numLayers': 2, 'numDecoderLayers': 3, 'numHeads': 4, 'vocabSize': 90}
# Long enough for the wide buckets.
LONG = 70


def inputs(words, length=8, steps=6):
    return [{'shape': [2, length], 'high': words}, {'shape': [2, steps], 'high': words}, {'shape': [2, length], 'high': 2}]


def run(net, args):
    out = net(args[0], decoder_input_ids=args[1], attention_mask=args[2], use_cache=False)
    return [out.last_hidden_state, out.encoder_last_hidden_state]


def run_lm(net, args):
    hidden = []
    hook = net.decoder.register_forward_hook(lambda module, given, out: hidden.append(out[0]))
    out = net(args[0], decoder_input_ids=args[1], attention_mask=args[2], use_cache=False)
    hook.remove()
    return [hidden[0], out.encoder_last_hidden_state, out.logits]


def encoder_inputs(words, length=8):
    return [{'shape': [2, length], 'high': words}, {'shape': [2, length], 'high': 2}]


def run_encoder(net, args):
    return [net(args[0], attention_mask=args[1])[0]]


record('t5', {
    't5_base': {'make': lambda: T5Model(T5Config(**BASE)), 'inputs': inputs(32128), 'run': run, 'source': f'{SOURCE}: T5Model(T5Config(...)) — t5-base'},
    't5_base_encoder': {
        'make': lambda: T5EncoderModel(T5Config(**BASE)), 'inputs': encoder_inputs(32128), 'run': run_encoder,
        'source': f'{SOURCE}: T5EncoderModel(T5Config(...)) — t5-base',
    },
    't5_base_lm': {
        'make': lambda: T5ForConditionalGeneration(T5Config(**BASE)), 'inputs': inputs(32128), 'run': run_lm,
        'source': f'{SOURCE}: T5ForConditionalGeneration(T5Config(...)) — t5-base',
    },
    't5_tiny': {
        'network': 't5_small', 'options': OPTIONS, 'make': lambda: T5Model(T5Config(**TINY)), 'inputs': inputs(90, LONG, LONG), 'run': run,
        'source': f'{SOURCE}: T5Model(T5Config(**TINY))',
    },
    't5_encoder_tiny': {
        'network': 't5_base_encoder', 'options': OPTIONS, 'make': lambda: T5EncoderModel(T5Config(**TINY)), 'inputs': encoder_inputs(90, LONG),
        'run': run_encoder, 'source': f'{SOURCE}: T5EncoderModel(T5Config(**TINY))',
    },
    't5_lm_tiny': {
        'network': 't5_base_lm', 'options': {**OPTIONS, 'relativeAttentionNumBuckets': 12, 'relativeAttentionMaxDistance': 40},
        'make': lambda: T5ForConditionalGeneration(T5Config(**TINY, relative_attention_num_buckets=12, relative_attention_max_distance=40)),
        'inputs': inputs(90, 50, 50), 'run': run_lm,
        'source': f'{SOURCE}: T5ForConditionalGeneration(T5Config(**TINY, relative_attention_num_buckets=12, relative_attention_max_distance=40))',
    },
})

# The package's cache counts the encoder's layers, so that both halves have as many here.
network = T5ForConditionalGeneration(T5Config(**{**TINY, 'num_decoder_layers': 2})).eval()
fill(network)
tokens = hash_integers('prompt', (3, 6), 90)
mask = torch.ones_like(tokens)
mask[1, 4:] = 0
CASES = {'greedy': {}, 'beams': {'num_beams': 3}, 'greedyWithEnd': {'eos_token_id': None}, 'beamsWithEnd': {'num_beams': 3, 'eos_token_id': None}}
plain = network.generate(tokens, attention_mask=mask, max_new_tokens=10, do_sample=False, pad_token_id=0, decoder_start_token_id=0, eos_token_id=-5)
ends = [int(plain[0, 1 + 5])]
written = {}
for name, options in CASES.items():
    with_end = 'eos_token_id' in options
    out = network.generate(
        tokens, attention_mask=mask, max_new_tokens=10, do_sample=False, pad_token_id=0, decoder_start_token_id=0, return_dict_in_generate=True,
        output_scores=True, **{**options, 'eos_token_id': ends if with_end else [-5]},
    )
    texts = []
    for row in out.sequences[:, 1:].tolist():
        cut = next((i + 1 for i, token in enumerate(row) if with_end and token in ends), len(row))
        texts.append(row[:cut])
    written[name] = {'ends': ends if with_end else [], 'texts': texts}
    if 'num_beams' in options:
        written[name]['scores'] = [float(v) for v in out.sequences_scores]
path = FIXTURES.parent / 'text' / 't5-generate.json'
path.write_text(json.dumps({'source': SOURCE, 'prompt': tokens.tolist(), 'mask': mask.tolist(), 'cases': written}) + '\n')
print(written)
