"""Writes test/optim/fixtures/extras.safetensors and extras.json: clipping, weight averages, batch-norm statistics,
gradient scaling and autocast by PyTorch.

Run with a Python that has torch==2.11.0 and safetensors: python tools/reference/optim_extras.py
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

FOLDER = pathlib.Path(__file__).parents[2] / "test/optim/fixtures"
generator = torch.Generator().manual_seed(20)
out, facts = {}, {}


def draw(*shape, dtype=torch.float64):
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


# Clipping: gradients of odd shapes, one parameter without.
grads = [draw(3, 5), draw(7), draw()]
for i, grad in enumerate(grads):
    out[f"clip/grad{i}"] = grad
facts["clip"] = []
for max_norm, norm_type in [(1.0, 2.0), (0.5, 1.0), (0.7, float("inf")), (2.0, 3.5), (100.0, 2.0)]:
    params = [nn.Parameter(torch.zeros_like(g)) for g in grads] + [nn.Parameter(torch.zeros(2))]
    for p, g in zip(params, grads):
        p.grad = g.clone()
    total = nn.utils.clip_grad_norm_(params, max_norm, norm_type)
    name = f"clip/norm{len(facts['clip'])}"
    facts["clip"].append({"maxNorm": max_norm, "normType": str(norm_type), "total": total.item()})
    for i, p in enumerate(params[:3]):
        out[f"{name}/{i}"] = p.grad
params = [nn.Parameter(torch.zeros_like(g)) for g in grads]
for p, g in zip(params, grads):
    p.grad = g.clone()
nn.utils.clip_grad_value_(params, 0.4)
for i, p in enumerate(params):
    out[f"clip/value/{i}"] = p.grad


# Averages: a layer and a batch norm whose tensors are overwritten by drawn ones before each update.
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4, dtype=torch.float64)
        self.norm = nn.BatchNorm1d(4, dtype=torch.float64)

    def forward(self, x):
        return self.norm(self.linear(x))


VARIANTS = {
    "ema": dict(multi_avg_fn=get_ema_multi_avg_fn(0.8)),
    "ema-buffers": dict(multi_avg_fn=get_ema_multi_avg_fn(0.8), use_buffers=True),
    "swa": dict(),
}
UPDATES = 5
values = []
for update in range(UPDATES):
    tensors = {k: draw(*v.shape) if v.is_floating_point() else torch.tensor(update * 3) for k, v in Net().state_dict().items()}
    values.append(tensors)
    for key, tensor in tensors.items():
        out[f"average/in/{update}/{key}"] = tensor
for variant, options in VARIANTS.items():
    net = Net()
    average = AveragedModel(net, **options)
    for update in range(UPDATES):
        net.load_state_dict(values[update])
        average.update_parameters(net)
        for key, tensor in average.state_dict().items():
            out[f"average/{variant}/{update}/{key}"] = tensor.clone()

# Batch-norm statistics over three batches of different sizes.
net = Net()
net.load_state_dict(values[0])
batches = [draw(n, 3) for n in (5, 8, 3)]
for i, batch in enumerate(batches):
    out[f"bn/batch{i}"] = batch
update_bn(batches, net)
for key, tensor in net.state_dict().items():
    out[f"bn/{key}"] = tensor.clone()

# Gradient scaling: ten steps, some with infinite or NaN gradients, of a fused and another optimiser.
facts["scaler"] = []
for optimiser, options in [("Adam", dict(lr=0.1)), ("RMSprop", dict(lr=0.1))]:
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_factor=3.0, backoff_factor=0.25, growth_interval=3)
    param = nn.Parameter(torch.ones(3))
    optimizer = getattr(torch.optim, optimiser)([param], fused=True, **options) if optimiser == "Adam" else getattr(torch.optim, optimiser)([param], **options)
    scales = []
    for step in range(10):
        optimizer.zero_grad()
        weight = torch.tensor([1.0, 2.0, 0.5]) * (step + 1)
        if step in (2, 7):
            weight[1] = float("inf")
        if step == 3:
            weight[0] = float("nan")
        scaler.scale((param * weight).sum()).backward()
        if step % 2:
            scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        scales.append(scaler.get_scale())
        out[f"scaler/{optimiser}/{step}"] = param.detach().clone()
    facts["scaler"].append({"optimiser": optimiser, "scales": scales, "state": scaler.state_dict()})

# Autocast: a small network, forward and backward, with the dtypes of some operators.
facts["autocast"] = {}
for dtype in (torch.bfloat16, torch.float16):
    label = str(dtype).removeprefix("torch.")
    x, image = draw(4, 6, dtype=torch.float32), draw(2, 3, 8, 8, dtype=torch.float32)
    linear, kernel = draw(5, 6, dtype=torch.float32), draw(4, 3, 3, 3, dtype=torch.float32)
    target = torch.tensor([0, 1, 2, 3])
    for key, tensor in dict(x=x, image=image, linear=linear, kernel=kernel).items():
        out[f"autocast/{label}/{key}"] = tensor
    linear.requires_grad_(), kernel.requires_grad_()
    with torch.autocast("cpu", dtype=dtype):
        scores = nn.functional.linear(x, linear)
        features = nn.functional.conv2d(image, kernel, padding=1)
        product = scores @ scores.t()
        total = (features.float() ** 2).mean()
        loss = nn.functional.cross_entropy(scores, target)
        softmax = scores.softmax(1)
        added = scores + x[:, :5]
    (loss + total).backward()
    facts["autocast"][label] = {
        name: str(tensor.dtype).removeprefix("torch.")
        for name, tensor in dict(scores=scores, features=features, product=product, loss=loss, softmax=softmax, added=added).items()
    }
    for key, tensor in dict(scores=scores, features=features, product=product, loss=loss).items():
        out[f"autocast/{label}/{key}"] = tensor.detach().float()
    out[f"autocast/{label}/linear.grad"] = linear.grad
    out[f"autocast/{label}/kernel.grad"] = kernel.grad

save_file({k: v.detach().contiguous() for k, v in out.items()}, FOLDER / "extras.safetensors")
(FOLDER / "extras.safetensors").chmod(0o644)
(FOLDER / "extras.json").write_text(json.dumps(facts, indent=1) + "\n")
