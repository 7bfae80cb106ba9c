"""test/fixtures/backbones/blip-vilt.json, from transformers: pictures with words."""
import torch
import transformers
from common import record
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
