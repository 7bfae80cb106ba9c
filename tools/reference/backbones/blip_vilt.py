"""test/fixtures/backbones/blip-vilt.json and test/fixtures/text/blip-generate.json, from transformers: pictures with words."""
import json

import torch
import transformers
from common import FIXTURES, fill, hash_integers, hash_tensor, record
from transformers import BlipConfig, BlipForConditionalGeneration, BlipForQuestionAnswering, ViltConfig, ViltModel

VERSION = f'transformers {transformers.__version__}'
IMAGES = {'shape': [2, 3, 64, 96]}
VISION = {'vision': {'interpolatePositions': True}}


def blip_config():
    return BlipConfig(text_config={'num_attention_heads': 12}, vision_config={'image_size': 384})


def run_caption(network, inputs):
    images, tokens = inputs
    seen = network.vision_model(images, interpolate_pos_encoding=True).last_hidden_state
    return network.text_decoder(input_ids=tokens, encoder_hidden_states=seen).logits


def run_answer(network, inputs):
    images, question, answer = inputs
    seen = network.vision_model(images, interpolate_pos_encoding=True).last_hidden_state
    asked = network.text_encoder(input_ids=question, encoder_hidden_states=seen).last_hidden_state
    return network.text_decoder(input_ids=answer, encoder_hidden_states=asked).logits


def run_vilt(network, inputs):
    """The second text has two words less, the second picture a third of its width; patches are shuffled, so left out."""
    tokens, images = inputs
    words, pixels = torch.ones(2, 6, dtype=torch.int64), torch.ones(2, 64, 96, dtype=torch.int64)
    words[1, 4:] = 0
    pixels[1, :, 64:] = 0
    out = network(input_ids=tokens, pixel_values=images, attention_mask=words, pixel_mask=pixels)
    return [out.last_hidden_state[:, :7], out.pooler_output]


record('blip-vilt', {
    'blip_image_captioning_base': {
        'make': lambda: BlipForConditionalGeneration(blip_config()),
        'options': VISION,
        'inputs': [IMAGES, {'shape': [2, 7], 'high': 30524}],
        'run': run_caption,
        'source': f'{VERSION}: BlipForConditionalGeneration(BlipConfig(…))',
    },
    'blip_vqa_base': {
        'make': lambda: BlipForQuestionAnswering(blip_config()),
        'options': VISION,
        'inputs': [IMAGES, {'shape': [2, 6], 'high': 30524}, {'shape': [2, 4], 'high': 30524}],
        'run': run_answer,
        'source': f'{VERSION}: BlipForQuestionAnswering(BlipConfig(…))',
    },
    'vilt_b32': {
        'make': lambda: ViltModel(ViltConfig()),
        'inputs': [{'shape': [2, 6], 'high': 30522}, IMAGES],
        'run': run_vilt,
        'source': f'{VERSION}: ViltModel(ViltConfig())',
    },
})

# Captions and answers of small networks. The package hides no padding of a question from its answer: there is none here.
TEXT = {'vocab_size': 90, 'hidden_size': 32, 'encoder_hidden_size': 32, 'num_hidden_layers': 2, 'num_attention_heads': 4,
        'intermediate_size': 48, 'bos_token_id': 88, 'pad_token_id': 0}
EYES = {'image_size': 32, 'patch_size': 16, 'hidden_size': 32, 'num_hidden_layers': 2, 'num_attention_heads': 4, 'intermediate_size': 48}
PROMPT = [88, 31, 5]
CASES = {'greedy': {}, 'beams': {'num_beams': 3}, 'greedyWithEnd': {'end': True}, 'beamsWithEnd': {'num_beams': 3, 'end': True}}


def texts_of(model, given, before, ends, name):
    """`before`: how many tokens the texts begin with. Without an end, none of the words is one."""
    with_end, written = bool(ends), {}
    network = model(BlipConfig(text_config={**TEXT, 'sep_token_id': ends[0] if ends else 10**6}, vision_config=EYES)).eval()
    fill(network)
    beams = CASES[name].get('num_beams', 1)
    # The published functions give no scores: the decoder's own one is asked for them.
    inner = network.text_decoder.generate
    network.text_decoder.generate = lambda **options: inner(**options, return_dict_in_generate=True, output_scores=True)
    out = network.generate(**given, max_new_tokens=10, do_sample=False, num_beams=beams)
    rows = out.sequences[:, before:].tolist()
    written = {'ends': ends, 'texts': [row[: next((i + 1 for i, t in enumerate(row) if with_end and t in ends), len(row))] for row in rows]}
    if beams > 1:
        written['scores'] = [float(v) for v in out.sequences_scores]
    return written


images, question = hash_tensor('images', (3, 3, 32, 32)), hash_integers('question', (3, 6), 80)
TASKS = {
    'captions': (BlipForConditionalGeneration, lambda: {'pixel_values': images}, 1),
    # The last token of a prompt, [SEP], is taken away.
    'promptedCaptions': (BlipForConditionalGeneration, lambda: {'pixel_values': images, 'input_ids': torch.tensor([[*PROMPT, 0]] * 3)}, 3),
    'answers': (BlipForQuestionAnswering, lambda: {'pixel_values': images, 'input_ids': question.clone()}, 1),
}
written = {}
for task, (model, given, before) in TASKS.items():
    plain = texts_of(model, given(), before, [], 'greedy')['texts']
    ends = [plain[0][4]]
    written[task] = {name: texts_of(model, given(), before, ends if case.get('end') else [], name) for name, case in CASES.items()}
    print(task, written[task])
path = FIXTURES.parent / 'text' / 'blip-generate.json'
path.write_text(json.dumps({'source': VERSION, 'prompt': PROMPT[1:], 'question': question.tolist(), 'tasks': written}) + '\n')
