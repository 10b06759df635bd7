"""Write src/penult/backbones/sizes.csv: parameters and feature length of every architecture.

The networks are built without memory for their weights (torch's meta device), which takes some
minutes for all of them. Run it when the libraries have new ones.
"""

from __future__ import annotations

import csv
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from penult.backbones import torchvision
from penult.backbones.timm import model as timm_network
from penult.backbones.timm import source as timm
from penult.backbones.torch_cut import TorchCut
from penult.errors import PenultError

OUTPUT = Path(__file__).parent.parent / "src/penult/backbones/sizes.csv"


def built() -> Iterator[tuple[str, torch.nn.Module, str | None, tuple[int, int]]]:
    """Architecture, network, module path of its classifier, input size."""
    for name, entries in torchvision._catalogue().items():
        with torch.device("cpu"):  # some of torchvision's compute their widths with tensors
            network = torchvision._build(name, entries[0])
        size = torchvision._preprocessing(entries[0]).input_size
        yield f"torchvision/{name}", network.to("meta"), torchvision._head(network), size
    import timm as library

    for name in library.list_models():
        spec = timm._registered(name)
        network = timm_network.build(spec)
        size = tuple(spec.cfg.input_size[1:])
        yield spec.recorded, network, timm_network.head(network), size


def all_sizes() -> Iterator[tuple[str, int, int]]:
    for name, network, head, size in built():
        try:
            with torch.inference_mode():
                (rows,) = TorchCut(network, {"penultimate": 1}, head)(torch.empty(2, 3, *size))
        except (PenultError, NotImplementedError) as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
        else:
            yield name, sum(p.numel() for p in network.parameters()), rows.shape[1]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with OUTPUT.open("w", newline="", encoding="utf-8") as file, torch.device("meta"):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["architecture", "parameters", "features"])
        writer.writerows(all_sizes())
