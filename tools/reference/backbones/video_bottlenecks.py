"""test/fixtures/backbones/video_bottlenecks.json, from pytorchvideo. Heads give logits: their softmax is left out, which
some of the published networks have and others not. Pools are as small as the clips."""
import torch
from common import record
from pytorchvideo.models import hub
from pytorchvideo.models.slowfast import create_slowfast


def make(name, **options):
    network = getattr(hub, name)(pretrained=False, **options)
    network.blocks[-1].activation = None
    return network


POOL = {'slow_r50': (2, 2, 2), 'slow_r50_4x16': (2, 2, 2), 'c2d_r50': (2, 2, 2), 'i3d_r50': (2, 2, 2), 'r2plus1d_r50': (1, 2, 2), 'csn_r101': (1, 2, 2)}
FRAMES = {'slow_r50': 3, 'slow_r50_4x16': 2, 'c2d_r50': 4, 'i3d_r50': 4, 'r2plus1d_r50': 4, 'csn_r101': 8}
SOURCE = 'pytorchvideo 0.1.5: pytorchvideo.models.hub.'

cases = {}
for name, pool in POOL.items():
    given = {'head_pool_kernel_size': pool} if name in ('c2d_r50', 'i3d_r50', 'r2plus1d_r50') else {}
    def build(name=name, pool=pool, given=given):
        network = make(name.removesuffix('_4x16'), **given)
        network.blocks[-1].pool = torch.nn.AvgPool3d(pool, stride=1)
        return network
    cases[f'pytorchvideo_{name}'] = {
        'network': name,
        'options': {'headPoolKernelSize': list(pool)},
        'make': build,
        'inputs': [{'shape': [1, 3, FRAMES[name], 64, 96], 'spread': 3}],
        'source': f'{SOURCE}{name}(), last pool {pool}',
    }
# The 4x16 network is published without a function of its own: its numbers are those of PySlowFast's configuration.
SLOWFASTS = {
    'slowfast_r50': ('slowfast_r50', 4, {}),
    'slowfast_r50_4x16': ('slowfast_r50', 8, {'slowfast_fusion_conv_kernel_size': (5, 1, 1), 'slowfast_fusion_conv_stride': (8, 1, 1)}),
    'slowfast_r101': ('slowfast_r101', 4, {}),
    'slowfast_16x8_r101_50_50': ('slowfast_16x8_r101_50_50', 4, {}),
}
for name, (function, ratio, given) in SLOWFASTS.items():
    fast = 2 * ratio
    def build_slowfast(function=function, fast=fast, given=given):
        if given:
            network = create_slowfast(model_depth=50, **given)
            network.blocks[-1].activation = None
        else:
            network = make(function)
        network.blocks[-2].pool = torch.nn.ModuleList([torch.nn.AvgPool3d((2, 2, 2), stride=1), torch.nn.AvgPool3d((fast, 2, 2), stride=1)])
        return network
    cases[f'pytorchvideo_{name}'] = {
        'network': name,
        'options': {'headPoolKernelSizes': [[2, 2, 2], [fast, 2, 2]]},
        'make': build_slowfast,
        'inputs': [{'shape': [1, 3, 2, 64, 64], 'spread': 3}, {'shape': [1, 3, fast, 64, 64], 'spread': 3}],
        'run': lambda net, clips: net(list(clips)),
        'source': f'{SOURCE}{function}({"".join(f"{k}={v}, " for k, v in given.items())[:-2]}), last pools of 2 and {fast} frames',
    }
for name in ['x3d_xs', 'x3d_s', 'x3d_m', 'x3d_l']:
    # The published functions fix the clip's size, and with it the last pool.
    def build_x3d(name=name):
        network = make(name)
        network.blocks[-1].pool.pool = torch.nn.AvgPool3d((3, 2, 2), stride=1)
        return network
    cases[f'pytorchvideo_{name}'] = {
        'network': name,
        'options': {'inputClipLength': 3, 'inputCropSize': 64},
        'make': build_x3d,
        'inputs': [{'shape': [1, 3, 4, 64, 64], 'spread': 3}],
        'source': f'{SOURCE}{name}(), for clips of 3 frames of 64',
    }

record('video_bottlenecks', cases)
