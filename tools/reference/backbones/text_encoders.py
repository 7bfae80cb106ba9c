"""test/fixtures/backbones/text_encoders.json, from transformers."""
import transformers
from common import record
from transformers import (
    DistilBertConfig, DistilBertModel, MPNetConfig, MPNetModel, RobertaConfig, RobertaModel, XLMRobertaConfig, XLMRobertaModel,
)

SOURCE = f'transformers {transformers.__version__}'
ROBERTA = {'max_position_embeddings': 514, 'type_vocab_size': 1, 'layer_norm_eps': 1e-5, 'pad_token_id': 1, 'bos_token_id': 0, 'eos_token_id': 2}
TINY = {'hidden_size': 32, 'num_hidden_layers': 2, 'num_attention_heads': 4, 'intermediate_size': 64, 'max_position_embeddings': 64}
TINY_OPTIONS = {'hiddenSize': 32, 'numHiddenLayers': 2, 'numAttentionHeads': 4, 'intermediateSize': 64, 'maxPositionEmbeddings': 64}


def inputs(words, length=8):
    return [{'shape': [2, length], 'high': words}, {'shape': [2, length], 'high': 2}]


def run(net, args):
    out = net(args[0], attention_mask=args[1])
    return [out.last_hidden_state] + ([out.pooler_output] if 'pooler_output' in out else [])


def case(make, config, words, source, length=8, **more):
    return {'make': lambda: make(config), 'inputs': inputs(words, length), 'run': run, 'source': f'{SOURCE}: {source}', **more}


# Few words in the tiny networks, so that some are the padding's number, whose positions differ.
record('text_encoders', {
    'distilbert_base_uncased': case(DistilBertModel, DistilBertConfig(), 30522, 'DistilBertModel(DistilBertConfig())'),
    'roberta_base': case(RobertaModel, RobertaConfig(vocab_size=50265, **ROBERTA), 50265, 'RobertaModel(RobertaConfig(...)) — roberta-base'),
    'xlm_roberta_base': case(XLMRobertaModel, XLMRobertaConfig(vocab_size=250002, **ROBERTA), 250002, 'XLMRobertaModel(XLMRobertaConfig(...)) — xlm-roberta-base'),
    'mpnet_base': case(MPNetModel, MPNetConfig(), 30527, 'MPNetModel(MPNetConfig())'),
    'distilbert_tiny': case(
        DistilBertModel, DistilBertConfig(vocab_size=9, dim=32, n_layers=2, n_heads=4, hidden_dim=64, activation='relu', max_position_embeddings=16), 9,
        'DistilBertModel, tiny', network='distilbert_base_uncased',
        options={'vocabSize': 9, 'dim': 32, 'nLayers': 2, 'nHeads': 4, 'hiddenDim': 64, 'activation': 'relu', 'maxPositionEmbeddings': 16}),
    'roberta_tiny': case(
        RobertaModel, RobertaConfig(vocab_size=5, **{**ROBERTA, **TINY}), 5, 'RobertaModel, tiny', network='roberta_base',
        options={'vocabSize': 5, **TINY_OPTIONS}),
    'xlm_roberta_tiny': case(
        XLMRobertaModel, XLMRobertaConfig(vocab_size=5, **{**ROBERTA, **TINY}), 5, 'XLMRobertaModel, tiny', network='xlm_roberta_base',
        options={'vocabSize': 5, **TINY_OPTIONS}),
    'mpnet_tiny': case(
        MPNetModel, MPNetConfig(vocab_size=7, **TINY), 7, 'MPNetModel, tiny', 40, network='mpnet_base', options={'vocabSize': 7, **TINY_OPTIONS}),
})
