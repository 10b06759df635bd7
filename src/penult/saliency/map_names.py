"""What tells maps of one layer apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penult.recipe import BackboneRecipe

__all__ = ["details"]

_DIGITS = 12
"""Of a digest, of whose 64 these are enough."""


def details(maps: Sequence[tuple[BackboneRecipe, str]]) -> list[str]:
    """Say what the rows of maps that are of the same layer differ in.

    Joined rows may take a layer twice, pooled in two ways, or a layer and the vector that is its
    average.

    Parameters
    ----------
    maps : sequence of (BackboneRecipe, str)
        What makes a row, each once, and the layer of the maps it is pooled of.

    Returns
    -------
    list of str
        Such as ``"pooling max"``, in the order of `maps`; ``""`` where network and layer are
        enough. Together with these, no two are the same.
    """
    alike = defaultdict[tuple[str, str], list[dict[str, Any]]](list)
    for leaf, layer in maps:
        alike[leaf.network, layer].append(leaf.settings())
    return [_detail(leaf.settings(), layer, alike[leaf.network, layer]) for leaf, layer in maps]


def _detail(own: dict[str, Any], layer: str, others: list[dict[str, Any]]) -> str:
    """The first few settings that no other has as well."""
    told = []
    for name, value in own.items():
        if len(others) == 1:
            break
        if all(one[name] == value for one in others):
            continue
        others = [one for one in others if one[name] == value]
        if name == "layer":
            told += [f"for {value}"] * (value != layer)
        elif name.endswith("sha256"):
            told.append(f"weights {value[:_DIGITS]}")
        else:
            told.append(f"{name.rpartition('.')[2]} {value}")
    return ", ".join(told)
