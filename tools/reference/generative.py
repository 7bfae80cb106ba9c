"""test/fixtures/generative/diffusion.json and gan.json: schedules and samplers of diffusers, losses of GANs by autograd."""
import json
import pathlib
import sys

import diffusers
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, DDPMScheduler

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / 'backbones'))
from common import hash_tensor  # noqa: E402

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / 'test' / 'fixtures' / 'generative'
SHAPE = [2, 3, 4, 4]
GROWTHS = {'linear': 'linear', 'quadratic': 'scaled_linear', 'cosine': 'squaredcos_cap_v2'}
TARGETS = {'noise': 'epsilon', 'clean': 'sample', 'velocity': 'v_prediction'}


def numbers(tensor):
    return [float(f'{v:.9g}') for v in tensor.double().flatten().tolist()]


def denoise(x, t):
    """Stands for a network: any function of image and step does."""
    return 0.3 * x + 0.1 * torch.sin(3 * x) - 0.2 + t / 1000


def sampled(scheduler, steps, **options):
    generator = torch.Generator().manual_seed(7)
    scheduler.set_timesteps(steps)
    x = torch.randn(SHAPE, generator=generator)
    for t in scheduler.timesteps:
        x = scheduler.step(denoise(x, float(t)), t, x, generator=generator, **options).prev_sample
    return numbers(x)


def schedules():
    made = {}
    for growth, name in GROWTHS.items():
        scheduler = DDPMScheduler(num_train_timesteps=100, beta_schedule=name, beta_start=1e-4, beta_end=0.1)
        clean, noise = hash_tensor('clean', SHAPE), hash_tensor('noise', SHAPE)
        steps = torch.tensor([17, 99])
        made[growth] = {
            'betas': numbers(scheduler.betas),
            'alphasCumprod': numbers(scheduler.alphas_cumprod),
            'noisy': numbers(scheduler.add_noise(clean, noise, steps)),
            'velocity': numbers(scheduler.get_velocity(clean, noise, steps)),
        }
    return made


def samplers():
    made = []
    for target, name in TARGETS.items():
        common = {'num_train_timesteps': 100, 'prediction_type': name, 'beta_end': 0.1}
        every = [(v, c, 20) for v in ('small', 'large') for c in (1, None)] + [('small', 1, 100)]
        for variance, clip, steps in every if target == 'noise' else [('small', 1, 20)]:
            scheduler = DDPMScheduler(**common, variance_type=f'fixed_{variance}', clip_sample=clip is not None)
            options = {'target': target, 'variance': variance, 'clip': clip, 'steps': steps}
            made.append({'sampler': 'ddpm', 'options': options, 'expected': sampled(scheduler, steps)})
        for eta in (0.0, 0.7):
            scheduler = DDIMScheduler(**common, clip_sample=eta > 0, clip_sample_range=0.8)
            options = {'target': target, 'eta': eta, 'clip': 0.8 if eta > 0 else None, 'steps': 10}
            made.append({'sampler': 'ddim', 'options': options, 'expected': sampled(scheduler, 10, eta=eta)})
    return made


def gan():
    """Losses as the papers define them, and penalties with the gradients of their own backward pass."""
    real, fake = hash_tensor('real', [6, 1], 2), hash_tensor('fake', [6, 1], 2)
    bce = F.binary_cross_entropy_with_logits
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)
    losses = {
        'nonSaturating': [bce(real, ones) + bce(fake, zeros), bce(fake, ones)],
        'hinge': [
            -torch.clamp(real - 1, max=0).mean() - torch.clamp(-fake - 1, max=0).mean(),
            -fake.mean(),
        ],
        'leastSquares': [F.mse_loss(real, ones) / 2 + F.mse_loss(fake, zeros) / 2, F.mse_loss(fake, ones) / 2],
    }
    weight = hash_tensor('weight', [5, 12], 0.5).requires_grad_()
    head = hash_tensor('head', [1, 5], 0.5).requires_grad_()
    images = hash_tensor('images', [4, 3, 2, 2]).requires_grad_()
    logits = torch.tanh(images.flatten(1) @ weight.T) @ head.T
    (g,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    penalty = g.pow(2).sum([1, 2, 3]).mean()
    r1 = [penalty, *torch.autograd.grad(penalty, [weight, head])]

    ws = hash_tensor('ws', [4, 3, 5]).requires_grad_()
    paint = hash_tensor('paint', [15, 12], 0.5).requires_grad_()
    painted = torch.sin(ws.flatten(1) @ paint).reshape(4, 3, 2, 2)
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn(painted.shape, generator=generator) / 2
    (g,) = torch.autograd.grad((painted * noise).sum(), ws, create_graph=True)
    lengths = g.pow(2).sum(2).mean(1).sqrt()
    average = 0.4 + 0.01 * (lengths.mean() - 0.4)
    path = (lengths - average).pow(2).mean()
    return {
        'losses': {kind: [float(v) for v in values] for kind, values in losses.items()},
        'r1': [numbers(v) for v in r1],
        'pathLength': [numbers(v) for v in (path, average, lengths, *torch.autograd.grad(path, [paint]))],
    }


FIXTURES.mkdir(parents=True, exist_ok=True)
source = f'diffusers {diffusers.__version__}, PyTorch {torch.__version__.split("+")[0]}'
written = {'source': source, 'schedules': schedules(), 'samplers': samplers()}
(FIXTURES / 'diffusion.json').write_text(json.dumps(written) + '\n')
(FIXTURES / 'gan.json').write_text(json.dumps({'source': source, **gan()}) + '\n')
