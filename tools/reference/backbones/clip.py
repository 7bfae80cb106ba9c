"""test/fixtures/backbones/clip.json, from open_clip (OpenAI's names) and transformers."""
import open_clip
import transformers
from common import record
from transformers import CLIPConfig, CLIPModel

# open_clip takes texts of full length only.
IMAGES, FULL, SHORT = {'shape': [2, 3, 224, 224]}, {'shape': [3, 77], 'high': 49408}, {'shape': [3, 8], 'high': 49408}
ONE_IMAGE = {'shape': [1, 3, 224, 224]}
NETWORKS = {
    'vit_b_32': 'ViT-B-32-quickgelu',
    'vit_b_16': 'ViT-B-16-quickgelu',
    'vit_l_14': 'ViT-L-14-quickgelu',
    'rn50': 'RN50-quickgelu',
    'rn101': 'RN101-quickgelu',
}
# What the published configuration files say; an end token of 2 makes CLIPTextModel take the largest number's place.
TEXT_B = {'hidden_size': 512, 'intermediate_size': 2048, 'num_hidden_layers': 12, 'num_attention_heads': 8, 'projection_dim': 512, 'eos_token_id': 2}
TEXT_L = {'hidden_size': 768, 'intermediate_size': 3072, 'num_hidden_layers': 12, 'num_attention_heads': 12, 'projection_dim': 768, 'eos_token_id': 2}
VISION_B = {'hidden_size': 768, 'intermediate_size': 3072, 'num_hidden_layers': 12, 'num_attention_heads': 12, 'projection_dim': 512}
VISION_L = {'hidden_size': 1024, 'intermediate_size': 4096, 'num_hidden_layers': 24, 'num_attention_heads': 16, 'projection_dim': 768}
HF = {
    'clip_vit_base_patch32': ('clip_vit_b_32', 512, TEXT_B, {**VISION_B, 'patch_size': 32}),
    'clip_vit_base_patch16': ('clip_vit_b_16', 512, TEXT_B, {**VISION_B, 'patch_size': 16}),
    'clip_vit_large_patch14': ('clip_vit_l_14', 768, TEXT_L, {**VISION_L, 'patch_size': 14}),
}


def run_open_clip(network, inputs):
    images, texts, scale = network(*inputs)[:3]
    logits = scale * images @ texts.T
    return [logits, logits.T, images, texts]


def run_transformers(network, inputs):
    images, tokens = inputs
    out = network(input_ids=tokens, pixel_values=images)
    return [out.logits_per_image, out.logits_per_text, out.image_embeds, out.text_embeds]


record('clip', {
    f'openai_clip_{name}': {
        'make': lambda model=model: open_clip.create_model(model, pretrained=None),
        'network': f'clip_{name}',
        'inputs': [ONE_IMAGE if 'l_14' in name else IMAGES, FULL],
        'run': run_open_clip,
        'source': f"open_clip_torch {open_clip.__version__}: open_clip.create_model('{model}', pretrained=None)",
    }
    for name, model in NETWORKS.items()
} | {
    name: {
        'make': lambda dim=dim, text=text, vision=vision: CLIPModel(
            CLIPConfig(projection_dim=dim, text_config=text, vision_config=vision)
        ),
        'network': network,
        'layout': 'clip-hf',
        'inputs': [ONE_IMAGE if 'large' in name else IMAGES, SHORT],
        'run': run_transformers,
        'source': f'transformers {transformers.__version__}: CLIPModel(CLIPConfig(…)) — {name}',
    }
    for name, (network, dim, text, vision) in HF.items()
})
