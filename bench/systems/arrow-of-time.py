"""T-CAM as the fixtures of the tests have it, with the chunks of a group as one batch."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools/reference"))
from arrow_of_time import TCam  # noqa: E402


class Batched(TCam):
    def forward(self, x):
        maps = self.trunk(x.flatten(0, 1))
        maps = self.classifier(maps.reshape(x.shape[0], -1, *maps.shape[2:]))
        return self.fc(maps.mean((2, 3)))[:, 0]


def network(config):
    return Batched(config["chunks"], config["length"], width=config["width"])
