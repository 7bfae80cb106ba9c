"""test/fixtures/backbones/speech.json, from transformers."""
import transformers
from common import record
from transformers import Wav2Vec2Config, Wav2Vec2Model, WhisperConfig, WhisperForConditionalGeneration, WhisperModel

SOURCE = f'transformers {transformers.__version__}'
BASE = {
    'd_model': 512, 'encoder_layers': 6, 'decoder_layers': 6, 'encoder_attention_heads': 8, 'decoder_attention_heads': 8, 'encoder_ffn_dim': 2048,
    'decoder_ffn_dim': 2048, 'vocab_size': 51865, 'num_mel_bins': 80,
}
TINY = {
    'd_model': 32, 'encoder_layers': 2, 'decoder_layers': 2, 'encoder_attention_heads': 4, 'decoder_attention_heads': 2, 'encoder_ffn_dim': 48,
    'decoder_ffn_dim': 64, 'vocab_size': 90, 'num_mel_bins': 10, 'max_source_positions': 20, 'max_target_positions': 12, 'pad_token_id': 3,
}
TINY_OPTIONS = {
    'dModel': 32, 'encoderLayers': 2, 'decoderLayers': 2, 'encoderAttentionHeads': 4, 'decoderAttentionHeads': 2, 'encoderFfnDim': 48,
    'decoderFfnDim': 64, 'vocabSize': 90, 'numMelBins': 10, 'maxSourcePositions': 20, 'maxTargetPositions': 12, 'padTokenId': 3,
}
WAV = {
    'hidden_size': 32, 'num_hidden_layers': 2, 'num_attention_heads': 4, 'intermediate_size': 48, 'conv_dim': (16, 16, 24), 'conv_stride': (5, 2, 2),
    'conv_kernel': (10, 3, 2), 'num_conv_pos_embeddings': 15, 'num_conv_pos_embedding_groups': 4,
}
WAV_OPTIONS = {
    'hiddenSize': 32, 'numHiddenLayers': 2, 'numAttentionHeads': 4, 'intermediateSize': 48, 'convDim': [16, 16, 24], 'convStride': [5, 2, 2],
    'convKernel': [10, 3, 2], 'numConvPosEmbeddings': 15, 'numConvPosEmbeddingGroups': 4,
}


def run_whisper(net, args):
    out = net(args[0], decoder_input_ids=args[1], use_cache=False)
    return [out[0], out.encoder_last_hidden_state]


def run_wav(net, args):
    out = net(args[0], mask_time_indices=args[1].bool() if len(args) > 1 else None)
    return [out.last_hidden_state, out.extract_features]


record('speech', {
    'whisper_base': {
        'make': lambda: WhisperModel(WhisperConfig(**BASE)), 'inputs': [{'shape': [1, 80, 3000]}, {'shape': [1, 8], 'high': 51865}], 'run': run_whisper,
        'source': f'{SOURCE}: WhisperModel(WhisperConfig(...)) — whisper-base',
    },
    'whisper_tiny': {
        'network': 'whisper_base', 'options': TINY_OPTIONS, 'make': lambda: WhisperModel(WhisperConfig(**TINY)),
        'inputs': [{'shape': [2, 10, 40]}, {'shape': [2, 8], 'high': 90}], 'run': run_whisper, 'source': f'{SOURCE}: WhisperModel(WhisperConfig(**TINY))',
    },
    'whisper_lm_tiny': {
        'network': 'whisper_base_lm', 'options': TINY_OPTIONS, 'make': lambda: WhisperForConditionalGeneration(WhisperConfig(**TINY)),
        'inputs': [{'shape': [2, 10, 40]}, {'shape': [2, 8], 'high': 90}], 'run': run_whisper,
        'source': f'{SOURCE}: WhisperForConditionalGeneration(WhisperConfig(**TINY))',
    },
    'wav2vec2_base': {
        'make': lambda: Wav2Vec2Model(Wav2Vec2Config()), 'inputs': [{'shape': [1, 4000]}], 'run': run_wav,
        'source': f'{SOURCE}: Wav2Vec2Model(Wav2Vec2Config())',
    },
    'wav2vec2_tiny': {
        'network': 'wav2vec2_base', 'options': WAV_OPTIONS, 'make': lambda: Wav2Vec2Model(Wav2Vec2Config(**WAV)),
        'inputs': [{'shape': [2, 400]}, {'shape': [2, 19], 'high': 2}], 'run': run_wav, 'source': f'{SOURCE}: Wav2Vec2Model(Wav2Vec2Config(**WAV))',
    },
})
