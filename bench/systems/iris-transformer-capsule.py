"""The iris matcher: torchvision's ResNet-18 at a stride of 8, tokens, transformer, and capsules routed by einsum."""
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

CHANNELS, HEADS, INNER, TOKENS, SIDE = 32, 8, 64, 4, 64
TYPES, DIMS, ITERATIONS = 8, 16, 3


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        resnet = torchvision.models.resnet18()
        for layer in (resnet.layer3, resnet.layer4):
            layer[0].conv1.stride = layer[0].downsample[0].stride = (1, 1)
        for name, module in resnet.named_children():
            if name not in ("avgpool", "fc"):
                self.add_module(name, module)

    def forward(self, x):
        for module in self.children():
            x = module(x)
        return x


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(CHANNELS, INNER, bias=False) for _ in range(3))
        self.output = nn.Linear(INNER, CHANNELS, bias=False)

    def forward(self, queries, tokens):
        def split(x):
            return x.unflatten(2, (HEADS, -1)).transpose(1, 2)

        x = F.scaled_dot_product_attention(
            split(self.query(queries)), split(self.key(tokens)), split(self.value(tokens))
        )
        return self.output(x.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.outer = nn.Linear(CHANNELS, 2 * CHANNELS), nn.Linear(2 * CHANNELS, CHANNELS)

    def forward(self, x):
        return self.outer(F.gelu(self.inner(x)))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(CHANNELS), nn.LayerNorm(CHANNELS)
        self.attention, self.mlp = Attention(), FeedForward()

    def forward(self, x, tokens=None):
        queries = self.norm1(x)
        x = x + self.attention(queries, queries if tokens is None else self.norm1(tokens))
        return x + self.mlp(self.norm2(x))


class Tokenizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(CHANNELS, TOKENS, 1, bias=False)

    def forward(self, maps):
        return torch.einsum("blp,bcp->blc", self.conv(maps).flatten(2).softmax(2), maps.flatten(2))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.positions = nn.Parameter(torch.empty(2 * TOKENS, CHANNELS))
        self.encoder = nn.ModuleList([Layer()])
        self.decoder = nn.ModuleList(Layer() for _ in range(4))

    def encode(self, first, second):
        tokens = torch.cat([first, second], 1) + self.positions
        for layer in self.encoder:
            tokens = layer(tokens)
        return tokens.chunk(2, 1)

    def decode(self, maps, tokens):
        pixels = maps.flatten(2).transpose(1, 2)
        for layer in self.decoder:
            pixels = layer(pixels, tokens)
        return pixels.transpose(1, 2).reshape(maps.shape)


class Extractor(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.reduce = Trunk(), nn.Conv2d(512, CHANNELS, 1)
        self.tokenizer, self.transformer = Tokenizer(), Transformer()

    def describe(self, image):
        maps = self.reduce(self.trunk(image))
        maps = F.interpolate(maps, (SIDE, SIDE), mode="bilinear", align_corners=False)
        return maps, self.tokenizer(maps)

    def forward(self, first, second):
        (maps1, tokens1), (maps2, tokens2) = self.describe(first), self.describe(second)
        tokens1, tokens2 = self.transformer.encode(tokens1, tokens2)
        return self.transformer.decode(maps1, tokens1), self.transformer.decode(maps2, tokens2)


def squash(x, dim, kappa=1.0):
    squared = (x * x).sum(dim, keepdim=True)
    return x * squared.sqrt() / (kappa + squared)


class ConvCapsules(nn.Module):
    """3D routing: couplings are a softmax over positions and types together, times the number of positions."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(TYPES * DIMS, 1, 3, 3, 3))
        self.bias = nn.Parameter(torch.empty(TYPES * DIMS))
        self.routing_bias = nn.Parameter(torch.empty(TYPES, DIMS))

    def forward(self, capsules):
        b, s, _, h, w = capsules.shape
        slots = capsules[:, :, :3].reshape(b * s, 3, h, w)
        votes = F.conv2d(slots, self.weight.squeeze(1), self.bias, padding=1).view(b, s, TYPES, DIMS, h, w)
        logits = votes.new_zeros(b, s, TYPES, h, w)
        for iteration in range(ITERATIONS):
            couplings = logits.flatten(2).softmax(2).view_as(logits) * (h * w)
            sums = torch.einsum("bskhw,bsknhw->bknhw", couplings, votes) + self.routing_bias[..., None, None]
            out = squash(sums, 2, 0.5)
            if iteration < ITERATIONS - 1:
                logits = logits + torch.einsum("bknhw,bsknhw->bskhw", out, votes)
        return out


class DenseCapsules(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, 2, DIMS, DIMS))

    def forward(self, capsules):
        votes = torch.einsum("ijmn,bin->bijm", self.weight, capsules)
        logits = votes.new_zeros(votes.shape[:3])
        for iteration in range(ITERATIONS):
            out = squash(torch.einsum("bij,bijm->bjm", logits.softmax(2), votes), 2)
            if iteration < ITERATIONS - 1:
                logits = logits + torch.einsum("bjm,bijm->bij", out, votes)
        return out


class Reconstruction(nn.Module):
    """Of training alone."""

    def __init__(self):
        super().__init__()
        widths = [DIMS, 32, 64, 128, 256]
        layers = []
        for i, (cin, cout) in enumerate(zip(widths, widths[1:])):
            step = {} if i == 0 else {"stride": 2, "padding": 1}
            layers += [nn.ConvTranspose2d(cin, cout, 4, **step), nn.BatchNorm2d(cout), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(256, CHANNELS, 4, 2, 1), nn.Tanh())


class Matcher(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(CHANNELS, TYPES * DIMS, 3, padding=1)
        self.routed, self.digits = ConvCapsules(), DenseCapsules(SIDE * SIDE * TYPES)
        self.reconstruction = Reconstruction()

    def forward(self, difference):
        primary = squash(self.conv(difference).unflatten(1, (TYPES, DIMS)), 2)
        return self.digits(self.routed(primary).permute(0, 3, 4, 1, 2).reshape(len(primary), -1, DIMS))


class Iris(nn.Module):
    def __init__(self):
        super().__init__()
        self.extractor, self.matcher = Extractor(), Matcher()

    def forward(self, first, second):
        first, second = self.extractor(first, second)
        difference = ((first - second) ** 2 + 1e-12).sqrt()
        return difference, self.matcher(difference)


def network(config):
    return Iris()
