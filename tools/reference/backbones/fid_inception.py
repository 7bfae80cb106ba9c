"""test/fixtures/backbones/fid_inception.json, from pytorch-fid."""
from importlib.metadata import version
from unittest import mock

import torch
from common import record
from pytorch_fid import inception

VERSION = f'pytorch-fid {version("pytorch-fid")}'


def without_weights(build):
    """The package loads its published weights; the hash takes their place."""
    with (
        mock.patch.object(inception, 'load_state_dict_from_url', return_value=None),
        mock.patch.object(torch.nn.Module, 'load_state_dict'),
    ):
        return build()


record('fid_inception', {
    'pytorch_fid_inception_v3': {
        'make': lambda: without_weights(inception.fid_inception_v3),
        'network': 'fid_inception_v3',
        'inputs': [{'shape': [1, 3, 96, 96]}],
        'source': f'{VERSION}: pytorch_fid.inception.fid_inception_v3()',
    },
    'pytorch_fid_inception_blocks': {
        'make': lambda: without_weights(lambda: inception.InceptionV3([0, 1, 2, 3])),
        'network': 'fid_inception',
        'options': {'outputBlocks': [0, 1, 2, 3]},
        'inputs': [{'shape': [1, 3, 32, 40], 'spread': 0.5, 'centre': 0.5}],
        'source': f'{VERSION}: pytorch_fid.inception.InceptionV3([0, 1, 2, 3])',
    },
    'pytorch_fid_inception_trainable': {
        'make': lambda: without_weights(lambda: inception.InceptionV3([2], False, False, True)),
        'network': 'fid_inception',
        'options': {'outputBlocks': [2], 'resizeInput': False, 'normalizeInput': False, 'requiresGrad': True},
        'inputs': [{'shape': [1, 3, 96, 96]}],
        'source': f'{VERSION}: pytorch_fid.inception.InceptionV3([2], False, False, True)',
    },
})
