"""Prints the weights that torchvision publishes, as lib/weights/table-torchvision.ts lists them.

torchvision 0.26.0. `python tools/reference/weights_table.py`
"""

from torchvision.models import get_model_weights, list_models

for name in list_models():
    if name.startswith("quantized_"):
        continue
    weights = get_model_weights(name)
    for entry in weights:
        default = " (default)" if entry == weights.DEFAULT else ""
        print(f"{name}.{entry.name.lower()}: {entry.url.rsplit('/', 1)[1]}{default}")
