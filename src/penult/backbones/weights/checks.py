"""What every search for weights shares: whether it may download, and what is said when it fails."""

from __future__ import annotations

import hashlib
from pathlib import Path

from penult.backbones.weights.choice import WeightsChoice
from penult.errors import WeightsError
from penult.interface import command, option
from penult.offline import says_yes, works_offline

__all__ = ["damaged", "is_offline", "unavailable", "wrong_digest"]


def is_offline(choice: WeightsChoice | None = None) -> bool:
    """Whether the network must not be touched: by `choice`, or by the environment."""
    asked = choice is not None and choice.offline
    return works_offline(asked) or says_yes("HF_HUB_OFFLINE")


def unavailable(model: str, file: str, origin: str, why: str) -> WeightsError:
    """The error for weights that cannot be had: which file, from where, and what to do about it.

    Parameters
    ----------
    model : canonical name
    file : the file's name
    origin : the address or hub where it is
    why : what kept it from being fetched, e.g. ``"working offline"``
    """
    return WeightsError(
        f"the weights of {model} cannot be had: {file} is not on this machine, and would come from "
        f"{origin} ({why}); type {command('fetch', model)} on a connected machine and copy its "
        f"cache here, or give {option('weights', 'PATH')}, or {option('weights', 'random')} for an "
        f"untrained network"
    )


def wrong_digest(path: Path, sha256_prefix: str | None, md5: str | None) -> str | None:
    """Say what digest a file has instead of one that was expected; None where all is well."""
    for expected, algorithm in ((sha256_prefix, "sha256"), (md5, "md5")):
        if expected is not None:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, algorithm).hexdigest()
            if not found.startswith(expected.lower()):
                return f"{algorithm} is {found}, expected {expected}"
    return None


def damaged(path: Path, wrong: str, model: str) -> WeightsError:
    """The error for a cached file that `wrong_digest` is said of."""
    return WeightsError(
        f"{path} is not the file it should be: its {wrong}; delete it, then type: "
        f"{command('fetch', model)}"
    )
