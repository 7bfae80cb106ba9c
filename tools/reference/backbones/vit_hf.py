"""test/fixtures/backbones/vit-hf.json, from transformers: ViT and its relatives for sound and video."""
import transformers
from common import record
from transformers import ASTConfig, ASTModel, TimesformerConfig, TimesformerModel, VideoMAEConfig, VideoMAEModel, ViTConfig, ViTModel

VERSION = f'transformers {transformers.__version__}'
CLIP = {'image_size': 64, 'num_frames': 4}

record('vit-hf', {
    'vit_base_patch16_224_hf': {
        'make': lambda: ViTModel(ViTConfig()),
        'inputs': [{'shape': [1, 3, 224, 224]}],
        'run': lambda network, inputs: list(network(*inputs).to_tuple()),
        'source': f'{VERSION}: ViTModel(ViTConfig())',
    },
    'ast': {
        'make': lambda: ASTModel(ASTConfig()),
        'inputs': [{'shape': [1, 1024, 128]}],
        'run': lambda network, inputs: list(network(*inputs).to_tuple()),
        'source': f'{VERSION}: ASTModel(ASTConfig())',
    },
    'timesformer_base': {
        'make': lambda: TimesformerModel(TimesformerConfig()),
        # Lower than wide, so that the positions are fitted.
        'inputs': [{'shape': [1, 8, 3, 32, 224]}],
        'run': lambda network, inputs: network(*inputs).last_hidden_state,
        'source': f'{VERSION}: TimesformerModel(TimesformerConfig())',
    },
    'videomae_base': {
        'make': lambda: VideoMAEModel(VideoMAEConfig(**CLIP)),
        'options': {'imageSize': 64, 'numFrames': 4},
        'inputs': [{'shape': [2, 4, 3, 64, 64]}],
        'run': lambda network, inputs: network(*inputs).last_hidden_state,
        'source': f'{VERSION}: VideoMAEModel(VideoMAEConfig(image_size=64, num_frames=4))',
    },
})
