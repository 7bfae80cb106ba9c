"""test/fixtures/text/tokenizers.json: small tokenizers of every kind, and what the tokenizers library makes of texts with them."""
import json
import pathlib
import tempfile

import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / 'test' / 'fixtures'
CORPUS = [
    'A man is riding a brown horse along the beach while two dogs run behind them.',
    'Two children are playing with a red ball in the park, and it is raining.',
    "The cat doesn't like water; she's sleeping on the old wooden chair.",
    'A woman holds an umbrella in front of a yellow taxi in New York.',
    'There are 12 bicycles and 345 cars parked near the train station at 10:30.',
    'Ein Mädchen läuft über die Brücke. Le café est fermé à côté du théâtre.',
    'people walking dogs, running horses, playing children, holding umbrellas',
] * 4
TEXTS = [
    'A man is riding a horse.',
    "Hello, y'all! How are you 😁 ?",
    'it’s   raining\tcats\nand dogs…  ',
    "The dog doesn't care, she'll run; I've 1234 of them!",
    'MÄDCHEN Über Brücken — théâtre',
    'ﬁne ｆｕｌｌ ½ ① Å ΟΔΟΣ σ',
    '北京的 horse 車',
    'unaffable_snake-case@mail.org',
    ' leading and trailing ',
    '',
    'a [MASK] horse<mask> <extra> and[MASK]',
    'a\u0301e\u0301 \u200bzero\u00a0width \ufeff x\u0085y',
    '👩‍👩‍👧‍👦 family 🇩🇪',
    'x' * 120,
]
PAIRS = [('A man is riding a horse.', 'Two dogs run.'), ('', 'a [MASK]')]


def byte_bpe():
    it = Tokenizer(models.BPE())
    it.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    it.decoder = decoders.ByteLevel()
    it.post_processor = processors.ByteLevel(trim_offsets=False)
    it.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=420, special_tokens=['<|endoftext|>'], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return it


def roberta():
    it = byte_bpe()
    it.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    it.add_special_tokens(['<s>', '</s>', AddedToken('<mask>', lstrip=True)])
    it.add_tokens([AddedToken('<extra>', rstrip=True, normalized=False)])
    it.post_processor = processors.RobertaProcessing(('</s>', it.token_to_id('</s>')), ('<s>', it.token_to_id('<s>')), trim_offsets=True, add_prefix_space=True)
    return it


def clip():
    it = Tokenizer(models.BPE(unk_token='<|endoftext|>', end_of_word_suffix='</w>', continuing_subword_prefix=''))
    it.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r'\s+'), ' '), normalizers.Lowercase()])
    it.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), 'removed', invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    it.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=700, special_tokens=['<|startoftext|>', '<|endoftext|>'], initial_alphabet=alphabet, end_of_word_suffix='</w>', show_progress=False))
    it.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.BPEDecoder(suffix='</w>')])
    it.post_processor = processors.RobertaProcessing(('<|endoftext|>', 1), ('<|startoftext|>', 0), trim_offsets=False, add_prefix_space=False)
    return it


def bert(lowercase=True):
    it = Tokenizer(models.WordPiece(unk_token='[UNK]'))
    it.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    it.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    it.decoder = decoders.WordPiece()
    special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
    it.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=260, special_tokens=special, show_progress=False))
    it.post_processor = processors.TemplateProcessing('[CLS] $A [SEP]', '[CLS] $A [SEP] $B:1 [SEP]:1', [('[CLS]', 2), ('[SEP]', 3)])
    return it


