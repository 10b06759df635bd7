"""How large networks are, known without building them."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

__all__ = ["Size", "known_architectures", "sizes"]


class Size(NamedTuple):
    """Parameters, with those of the classifier, and the length of the penultimate row."""

    parameters: int
    features: int


@cache
def sizes() -> dict[str, Size]:
    """Architecture, as recipes name it, to its size; from ``sizes.csv`` beside this module.

    ``benchmarks/network_sizes.py`` writes that file; networks that are not in it are of unknown
    size, which harms nothing.
    """
    with files("penult.backbones").joinpath("sizes.csv").open(encoding="utf-8") as file:
        return {
            row["architecture"]: Size(int(row["parameters"]), int(row["features"]))
            for row in csv.DictReader(file)
        }


def known_architectures(library: str) -> list[str]:
    """The architectures of a library, known also where that is not installed.

    Parameters
    ----------
    library : ``"timm"`` or ``"torchvision"``
    """
    found = (name.partition("/") for name in sizes())
    return [architecture for owner, _, architecture in found if owner == library]
