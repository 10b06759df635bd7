"""What is known of one part of a folder of rows, and that it is done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from penult.parsing import read_json, to_record

if TYPE_CHECKING:
    from penult.features.parts.store import PartsStore

__all__ = [
    "PartEntry",
    "PartFormat",
    "entry_name",
    "is_of_parts",
    "part_name",
    "read_entries",
    "remove_others",
]

PartFormat = Literal["h5", "parquet"]

_PART = re.compile(r"rows-([0-9a-f]{8})-(\d{5,})\.(h5|parquet|json)")
_ENTRY = "json"


@dataclass(frozen=True)
class PartEntry:
    """One part of a run.

    Attributes
    ----------
    name : str
        Of its file, without a folder.
    number : int
        From 1.
    first : int
        The position in the listing of its first image, from 0.
    images : int
        How many images of the listing it is of.
    rows, failures : int
        How many of them have a row, and how many have none.
    nbytes : int
        Of the file.
    digest : str
        Hex BLAKE2b-128 of the file's bytes.
    """

    name: str
    number: int
    first: int
    images: int
    rows: int
    failures: int
    nbytes: int
    digest: str

    def write(self, store: PartsStore, run: str) -> None:
        """Say in the store that the part is done; its file has to be there already.

        Raises
        ------
        OutputError
        """
        store.put_bytes(entry_name(run, self.number), json.dumps(asdict(self)).encode())

    def fits(self, run: str, *, part_images: int, format: str) -> bool:
        """Whether it is what it has to be, by its number: its file's name, and its images."""
        return (
            self.number >= 1
            and self.name == part_name(run, self.number, format)
            and self.first == (self.number - 1) * part_images
            and 1 <= self.images <= part_images
            and 0 <= self.rows <= self.images
            and self.images - self.rows <= self.failures
            and self.nbytes > 0
            and re.fullmatch(r"[0-9a-f]{32}", self.digest) is not None
        )


def part_name(run: str, number: int, format: str) -> str:
    """Name the file of a part.

    Examples
    --------
    >>> part_name("1f2e3d4c", 7, "h5")
    'rows-1f2e3d4c-00007.h5'
    """
    return f"rows-{run}-{number:05}.{format}"


def entry_name(run: str, number: int) -> str:
    """Name the file that says that a part is done."""
    return part_name(run, number, _ENTRY)


def is_of_parts(name: str) -> tuple[str, int, str] | None:
    """Return run, number and suffix, if a file has the name of a part, or of an entry."""
    found = _PART.fullmatch(name)
    return None if found is None else (found[1], int(found[2]), found[3])


def read_entries(
    store: PartsStore, run: str, *, part_images: int, format: PartFormat
) -> dict[int, PartEntry]:
    """Find out which parts of a run are done.

    One whose entry is damaged, or whose file is missing or has another size, is not.

    Returns
    -------
    dict
        Number to entry, in order.

    Raises
    ------
    SourceError
        If the store cannot be read.
    """
    sizes = store.sizes()
    numbers = sorted(
        about[1] for about in map(is_of_parts, sizes) if about and about[::2] == (run, _ENTRY)
    )
    done: dict[int, PartEntry] = {}
    read = store.read_all(entry_name(run, number) for number in numbers)
    for number in numbers:
        entry = _entry(read.get(entry_name(run, number), b""))
        if (
            entry is not None
            and entry.number == number
            and entry.fits(run, part_images=part_images, format=format)
            and sizes.get(entry.name) == entry.nbytes
        ):
            done[number] = entry
    return done


def remove_others(store: PartsStore, keep: Iterable[str]) -> int:
    """Remove parts and entries of other names from a store, and nothing else.

    Returns
    -------
    int
        How many.

    Raises
    ------
    SourceError, OutputError
    """
    kept = set(keep)
    others = [name for name in store.names() if is_of_parts(name) and name not in kept]
    for name in others:
        store.remove(name)
    return len(others)


def _entry(data: bytes) -> PartEntry | None:
    try:
        return to_record(PartEntry, read_json(data))
    except ValueError:
        return None
