"""What a program gives, checked for its type before it is used."""

from __future__ import annotations

import os
import re
from numbers import Integral

from penult.errors import UsageError
from penult.interface import option
from penult.representation import what_given
from penult.wording import count

__all__ = ["in_bytes", "is_path", "require_name", "require_texts", "require_whole"]

# With less, each pass over a file is of a few rows at a time.
_LEAST_MEMORY = 1_000_000
# Arguments that are paths, or lists of them, whatever they are annotated with; and of all paths
# those that may be of a folder.
_PATHS = frozenset({"images", "data", "calibrate", "labels", "weights"})
_FOLDERS = frozenset({"images", "data", "calibrate", "copy_to", "folder", "directory", "results"})
# What is read from a text, and is no name.
_NOT_NAMES = {
    "k": "a number, or several such as 1,5,10",
    "max_memory": "a size such as 4GB",
    "images": "a number such as 1e9",
    "deadline": "a time such as 24h",
    "ray": "the address of a cluster",
}
_SEEDS = 1 << 32

# In bytes: of a name, and of a path, on every file system that Linux, macOS and Windows have.
_LONGEST_NAME, _LONGEST_PATH = 255, 4095


def in_bytes(size: int | str | None) -> int | None:
    """Turn ``"4GB"`` into a number of bytes, and leave a number as it is; a kilobyte has 1,000.

    Raises
    ------
    UsageError
    """
    if not isinstance(size, str):
        return size
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgt]?)b?", size.strip(), re.IGNORECASE)
    if found is None:
        raise UsageError(
            f"{option('max_memory', size)} is no size; for example {option('max_memory', '4GB')}"
        )
    number = int(float(found[1]) * 1000 ** " kmgt".index(found[2].lower() or " "))
    if 0 < number < _LEAST_MEMORY and size.strip().isdecimal():
        meant = option("max_memory", f"{size.strip()}GB")
        raise UsageError(
            f"{option('max_memory', size)} is {count(number, 'byte')}; did you mean {meant}?"
        )
    if number < _LEAST_MEMORY:
        raise UsageError(
            f"{option('max_memory', size)} takes longer than anybody waits; give 1MB or more"
        )
    return number


def require_name(argument: str, value: object) -> None:
    """Refuse what is no text.

    Raises
    ------
    UsageError
    """
    if not isinstance(value, str):
        raise UsageError(f"{argument} is {what_given(value)}; give a name")


def is_path(name: str, annotation: str) -> bool:
    """Whether an argument is a path, or several."""
    # The images of a plan are a number of them, in a function and in a command.
    is_number = "float" in annotation or "NUMBER" in annotation
    return "Path" in annotation or (name in _PATHS and not is_number)


def require_texts(
    name: str, value: object, *, path: bool, called: str | None = None, needed: bool = False
) -> None:
    """Refuse an empty text, and one that no file and no name can be, alone or in a list.

    An empty path would be the current folder to Python, and a variable that was never set to a
    shell: what was meant is not known, and all that lies here is too much to take for it.

    Parameters
    ----------
    name : str
        The argument's.
    value : object
        What was given; what is no text is for others to check.
    path : bool
        Whether it is a path.
    called : str, optional
        What a message calls the argument.
    needed : bool
        Whether it cannot be left out.

    Raises
    ------
    UsageError
    """
    called = called or option(name)
    for one in value if isinstance(value, list | tuple) else [value]:
        text = os.fspath(one) if isinstance(one, os.PathLike) else one
        if not isinstance(text, str):
            continue
        if not text:
            if not path:
                instead = "give " + _NOT_NAMES.get(name, "a name")
                instead += "" if needed else ", or leave it out"
                raise UsageError(f"{called} is empty; {instead}")
            instead = "a folder, or . for this one" if name in _FOLDERS else "the name of a file"
            raise UsageError(f"an empty path was given as {called}; give {instead}")
        # A layer may be called anything.
        if name != "layer" and (complaint := _complaint(text, path=path)):
            raise UsageError(f"{called} is {what_given(text)}, and {complaint}")


def _complaint(text: str, *, path: bool) -> str | None:
    """Say why no file has this name."""
    if "\0" in text:
        return "no name has a NUL character in it"
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        return "no name has half a surrogate pair in it"
    if not path or "://" in text or text.startswith("column:") or "{" in text:
        return None
    longest = max(map(len, encoded.replace(os.sep.encode(), b"/").split(b"/")))
    if longest > _LONGEST_NAME or len(encoded) > _LONGEST_PATH:
        most = _LONGEST_NAME if longest > _LONGEST_NAME else _LONGEST_PATH
        return f"no {'name' if longest > _LONGEST_NAME else 'path'} is longer than {most:,} bytes"
    return None


def require_seed(seed: int, name: str = "seed") -> None:
    """Refuse what NumPy, scikit-learn and openTSNE do not all take.

    Raises
    ------
    UsageError
    """
    if not 0 <= seed < _SEEDS:
        raise UsageError(f"{option(name)} is {seed}; give a whole number from 0 to {_SEEDS - 1:,}")


def require_whole(argument: str, value: object) -> None:
    """Refuse what is no whole number.

    Raises
    ------
    UsageError
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise UsageError(f"{argument} is {what_given(value)}; give a whole number")
