"""The manifest of a folder of rows: which parts it has, and that they are all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from penult import __version__
from penult.errors import FeatureFileError, PathNotFoundError, WrongFileError
from penult.features.described import from_data, to_data
from penult.features.origin import read_origin
from penult.features.parts.entry import PartEntry, PartFormat, is_of_parts, remove_others
from penult.features.parts.header import MOST_IMAGES, PartsHeader
from penult.features.parts.store import PartsStore
from penult.features.write import Columns
from penult.interface import command
from penult.parsing import read_json
from penult.recipe import Recipe
from penult.records import Failure
from penult.wording import count

__all__ = ["MANIFEST", "PartsManifest", "lost"]

MANIFEST = "manifest.json"
_RUN = "run.json"  # what an unfinished run says of itself
FORMAT = 1

_DTYPES = ("float32", "float16")


@dataclass(frozen=True, kw_only=True)
class PartsManifest:
    """What a finished run has written, and how.

    Attributes
    ----------
    run, created : str
        As `PartsHeader` has them.
    names : tuple of str
        Of the sets of rows, in execution order.
    recipes : tuple of Recipe
        One a name; read from a file, they come without the arrays of projections.
    options : mapping
        Those that change rows and are not in the recipe, or the order of the rows.
    origin : mapping
        Where the images came from, JSON-like.
    dtype : {"float32", "float16"}
        Of the rows.
    columns : Columns
        What is stored beside the rows.
    part_images : int
        Images a part, but for the last, which may have fewer.
    part_format : {"h5", "parquet"}
        Of the part files.
    images, rows, failures : int
        Of all parts together: images of the listing, those that have a row, and those that have
        none.
    parts : tuple of PartEntry
        In the order of the listing.
    unlisted : tuple of Failure
        What could not be listed, and so is in no part: folders and archives that could not be
        read, and images that are named somewhere and do not exist.
    penult : str
        The version that wrote it.
    """

    run: str
    created: str
    names: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    options: Mapping[str, Any]
    origin: Mapping[str, Any]
    dtype: str
    columns: Columns
    part_images: int
    part_format: PartFormat
    images: int
    rows: int
    failures: int
    parts: tuple[PartEntry, ...]
    unlisted: tuple[Failure, ...] = ()
    penult: str = field(default=__version__, compare=False)

    @classmethod
    def of(
        cls,
        header: PartsHeader,
        options: Mapping[str, Any],
        parts: Sequence[PartEntry],
        unlisted: Sequence[Failure] = (),
    ) -> PartsManifest:
        """Say that these parts are all of a run.

        Parameters
        ----------
        parts : sequence of PartEntry
            In the order of the listing, from the first on.

        Raises
        ------
        ValueError
            If they do not add up: one is missing, there twice, or no part of this run.
        """
        made = cls(
            run=header.run,
            created=header.created,
            names=header.names,
            recipes=tuple(header.recipes.values()),
            options=dict(options),
            origin=dict(header.origin),
            dtype=header.dtype,
            columns=header.columns,
            part_images=header.part_images,
            part_format=header.format,
            images=sum(one.images for one in parts),
            rows=sum(one.rows for one in parts),
            failures=sum(one.failures for one in parts),
            parts=tuple(parts),
            unlisted=tuple(unlisted),
        )
        if problem := made._nonsense():
            raise ValueError(problem)
        return made

    @property
    def named(self) -> dict[str, Recipe]:
        """Name to recipe, in order."""
        return dict(zip(self.names, self.recipes, strict=True))

    def write(self, store: PartsStore) -> None:
        """Make the folder one that can be read, of these parts; those of other runs are removed.

        Raises
        ------
        OutputError, SourceError
        """
        store.put_bytes(MANIFEST, self.to_json().encode())
        remove_others(store, (part.name for part in self.parts))

    def to_json(self) -> str:
        """Write it with a part a line."""
        head = {"format": FORMAT, "penult": self.penult, **to_data(self)}
        parts = ",\n  ".join(map(json.dumps, head.pop("parts")))
        return f'{json.dumps(head, indent=1)[:-2]},\n "parts": [\n  {parts}\n ]\n}}\n'

    @classmethod
    def read(cls, store: PartsStore) -> PartsManifest:
        """Read the manifest of a folder, and believe nothing of it that a part's name may say.

        Raises
        ------
        PathNotFoundError
            If there is no such folder.
        WrongFileError
            If it is no folder of rows.
        FeatureFileError
            If its run is not finished, or its manifest is damaged, or newer than this penult.
        """
        try:
            data = store.read(MANIFEST)
        except PathNotFoundError:
            _no_manifest(store)
        try:
            return cls._checked(_of_this_format(data, store))
        except FeatureFileError:
            raise
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise FeatureFileError(
                f"{store.place(MANIFEST)} is damaged: {str(error)[:200]}; {_again(store)}"
            ) from error

    @classmethod
    def _checked(cls, data: Mapping[str, Any]) -> PartsManifest:
        made = from_data(cls, data, ignore_unknown=True)
        read_origin(json.dumps(dict(made.origin)))
        if problem := made._nonsense():
            raise ValueError(problem)
        return made

    def _nonsense(self) -> str | None:
        """What does not add up."""
        if not len({*self.names}) == len(self.names) == len(self.recipes) >= 1:
            return f"it has {count(len(self.names), 'name')} of {len(self.recipes)} recipes"
        if self.dtype not in _DTYPES:
            return f"its rows are {self.dtype[:20]!r}"
        if not 1 <= self.part_images <= MOST_IMAGES:
            return f"it has {self.part_images} images a part"
        for number, part in enumerate(self.parts, 1):
            if part.number != number:
                return f"its part {number} is said to be number {part.number}"
            if not part.fits(self.run, part_images=self.part_images, format=self.part_format):
                return f"what it says of part {number}, {part.name[:60]!r}, cannot be"
            if number < len(self.parts) and part.images != self.part_images:
                return f"its part {number} has {part.images} images of {self.part_images}"
        for name in ("images", "rows", "failures"):
            total = sum(getattr(part, name) for part in self.parts)
            if getattr(self, name) != total:
                return f"it says {getattr(self, name)} {name}, and its parts have {total}"
        if not 1 <= self.rows <= self.images <= MOST_IMAGES:
            return f"it has {self.rows} rows of {self.images} images"
        return None


def _of_this_format(data: bytes, store: PartsStore) -> dict[str, Any]:
    found = read_json(data)
    if not isinstance(found, dict) or type(found.get("format")) is not int:
        raise ValueError("it is no manifest of a folder of rows")
    if found.pop("format") > FORMAT:
        raise FeatureFileError(
            f"{store.address} was written by penult {str(found.get('penult'))[:20]}, a newer one; "
            "type: pip install --upgrade penult"
        )
    return found


def _no_manifest(store: PartsStore) -> NoReturn:
    sizes = store.sizes()
    if folder := store.folder:
        from penult.inputs import require_existing

        require_existing(folder, "folder of rows", _again(store))
    entries = sum(about[2] == "json" for about in map(is_of_parts, sizes) if about)
    if _RUN not in sizes and not entries and any(map(is_of_parts, sizes)):
        raise lost(store)
    if _RUN in sizes or entries:
        raise FeatureFileError(
            f"{store.address} is not finished: {count(entries, 'part')} done, and no {MANIFEST} "
            f"yet; type the same {command('extract', 'IMAGES', output=store.address)} again, and "
            "it goes on from there"
        )
    if folder is None and not sizes:
        raise PathNotFoundError(f"there is nothing at {store.address}; {_again(store)}")
    raise WrongFileError(
        f"{store.address} is no folder of rows: it has no {MANIFEST}; {_again(store)}"
    )


def lost(store: PartsStore) -> FeatureFileError:
    """What is wrong with a folder of parts of which nothing says what run they are of."""
    anew = command("extract", "IMAGES", output=store.address, overwrite=True)
    return FeatureFileError(
        f"{store.address} has parts, and neither the {MANIFEST} of a finished run nor the {_RUN} "
        f"of one that can be gone on with; put back what is missing, or make the folder anew: "
        f"{anew}"
    )


def _again(store: PartsStore) -> str:
    return f"make one with: {command('extract', 'IMAGES', output=store.address)}"
