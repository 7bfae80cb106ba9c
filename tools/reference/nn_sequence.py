"""Writes the fixtures of layers over sequences and of parametrisations: what PyTorch 2.11 gives.

They are recurrent, attention, transformer, parametrizations and first-values in test/fixtures/nn.

Run with a Python that has torch==2.11.0 and safetensors: python tools/reference/nn_sequence.py
"""
import warnings

import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, rnn

from nn_cases import Cases

randn = torch.randn
warnings.filterwarnings("ignore", message=".*nested.*")


def packed(module, x, lengths, *state):
    """Over a padded batch [T, N, F] whose sequences do not come sorted, and back."""
    states = state[0] if len(state) == 1 else state or None
    y, last = module(rnn.pack_padded_sequence(x, lengths, enforce_sorted=False), states)
    return *rnn.pad_packed_sequence(y, padding_value=-2.0, total_length=8), last


def recurrent():
    cases = Cases(seed=21)
    cases.layer("RNN relu", nn.RNN(3, 5, nonlinearity="relu"), randn(7, 2, 3))
    two = dict(num_layers=2, bidirectional=True)
    cases.layer("RNN deep", nn.RNN(3, 5, batch_first=True, **two), randn(2, 7, 3), randn(4, 2, 5))
    cases.layer("GRU default", nn.GRU(3, 5), randn(7, 2, 3))
    cases.layer("GRU single", nn.GRU(3, 4, bias=False, **two), randn(7, 3), randn(4, 4))
    cases.layer("LSTM default", nn.LSTM(3, 5), randn(7, 2, 3))
    lstm = lambda m, x, h, c: m(x, (h, c))
    cases.layer("LSTM deep", nn.LSTM(3, 3, batch_first=True, **two), randn(2, 7, 3), randn(4, 2, 3), randn(4, 2, 3), run=lstm)
    options = dict(proj_size=3, bidirectional=True, bias=False)
    cases.layer("LSTM projected", nn.LSTM(3, 5, **options), randn(7, 2, 3), randn(2, 2, 3), randn(2, 2, 5), run=lstm)
    cases.layer("LSTM single", nn.LSTM(3, 4, num_layers=2, batch_first=True), randn(7, 3))

    lengths = torch.tensor([3, 7, 1, 5])
    cases.layer("RNN packed", nn.RNN(3, 4, **two), randn(7, 4, 3), lengths, run=packed)
    cases.layer("RNN packed-relu", nn.RNN(3, 4, nonlinearity="relu"), randn(7, 4, 3), lengths, randn(1, 4, 4), run=packed)
    cases.layer("GRU packed", nn.GRU(3, 4, **two), randn(7, 4, 3), lengths, randn(4, 4, 4), run=packed)
    states = randn(4, 4, 2), randn(4, 4, 3)
    cases.layer("LSTM packed", nn.LSTM(3, 3, proj_size=2, **two), randn(7, 4, 3), lengths, *states, run=packed)

    cases.layer("RNNCell relu", nn.RNNCell(3, 5, nonlinearity="relu"), randn(2, 3), randn(2, 5))
    cases.layer("RNNCell tanh", nn.RNNCell(3, 5, bias=False), randn(3), randn(5))
    cases.layer("GRUCell default", nn.GRUCell(3, 5), randn(2, 3))
    cases.layer("GRUCell state", nn.GRUCell(3, 5, bias=False), randn(2, 3), randn(2, 5))
    cases.layer("LSTMCell default", nn.LSTMCell(3, 5), randn(2, 3))
    cases.layer("LSTMCell state", nn.LSTMCell(3, 5, bias=False), randn(3), randn(5), randn(5), run=lstm)

    def pack(x, lengths):
        sequence = rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return list(sequence)

    x = randn(4, 7, 3)
    cases.function("packPaddedSequence unsorted", pack, x, lengths)
    in_order = torch.tensor([7, 5, 3, 1])
    cases.function(
        "padPackedSequence sorted",
        lambda x, lengths: rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, lengths), batch_first=True),
        randn(7, 4, 2), in_order,
    )
    parts = [randn(3, 2), randn(6, 2), randn(1, 2)]
    cases.function("packSequence unsorted", lambda *xs: list(rnn.pack_sequence(xs, enforce_sorted=False)), *parts)
    cases.function("unpackSequence unsorted", lambda *xs: rnn.unpack_sequence(rnn.pack_sequence(xs, enforce_sorted=False)), *parts)
    options = dict(batch_first=True, padding_value=1.5, padding_side="left")
    cases.function("padSequence left", lambda *xs: rnn.pad_sequence(xs, **options), *parts)
    cases.write("recurrent")


