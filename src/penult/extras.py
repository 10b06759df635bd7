"""What optional libraries are installed; importing none of them."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec

from penult.errors import MissingExtraError
from penult.messages import first_line

__all__ = ["has_torch", "is_installed", "require_extra", "require_torch", "unloadable"]

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


def unloadable(error: BaseException) -> str | None:
    """Say which installed library cannot be loaded, and what to type; None of any other error.

    A part that it needs is missing, or was made for another system: `is_installed` does not see
    that, for it imports nothing.

    Parameters
    ----------
    error : exception
        As it was raised, with its traceback.
    """
    if not isinstance(error, ImportError | OSError):
        return None
    found, trace = None, error.__traceback__
    while trace is not None and found is None:
        frame = trace.tb_frame
        if frame.f_code.co_name == "<module>":  # it was being imported
            top = str(frame.f_globals.get("__name__")).partition(".")[0]
            found = top if top not in ("penult", "__main__") else None
        trace = trace.tb_next
    if found is None or not (distributions := packages_distributions().get(found)):
        return None
    return (
        f"{found} is installed, and cannot be loaded ({first_line(error)[:200]}); type: "
        f"pip install --force-reinstall {distributions[0]}"
    )


def _torch_version() -> str:
    try:
        return version("torch")
    except PackageNotFoundError:  # put on the path by hand
        return ""


def _is_old(found: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", found)
    return numbers is not None and tuple(map(int, numbers.groups())) < OLDEST_TORCH
