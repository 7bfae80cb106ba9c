"""test/fixtures/backbones/bert.json, from transformers."""
import transformers
from common import record
from transformers import BertConfig, BertForPreTraining, BertModel

SOURCE = f'transformers {transformers.__version__}'
TINY = {'vocab_size': 100, 'hidden_size': 32, 'num_hidden_layers': 2, 'num_attention_heads': 4, 'intermediate_size': 64, 'max_position_embeddings': 16}
OPTIONS = {'vocabSize': 100, 'hiddenSize': 32, 'numHiddenLayers': 2, 'numAttentionHeads': 4, 'intermediateSize': 64, 'maxPositionEmbeddings': 16}


def inputs(words):
    return [{'shape': [2, 8], 'high': words}, {'shape': [2, 8], 'high': 2}, {'shape': [2, 8], 'high': 2}]


def run(net, args):
    out = net(args[0], attention_mask=args[1], token_type_ids=args[2])
    return [out[0], out[1]]


def run_decoder(net, args):
    out = net(args[0], encoder_hidden_states=args[1], encoder_attention_mask=args[2], use_cache=False)
    return [out.last_hidden_state]


record('bert', {
    'bert_base_uncased': {'make': lambda: BertModel(BertConfig()), 'inputs': inputs(30522), 'run': run, 'source': f'{SOURCE}: BertModel(BertConfig())'},
    'bert_base_uncased_pretraining': {
        'make': lambda: BertForPreTraining(BertConfig()), 'inputs': inputs(30522), 'run': run, 'source': f'{SOURCE}: BertForPreTraining(BertConfig())',
    },
    'bert_large_tiny': {
        'network': 'bert_large_uncased', 'options': OPTIONS, 'make': lambda: BertModel(BertConfig(**TINY)), 'inputs': inputs(100), 'run': run,
        'source': f'{SOURCE}: BertModel(BertConfig(**TINY))',
    },
    'bert_pretraining_tiny': {
        'network': 'bert_base_uncased_pretraining', 'options': OPTIONS, 'make': lambda: BertForPreTraining(BertConfig(**TINY)), 'inputs': inputs(100),
        'run': run, 'source': f'{SOURCE}: BertForPreTraining(BertConfig(**TINY))',
    },
    'bert_decoder_tiny': {
        'network': 'bert_base_uncased',
        'options': {**OPTIONS, 'isDecoder': True, 'encoderHiddenSize': 32, 'pooling': False, 'hiddenAct': 'relu'},
        'make': lambda: BertModel(BertConfig(**TINY, is_decoder=True, add_cross_attention=True, hidden_act='relu'), add_pooling_layer=False),
        'inputs': [{'shape': [2, 8], 'high': 100}, {'shape': [2, 5, 32]}, {'shape': [2, 5], 'high': 2}],
        'run': run_decoder,
        'source': f'{SOURCE}: BertModel(BertConfig(**TINY, is_decoder=True, add_cross_attention=True, hidden_act="relu"), add_pooling_layer=False)',
    },
})
