"""What a file or folder is where another was wanted, and what to type for it."""

from __future__ import annotations

import mmap
import os
import zipfile
from pathlib import Path
from typing import BinaryIO, Literal

from penult.errors import WrongFileError
from penult.inputs import open_file
from penult.interface import command
from penult.wording import listed

__all__ = [
    "HDF5",
    "INDEX",
    "NAMES",
    "RECIPE",
    "WEIGHTS",
    "ZIP",
    "Kind",
    "kind_of",
    "kind_of_file",
    "refuse_other_kind",
    "safetensors_header",
]

Kind = Literal["checkpoint", "classifier", "comparison", "exported", "features", "index", "network"]

Wanted = Literal["classifier", "described", "features", "network"]

ZIP = b"PK\3\4"
"""How an archive begins that is not empty; its first two bytes may be those of a network, too."""

HDF5, INDEX = b"\x89HDF\r\n\x1a\n", b"\x89PIX\r\n\x1a\n"
"""How a feature file begins, as any in HDF5, and an index."""

WEIGHTS, RECIPE = "weights.safetensors", "recipe.json"
"""What a fine-tuned network's folder has, beside others."""

_LONGEST_HEADER = 100_000_000  # of the safetensors library
_EXPORTED = b"penult.label_names"
_END = 1 << 26  # bytes of an ONNX file in which its metadata are, which come after the graph


def refuse_other_kind(path: Path, wanted: Wanted) -> None:
    """Refuse what is known to be of another kind than was wanted; of any other, say nothing.

    Parameters
    ----------
    path : Path
        As it was given.
    wanted : {"classifier", "features", "network", "described"}
        The last is what says of itself how it was made.

    Raises
    ------
    WrongFileError
        Says what it is, and what to type.
    UnreadableFileError
    """
    found = kind_of(path)
    if found is None or found == wanted or (found == "checkpoint" and wanted != "features"):
        return
    what = NAMES[found] + _WANTED[wanted]
    raise WrongFileError(f"{path} is {what}; {_next(path, found, wanted)}")


def kind_of(path: Path) -> Kind | None:
    """Tell by its content what a file or folder is; None of any other.

    A feature file may be another file in HDF5.

    Raises
    ------
    UnreadableFileError
    """
    if os.path.isdir(path):  # noqa: PTH112 - False where no folder can have that name
        if (path / WEIGHTS).is_file() and (path / RECIPE).is_file():
            return "checkpoint"
        divided = (path / "splits.json").is_file() and (path / "results").is_dir()
        return "comparison" if divided else None
    if not os.path.isfile(path):  # noqa: PTH113 - False where no file can have that name
        return None
    with open_file(path) as file:
        found = kind_of_file(file)
    if found is None and path.suffix.lower() == ".onnx" and _is_exported(path):
        return "exported"
    return found


def kind_of_file(file: BinaryIO) -> Kind | None:
    """Tell what a file is that is open at its beginning, as `kind_of` does but for ONNX."""
    head = file.read(9)
    if head.startswith(HDF5):
        return "features"
    if head.startswith(INDEX):
        return "index"
    if head.startswith(ZIP):
        return _kind_of_archive(file)
    return "network" if safetensors_header(head) is not None else None


def safetensors_header(head: bytes) -> int | None:
    """Read how long the JSON header of a safetensors file is; None of what begins otherwise.

    Parameters
    ----------
    head : bytes
        The first nine: the length in eight, and the first of the JSON, which belongs to it.
    """
    length = int.from_bytes(head[:8], "little")
    return length if head[8:9] == b"{" and 0 < length <= _LONGEST_HEADER else None


def _kind_of_archive(file: BinaryIO) -> Kind | None:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return None
    if "penult.json" in names:
        return "classifier"
    return "network" if any(name.endswith("/data.pkl") for name in names) else None


def _is_exported(path: Path) -> bool:
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return data.rfind(_EXPORTED, max(0, size - _END)) >= 0


NAMES: dict[Kind, str] = {
    "checkpoint": "a fine-tuned network",
    "classifier": "a classifier",
    "comparison": "a comparison",
    "exported": "a classifier that penult exported for other programs",
    "features": "a feature file, or another in HDF5",
    "index": "an index",
    "network": "a network",
}


_WANTED: dict[Wanted, str] = {
    "classifier": ", not a classifier file",
    "described": "",
    "features": ", not a feature file",
    "network": ", not a network",
}


def _next(path: Path, kind: Kind, wanted: Wanted) -> str:
    use = _use(path, kind, wanted)
    if kind in ("classifier", "index") and wanted == "network":
        return f"{command('info', str(path))} names its network; {use}"
    return use


def _use(path: Path, kind: Kind, wanted: Wanted) -> str:
    given = str(path)
    if kind in ("checkpoint", "network"):
        rows = command("extract", "PHOTOS", model=given, output="features.h5")
        return f"make features with: {rows}"
    if kind == "classifier":
        return f"classify photos with: {command('predict', given, 'PHOTOS')}"
    if kind == "comparison":
        page = f"open {path / 'index.html'} in a browser"
        made = sorted(map(str, (path / "features").glob("*.h5")))
        if wanted not in ("described", "features") or not made:
            return page
        return f"give one of its feature files ({listed(made, 3)}), or {page}"
    if kind == "features":
        return f"{command('info', given)} says how its rows were made"
    if kind == "index":
        return f"search in it with: {command('search', given, 'PHOTO')}"
    made_of = command("predict", f"{path.stem}.skops", "PHOTOS")
    return f"give the classifier that it was made of, as in: {made_of}"
