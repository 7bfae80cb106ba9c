"""test/fixtures/backbones/vit-transformers5.json: networks of vit_hf.py with the names that version 5 gives their tensors."""
import re

import transformers
from common import record
from transformers import ASTConfig, ASTModel, VideoMAEConfig, VideoMAEModel, ViTConfig, ViTModel

SOURCE = f'transformers {transformers.__version__}, tensors renamed as 5.23.0 has them'
NAMES = [
    (r'encoder\.layer\.(\d+)\.attention\.attention\.(q|k|v)(uery|ey|alue)', r'layers.\1.attention.\2_proj'),
    (r'encoder\.layer\.(\d+)\.attention\.output\.dense', r'layers.\1.attention.o_proj'),
    (r'encoder\.layer\.(\d+)\.intermediate\.dense', r'layers.\1.mlp.fc1'),
    (r'encoder\.layer\.(\d+)\.output\.dense', r'layers.\1.mlp.fc2'),
    (r'encoder\.layer\.(\d+)\.layernorm', r'layers.\1.layernorm'),
]
VIDEOMAE_NAMES = [(r'q_bias', 'query.bias'), (r'v_bias', 'value.bias')]


class Renamed:
    """A network whose state dict has other names."""

    def __init__(self, network, names):
        self.network, self.names = network, names

    def eval(self):
        self.network.eval()
        return self

    def parameters(self):
        return self.network.parameters()

    def state_dict(self):
        renamed = {}
        for name, tensor in self.network.state_dict().items():
            for pattern, new in self.names:
                name = re.sub(pattern, new, name)
            renamed[name] = tensor
        return renamed

    def __call__(self, *inputs):
        return self.network(*inputs).to_tuple()


record('vit-transformers5', {
    'vit_base_patch16_224_hf.transformers5': {
        'make': lambda: Renamed(ViTModel(ViTConfig()), NAMES),
        'network': 'vit_base_patch16_224_hf',
        'layout': 'vit-transformers5',
        'inputs': [{'shape': [1, 3, 224, 224]}],
        'source': f'{SOURCE}: ViTModel(ViTConfig())',
    },
    'ast.transformers5': {
        'make': lambda: Renamed(ASTModel(ASTConfig()), NAMES),
        'network': 'ast',
        'layout': 'vit-transformers5',
        'inputs': [{'shape': [1, 1024, 128]}],
        'source': f'{SOURCE}: ASTModel(ASTConfig())',
    },
    'videomae_base.transformers5': {
        'make': lambda: Renamed(VideoMAEModel(VideoMAEConfig(image_size=64, num_frames=4)), VIDEOMAE_NAMES),
        'network': 'videomae_base',
        'options': {'imageSize': 64, 'numFrames': 4},
        'layout': 'videomae-transformers5',
        'inputs': [{'shape': [2, 4, 3, 64, 64]}],
        'source': f'{SOURCE}: VideoMAEModel(VideoMAEConfig(image_size=64, num_frames=4))',
    },
})