def attention():
    cases = Cases(seed=22)
    q, k, v = randn(5, 2, 6), randn(7, 2, 6), randn(7, 2, 6)
    cases.layer("MultiheadAttention self", nn.MultiheadAttention(6, 3), q, run=lambda m, x: m(x, x, x))
    cases.layer(
        "MultiheadAttention causal",
        nn.MultiheadAttention(6, 2, bias=False, batch_first=True),
        randn(2, 5, 6), nn.Transformer.generate_square_subsequent_mask(5),
        run=lambda m, x, mask: m(x, x, x, attn_mask=mask, is_causal=True, need_weights=False), frozen={1},
    )
    padding = torch.tensor([[False, False, True, False, False, True, True], [True] + [False] * 6])
    blocked = torch.rand(5, 7) < 0.2
    blocked[:, 3] = False
    cases.layer(
        "MultiheadAttention masked",
        nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True),
        q, k, v, padding, blocked,
        run=lambda m, q, k, v, p, b: m(q, k, v, key_padding_mask=p, attn_mask=b, average_attn_weights=False),
    )
    cases.layer(
        "MultiheadAttention masked-fast",
        nn.MultiheadAttention(6, 2, add_bias_kv=True, add_zero_attn=True),
        q, k, v, padding, blocked,
        run=lambda m, q, k, v, p, b: m(q, k, v, key_padding_mask=p, attn_mask=b, need_weights=False),
    )
    heads = randn(2 * 3, 5, 7)
    float_padding = torch.where(padding, -2.0, 0.5)
    for weights in (True, False):
        cases.layer(
            f"MultiheadAttention {'weights' if weights else 'output'}",
            nn.MultiheadAttention(6, 3, kdim=4, vdim=5, batch_first=True),
            randn(2, 5, 6), randn(2, 7, 4), randn(2, 7, 5), float_padding, heads,
            run=lambda m, q, k, v, p, b: m(q, k, v, key_padding_mask=p, attn_mask=b, need_weights=weights),
        )
    cases.layer(
        "MultiheadAttention single",
        nn.MultiheadAttention(6, 3, kdim=4, vdim=4, add_bias_kv=True, bias=False),
        randn(5, 6), randn(7, 4), padding[0],
        run=lambda m, q, k, p: m(q, k, k, key_padding_mask=p, average_attn_weights=False),
    )
    cases.write("attention")


