"""Which of several sets of rows a command took, where it was not told."""

from __future__ import annotations

from pathlib import Path

from penult.interface import option

__all__ = ["taken_layer"]


def taken_layer(features: str | Path, layer: str | None) -> str | None:
    """Say which set of rows a command took of a feature file that has several.

    Parameters
    ----------
    features : path
        What the command has just read: a feature file, or what else can be searched.
    layer : str or None
        What the command was told to take.

    Returns
    -------
    str or None
        None where there was nothing to choose, or nothing is left to be said.
    """
    from penult.features.places import is_feature_file
    from penult.features.read import layer_recipes

    if layer is not None or not is_feature_file(features):
        return None
    names = [*layer_recipes(features)]
    if len(names) < 2:
        return None
    return f"layer {names[-1]}, the last of {len(names)}; {option('layer', 'LAYER')} takes another"
