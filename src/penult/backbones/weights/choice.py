"""What the user asked of a backbone's weights."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from penult.errors import UsageError
from penult.interface import option
from penult.recipe import Preprocessing
from penult.representation import what_given

__all__ = ["WeightsChoice", "files_read"]

_PRETRAINED = ("imagenet", "pretrained", "default", "none", "imagenet1k_v1", "imagenet1k_v2")
"""What Keras and torchvision call those that are taken anyway."""


@dataclass(frozen=True)
class WeightsChoice:
    """What the user asked of a backbone's weights.

    Attributes
    ----------
    weights : Path, ``"random"`` or None
        A file to use in place of the pretrained weights, or an untrained network.
    offline : bool
        Never touch the network.
    architecture : str or None
        For a plain state dict, the backbone whose network it fits; None where a file or a name
        says so itself.
    preprocessing : Preprocessing or None
        What a checkpoint's images go through, in place of the backbone's own; the network is built
        for images of that size.
    others : tuple of Path
        More files, where those of several networks of a stored recipe have moved.
    """

    weights: Path | Literal["random"] | None = None
    offline: bool = False
    architecture: str | None = None
    preprocessing: Preprocessing | None = None
    others: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that were given."""
        return (*([self.weights] if isinstance(self.weights, Path) else []), *self.others)

    @classmethod
    def moved(
        cls, weights: str | Path | Sequence[str | Path] | None, *, offline: bool = False
    ) -> WeightsChoice:
        """Read where files of weights are now that made rows: one, or one for each that moved.

        Parameters
        ----------
        weights : path, sequence of paths, "random" or None
            As they were given.
        offline : bool, default=False
            Never touch the network.

        Returns
        -------
        WeightsChoice
            The same, with the first as its weights.

        Raises
        ------
        UsageError
            If one of them is something else.
        """
        if not isinstance(weights, list | tuple):
            return cls.of(weights, offline=offline)
        if len(weights) < 2:
            return cls.of(weights[0] if weights else None, offline=offline)
        files = tuple(path for one in weights for path in cls.of(one).files)
        if len(files) < len(weights):
            raise UsageError(
                f"{option('weights')} was given {len(weights)} times, and not always a file; of "
                "several, each is the file of a network that has moved"
            )
        return cls(files[0], offline, others=files[1:])

    @classmethod
    def of(
        cls,
        weights: str | Path | Sequence[str | Path] | None,
        *,
        offline: bool = False,
        architecture: str | None = None,
    ) -> WeightsChoice:
        """Read what a user types: a path, ``"random"``, or None for the pretrained weights.

        Parameters
        ----------
        weights : path, "random" or None
            As it was given.
        offline : bool, default=False
            Never touch the network.
        architecture : str, optional
            For a plain state dict, the backbone that it fits.

        Returns
        -------
        WeightsChoice
            The same, with a Path for a path.

        Raises
        ------
        UsageError
            If it is something else.
        """
        if not isinstance(weights, str | os.PathLike | None):
            raise UsageError(
                f"weights is {what_given(weights)}; give a path, 'random', or None for the "
                "pretrained ones"
            )
        if str(weights).lower() in _PRETRAINED and weights and not Path(weights).exists():
            raise UsageError(
                f"{option('weights')} is {what_given(weights)}, a name of the pretrained ones, "
                f"which are taken anyway; leave {option('weights')} out"
            )
        typo = weights != "random" and get_close_matches(str(weights), ["random"], cutoff=0.7)
        if weights is not None and typo and not Path(weights).exists():
            raise UsageError(
                f"there is no weights file {weights}; did you mean {option('weights', 'random')}?"
            )
        chosen: Path | Literal["random"] | None
        chosen = None if weights is None else "random" if weights == "random" else Path(weights)
        return cls(chosen, offline, architecture)


def files_read(model: str, weights: str | Path | None) -> list[Path]:
    """What an output may not replace, where these are given: those of them that are files.

    Parameters
    ----------
    model : str
        Name of a backbone, or a path, with a prefix or without.
    weights : path, "random" or None
        As a user gives them.
    """
    return [Path(model.partition(":")[2] or model), *([] if weights is None else [Path(weights)])]