def transformers():
    cases = Cases(seed=24)
    padding = torch.tensor([[False, False, True, False, False, True, True], [True] + [False] * 6])
    options = dict(dim_feedforward=9, dropout=0.0)
    mask = nn.Transformer.generate_square_subsequent_mask(7)
    small = randn(5, 7)
    cases.layer("TransformerEncoderLayer default", nn.TransformerEncoderLayer(6, 2, **options), randn(7, 2, 6))
    cases.layer(
        "TransformerEncoderLayer first",
        nn.TransformerEncoderLayer(6, 3, activation="gelu", norm_first=True, batch_first=True, layer_norm_eps=0.01, **options),
        randn(2, 7, 6), mask, padding,
        run=lambda m, x, mask, p: m(x, src_mask=mask, src_key_padding_mask=p), frozen={1},
    )
    cases.layer(
        "TransformerEncoderLayer unbiased", nn.TransformerEncoderLayer(6, 2, bias=False, **options), randn(7, 6)
    )
    cases.layer(
        "TransformerDecoderLayer default",
        nn.TransformerDecoderLayer(6, 2, bias=False, **options), randn(5, 2, 6), randn(7, 2, 6),
    )
    cases.layer(
        "TransformerDecoderLayer first",
        nn.TransformerDecoderLayer(6, 3, activation="gelu", norm_first=True, batch_first=True, layer_norm_eps=0.01, **options),
        randn(2, 5, 6), randn(2, 7, 6), small, padding,
        run=lambda m, x, memory, mask, p: m(x, memory, tgt_is_causal=True, tgt_mask=nn.Transformer.generate_square_subsequent_mask(5), memory_mask=mask, memory_key_padding_mask=p),
    )
    layer = nn.TransformerEncoderLayer(6, 2, activation="gelu", **options)
    cases.layer(
        "TransformerEncoder norm",
        nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(6), enable_nested_tensor=False),
        randn(7, 2, 6), mask,
        run=lambda m, x, mask: m(x, mask=mask, is_causal=True), frozen={1},
    )
    layer = nn.TransformerDecoderLayer(6, 2, **options)
    cases.layer(
        "TransformerDecoder plain",
        nn.TransformerDecoder(layer, 2), randn(5, 2, 6), randn(7, 2, 6), padding,
        run=lambda m, x, memory, p: m(x, memory, memory_key_padding_mask=p),
    )
    model = nn.Transformer(6, 2, 1, 1, batch_first=True, norm_first=True, activation="gelu", layer_norm_eps=0.1, **options)
    cases.layer(
        "Transformer causal",
        model, randn(2, 7, 6), randn(2, 5, 6), padding,
        run=lambda m, x, y, p: m(x, y, tgt_mask=nn.Transformer.generate_square_subsequent_mask(5), src_key_padding_mask=p, memory_key_padding_mask=p),
    )
    cases.write("transformer")


def first_values():
    """What the layers draw in float32 after a seed: the parameters must come in PyTorch's order."""
    cases = Cases()
    torch.set_default_dtype(torch.float32)

    def first(name, seed, make):
        torch.manual_seed(seed)
        for key, value in make().state_dict().items():
            cases.tensors[f"{name}|state|{key}"] = value

    first("LSTM", 5, lambda: nn.LSTM(3, 5, num_layers=2, bidirectional=True, proj_size=2))
    first("GRUCell", 6, lambda: nn.GRUCell(3, 5))
    first("MultiheadAttention same", 7, lambda: nn.MultiheadAttention(6, 2, add_bias_kv=True))
    first("MultiheadAttention different", 8, lambda: nn.MultiheadAttention(6, 2, kdim=3, vdim=4))
    first("Transformer", 9, lambda: nn.Transformer(4, 2, 1, 1, dim_feedforward=3))
    cases.write("first-values")


def parametrised():
    cases = Cases(seed=23)
    x = randn(2, 3, 5)

    def conv(change, *shape, layer=nn.Conv1d, **options):
        module = layer(*shape)
        with torch.no_grad():
            for p in module.parameters():
                p.copy_(randn(p.shape).float())
        return change(module, **options)

    keep = dict(randomise=False)
    cases.layer("weightNorm rows", conv(parametrizations.weight_norm, 3, 4, 3), x, **keep)
    cases.layer("weightNorm columns", conv(parametrizations.weight_norm, 3, 4, 3, dim=2), x, **keep)
    cases.layer("weightNorm whole", conv(parametrizations.weight_norm, 5, 2, layer=nn.Linear, dim=None), x, **keep)
    cases.layer("spectralNorm train", conv(parametrizations.spectral_norm, 3, 4, 3, n_power_iterations=2), x, **keep)
    cases.layer("spectralNorm eval", conv(parametrizations.spectral_norm, 5, 2, layer=nn.Linear).eval(), x, **keep)
    transposed = conv(parametrizations.spectral_norm, 3, 4, 3, layer=nn.ConvTranspose1d)
    cases.layer("spectralNorm transposed", transposed, x, **keep)
    vector = conv(parametrizations.spectral_norm, 5, 2, layer=nn.Linear, name="bias")
    cases.layer("spectralNorm vector", vector, x, **keep)

    class Symmetric(nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).transpose(-1, -2)

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(1.5))

        def forward(self, x):
            return x * self.scale

    module = nn.Linear(5, 5)
    parametrize.register_parametrization(module, "weight", Symmetric())
    parametrize.register_parametrization(module, "weight", Scaled())
    cases.layer("registerParametrization chain", module, x)
    cases.write("parametrizations")


recurrent()
attention()
transformers()
parametrised()
first_values()
