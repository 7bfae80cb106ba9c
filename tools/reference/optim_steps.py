"""Writes test/optim/fixtures/steps-*.safetensors and steps.json: ten steps of each optimiser by PyTorch.

Run with a Python that has torch==2.11.0 and safetensors: python tools/reference/optim_steps.py

A case has three parameters of odd shapes in two groups. Their gradients are stored, one for each step; the first step
leaves one parameter without a gradient. `<case>/p<i>/<step>` is parameter i after that step (0: before the first),
`<case>/g<i>/<step>` the gradient of that step, `<case>/s<i>.<name>/5` the state after the fifth
(`<name>.<n>` for item n of a list). steps.json holds options, and the layout of the state dict at the end.
L-BFGS minimises a function instead: sum(weights · (p - target)⁴) + the same of squares.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parents[2] / "test/optim/fixtures"
SHAPES = [(3, 5), (7,), ()]
STEPS = 10
HALF = 5

# name, optimiser, options, options of the second group
CASES = [
    ("SGD plain", "SGD", dict(lr=0.1), {}),
    ("SGD momentum", "SGD", dict(lr=0.05, momentum=0.9, weight_decay=0.01), dict(lr=0.2, momentum=0.5)),
    ("SGD dampening", "SGD", dict(lr=0.05, momentum=0.8, dampening=0.3, maximize=True), dict(weight_decay=0.1)),
    ("SGD nesterov", "SGD", dict(lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.02), dict(maximize=True)),
    ("Adam", "Adam", dict(lr=0.03, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.05), dict(lr=0.1, amsgrad=True)),
    ("Adam maximize", "Adam", dict(lr=0.03, amsgrad=True, maximize=True), dict(betas=(0.0, 0.5))),
    ("AdamW", "AdamW", dict(lr=0.03, betas=(0.8, 0.95), weight_decay=0.2), dict(amsgrad=True, maximize=True)),
    ("Adamax", "Adamax", dict(lr=0.04, betas=(0.85, 0.97), eps=1e-5, weight_decay=0.1), dict(maximize=True)),
    ("NAdam", "NAdam", dict(lr=0.04, betas=(0.85, 0.97), momentum_decay=0.01, weight_decay=0.1), dict(maximize=True)),
    ("NAdam decoupled", "NAdam", dict(lr=0.04, weight_decay=0.1, decoupled_weight_decay=True), dict(eps=1e-3)),
    ("RAdam", "RAdam", dict(lr=0.04, betas=(0.85, 0.9), weight_decay=0.1), dict(maximize=True, eps=1e-4)),
    ("RAdam decoupled", "RAdam", dict(lr=0.04, weight_decay=0.1, decoupled_weight_decay=True), dict(betas=(0.5, 0.8))),
    ("Adagrad", "Adagrad", dict(lr=0.1, lr_decay=0.05, weight_decay=0.03, initial_accumulator_value=0.2), dict(maximize=True)),
    ("Adadelta", "Adadelta", dict(lr=0.7, rho=0.8, eps=1e-4, weight_decay=0.03), dict(maximize=True)),
    ("RMSprop", "RMSprop", dict(lr=0.02, alpha=0.9, weight_decay=0.03), dict(maximize=True)),
    ("RMSprop centered", "RMSprop", dict(lr=0.02, alpha=0.9, centered=True, momentum=0.7, eps=1e-4), dict(weight_decay=0.1)),
    ("LBFGS fixed", "LBFGS", dict(lr=0.1, max_iter=4, history_size=3), None),
    ("LBFGS wolfe", "LBFGS", dict(lr=0.9, max_iter=5, history_size=4, line_search_fn="strong_wolfe"), None),
]


def layout(value, floats=True):
    if isinstance(value, float) and not floats:
        return "float"
    if isinstance(value, torch.Tensor):
        return {"shape": list(value.shape)}
    if isinstance(value, dict):
        return {str(key): layout(item, floats) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [layout(item, floats) for item in value]
    return value


def run(name, optimiser, options, second, dtype, out):
    generator = torch.Generator().manual_seed(sum(map(ord, name)))

    def draw(shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    params = [torch.nn.Parameter(draw(shape)) for shape in SHAPES]
    groups = [{"params": params}] if second is None else [{"params": params[:1]}, {"params": params[1:], **second}]
    optim = getattr(torch.optim, optimiser)(groups, **options)
    weights = [0.5 + draw(shape).abs() for shape in SHAPES]
    targets = [draw(shape) for shape in SHAPES]

    def closure():
        optim.zero_grad()
        loss = sum(
            (w * ((p - t) ** 4 + (p - t) ** 2)).sum() for w, p, t in zip(weights, params, targets, strict=True)
        )
        loss.backward()
        return loss

    def store(kind, step, tensors):
        for i, tensor in enumerate(tensors):
            if tensor is not None:
                out[f"{name}/{kind}{i}/{step}"] = tensor.detach().clone()

    store("p", 0, params)
    if optimiser == "LBFGS":
        store("w", 0, weights)
        store("t", 0, targets)
    for step in range(1, STEPS + 1):
        if optimiser == "LBFGS":
            optim.step(closure)
        else:
            grads = [draw(shape) for shape in SHAPES]
            if step == 1:
                grads[2] = None
            for param, grad in zip(params, grads, strict=True):
                param.grad = grad
            optim.step()
            store("g", step, grads)
        store("p", step, params)
        if step == HALF and dtype == torch.float64:
            for i, state in optim.state_dict()["state"].items():
                for key, value in state.items():
                    for suffix, item in enumerate(value) if isinstance(value, list) else [("", value)]:
                        item = item.clone() if isinstance(item, torch.Tensor) else torch.tensor(item, dtype=dtype)
                        out[f"{name}/s{i}.{key}{f'.{suffix}' if suffix != '' else ''}/{HALF}"] = item
    return {
        "name": name,
        "optimiser": optimiser,
        "options": options,
        "second": second,
        "stateDict": {
            "state": layout(optim.state_dict()["state"], floats=False),
            "param_groups": layout(optim.state_dict()["param_groups"]),
        },
    }


FOLDER.mkdir(parents=True, exist_ok=True)
for dtype, label in [(torch.float64, "float64"), (torch.float32, "float32")]:
    tensors = {}
    cases = [run(*case, dtype, tensors) for case in CASES]
    save_file(tensors, FOLDER / f"steps-{label}.safetensors")
    (FOLDER / f"steps-{label}.safetensors").chmod(0o644)
text = "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"
(FOLDER / "steps.json").write_text(text.replace("Infinity", '"inf"'))
