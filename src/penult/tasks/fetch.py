"""Weights, downloaded ahead of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from penult.backbones.registry import open_backbone
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.representation import short_repr

__all__ = ["FetchedWeights", "fetch", "fetch_each"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class FetchedWeights:
    """Where the weights of a backbone are.

    Attributes
    ----------
    model : str
        The backbone's full name.
    weights : str
        The weights' name.
    path : Path or None
        The file; None for a backbone that brings its weights along.
    bytes : int or None
        Its size.
    sha256 : str
        Hex digest of the weights.
    """

    model: str
    weights: str
    path: Path | None
    bytes: int | None
    sha256: str


@checked
def fetch(models: str | Sequence[str], *, offline: bool = False) -> list[FetchedWeights]:
    """Download weights ahead of time, and say where they are.

    Weights that are on this machine already are not downloaded again.

    Parameters
    ----------
    models : str or sequence of str
        Backbones, as listed by `penult.models`.
    offline : bool, default=False
        Never touch the network: only weights that are here are found.

    Returns
    -------
    list of FetchedWeights
        One a backbone, in their order.

    Raises
    ------
    UnknownNameError
        If there is no such backbone.
    WeightsError, MissingExtraError
        If its weights cannot be had.
    """
    return list(fetch_each([models] if isinstance(models, str) else models, offline=offline))


def fetch_each(models: Iterable[str], *, offline: bool = False) -> Iterable[FetchedWeights]:
    """Yield each as it is there; see `fetch`."""
    for model in models:
        backbone = open_backbone(model, WeightsChoice(offline=offline))
        weights = backbone.weights
        yield FetchedWeights(
            model=backbone.name,
            weights=weights.name,
            path=weights.path,
            bytes=weights.path.stat().st_size if weights.path else None,
            sha256=weights.sha256,
        )
