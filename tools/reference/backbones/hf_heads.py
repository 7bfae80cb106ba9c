"""test/fixtures/backbones/hf_heads.json, from transformers: classifiers on ViT, AST, VideoMAE and TimeSformer, small."""
import transformers
from common import record
from transformers import (
    ASTConfig,
    ASTForAudioClassification,
    TimesformerConfig,
    TimesformerForVideoClassification,
    VideoMAEConfig,
    VideoMAEForVideoClassification,
    ViTConfig,
    ViTForImageClassification,
)

SIZE = {'hidden_size': 48, 'num_hidden_layers': 2, 'num_attention_heads': 4, 'intermediate_size': 96}
OPTIONS = {'hiddenSize': 48, 'numHiddenLayers': 2, 'numAttentionHeads': 4, 'intermediateSize': 96, 'numClasses': 7}


def case(model, config, given, options, shape):
    return {
        'make': lambda: model(config(num_labels=7, **SIZE, **given)),
        'options': {**OPTIONS, **options},
        'inputs': [{'shape': shape}],
        'run': lambda network, inputs: network(*inputs).logits,
        'source': f'transformers {transformers.__version__}: {model.__name__}({config.__name__}(...)), {SIZE["hidden_size"]} wide',
    }


record('hf_heads', {
    'vit_base_patch16_224_hf_classification': case(
        ViTForImageClassification, ViTConfig, {'image_size': 48, 'patch_size': 16},
        {'imageSize': 48, 'patchSize': 16}, [2, 3, 48, 48]),
    'ast_classification': case(
        ASTForAudioClassification, ASTConfig, {'max_length': 56, 'num_mel_bins': 32},
        {'maxLength': 56, 'numMelBins': 32}, [2, 56, 32]),
    'videomae_base_classification': case(
        VideoMAEForVideoClassification, VideoMAEConfig, {'image_size': 32, 'num_frames': 4, 'use_mean_pooling': True},
        {'imageSize': 32, 'numFrames': 4}, [2, 4, 3, 32, 32]),
    'timesformer_base_classification': case(
        TimesformerForVideoClassification, TimesformerConfig, {'image_size': 32, 'num_frames': 3},
        {'imageSize': 32, 'numFrames': 3}, [2, 3, 3, 32, 32]),
})
