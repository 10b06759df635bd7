"""What optional libraries are installed; importing none of them."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from penult.errors import MissingExtraError

__all__ = ["has_torch", "is_installed", "require_extra", "require_torch"]

OLDEST_TORCH = (2, 6)
"""As pyproject.toml has it: the first that reads a checkpoint of tensors alone safely."""


def is_installed(*modules: str) -> bool:
    """Whether all of some modules can be imported.

    Parameters
    ----------
    *modules : str
        Names on the top level.
    """
    return all(find_spec(module) is not None for module in modules)


def require_extra(what: str, extra: str, *modules: str) -> None:
    """Refuse what needs an extra that is not installed.

    Parameters
    ----------
    what : str
        What needs it, for the message.
    extra : str
        Its name.
    *modules : str
        What it brings, as far as that is needed.

    Raises
    ------
    MissingExtraError
    """
    if not is_installed(*modules):
        raise MissingExtraError(what, extra)


def has_torch() -> bool:
    """Whether torch is installed, in a version that penult can use."""
    return is_installed("torch") and not _is_old(_torch_version())


def require_torch(what: str, *modules: str) -> None:
    """Refuse what needs torch where there is none, or one too old.

    Parameters
    ----------
    what : str
        What needs it, for the message.
    *modules : str
        What it needs beside torch: ``"timm"``, ``"torchvision"``.

    Raises
    ------
    MissingExtraError
    """
    if is_installed("torch") and _is_old(found := _torch_version()):
        raise MissingExtraError(what, "torch", instead=f"torch {found}")
    require_extra(what, "torch", "torch", *modules)


def _torch_version() -> str:
    try:
        return version("torch")
    except PackageNotFoundError:  # put on the path by hand
        return ""


def _is_old(found: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", found)
    return numbers is not None and tuple(map(int, numbers.groups())) < OLDEST_TORCH
