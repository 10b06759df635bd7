"""A small real image set, in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penult.checking import checked
from penult.representation import short_repr
from penult.samples import find_sample

__all__ = ["WrittenSample", "sample"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class WrittenSample:
    """An image set that was written.

    Attributes
    ----------
    directory : Path
        The folder, with one folder a class in it.
    images : int
        How many there are.
    """

    directory: Path
    images: int


@checked
def sample(name: str, directory: str | Path) -> WrittenSample:
    """Write a small real image set, for a first try without photos of your own.

    Parameters
    ----------
    name : {'digits'}
        Which sample.
    directory : path
        Folder to write, whole or not at all; one that holds exactly these images stays as it is.

    Returns
    -------
    WrittenSample
        What is there now.

    Raises
    ------
    UnknownNameError
        If there is no such sample.
    OutputExistsError, OutputError
        If the folder holds anything else, or cannot be written.
    """
    folder = Path(directory)
    return WrittenSample(directory=folder, images=find_sample(name).write(folder))