def sentencepiece_charsmap():
    """A small table of SentencePiece's own, in place of its 240 kB of NFKC."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        rules = {'ﬁ': 'fi', '½': '1/2', '①': '1', '\u212b': '\u00c5', '…': '...', '\u3000': ' ', '\t': ' ', '\n': ' ', '\u200b': ' ', '\u00a0': ' ', 'e\u0301': 'é', 'a\u0301': 'á', '’': "'"}
        rules.update({chr(0xFF01 + i): chr(0x21 + i) for i in range(94)})
        (folder / 'rules.tsv').write_text('\n'.join(f'{" ".join(f"{ord(c):X}" for c in k)}\t{" ".join(f"{ord(c):X}" for c in v)}' for k, v in rules.items()) + '\n')
        (folder / 'corpus.txt').write_text('\n'.join(CORPUS))
        sentencepiece.SentencePieceTrainer.train(input=str(folder / 'corpus.txt'), model_prefix=str(folder / 'm'), vocab_size=100, normalization_rule_tsv=str(folder / 'rules.tsv'), minloglevel=2)
        from sentencepiece import sentencepiece_model_pb2 as pb
        model = pb.ModelProto()
        model.ParseFromString((folder / 'm.model').read_bytes())
        return model.normalizer_spec.precompiled_charsmap


def t5():
    it = Tokenizer(models.Unigram())
    it.normalizer = normalizers.Sequence([normalizers.Precompiled(sentencepiece_charsmap()), normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(' {2,}'), '▁')])
    it.pre_tokenizer = pre_tokenizers.Metaspace(replacement='▁', prepend_scheme='always', split=True)
    it.decoder = decoders.Metaspace(replacement='▁', prepend_scheme='always')
    it.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=180, special_tokens=['<pad>', '</s>', '<unk>'], unk_token='<unk>', show_progress=False))
    it.post_processor = processors.TemplateProcessing('$A </s>', '$A </s> $B </s>', [('</s>', 1)])
    return it


def llama():
    """Byte pairs over characters, with bytes for what is unknown."""
    it = Tokenizer(models.BPE(byte_fallback=True, unk_token='<unk>', fuse_unk=True))
    it.normalizer = normalizers.Sequence([normalizers.Prepend('▁'), normalizers.Replace(' ', '▁')])
    special = ['<unk>', '<s>', '</s>'] + [f'<0x{i:02X}>' for i in range(256)]
    it.train_from_iterator([text[:30] for text in CORPUS], trainers.BpeTrainer(vocab_size=420, special_tokens=special, show_progress=False))
    saved = json.loads(it.to_str())
    saved['added_tokens'] = saved['added_tokens'][:3]
    it = Tokenizer.from_str(json.dumps(saved))
    it.decoder = decoders.Sequence([decoders.Replace('▁', ' '), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(' ', 1, 0)])
    return it


def words():
    """Other parts: white space, digits, punctuation."""
    it = Tokenizer(models.WordPiece(unk_token='<unk>', max_input_chars_per_word=20))
    it.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    it.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation('merged_with_previous')])
    it.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=220, special_tokens=['<unk>'], show_progress=False))
    it.decoder = decoders.WordPiece(cleanup=False)
    return it


made = {'gpt2': byte_bpe(), 'roberta': roberta(), 'clip': clip(), 'bert': bert(), 'bertCased': bert(False), 't5': t5(), 'llama': llama(), 'words': words()}
out = {}
for name, it in made.items():
    encoded = [it.encode(text) for text in TEXTS]
    pairs = [it.encode(*pair) for pair in PAIRS]
    out[name] = {
        'tokenizer': json.loads(it.to_str()),
        'texts': [{'text': text, 'ids': e.ids, 'tokens': [it.id_to_token(i) for i in e.ids], 'decoded': it.decode(e.ids), 'whole': it.decode(e.ids, skip_special_tokens=False)} for text, e in zip(TEXTS, encoded)],
        'pairs': [{'pair': pair, 'ids': e.ids, 'typeIds': e.type_ids, 'special': e.special_tokens_mask} for pair, e in zip(PAIRS, pairs)],
    }
path = FIXTURES / 'text' / 'tokenizers.json'
path.parent.mkdir(exist_ok=True)
lines = ',\n'.join(f'{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}' for k, v in out.items())
path.write_text('{\n' + f'"source": "tokenizers {tokenizers.__version__}",\n' + lines + '\n}\n')
print(path.stat().st_size, {k: len(v['tokenizer']['model']['vocab']) for k, v in out.items()})
