"""A folder of rows as the destination of a run: its parts, and the record of the run itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from penult import __version__
from penult.distributed.known import KnownContent
from penult.errors import ClusterError, PathNotFoundError, RecipeMismatchError, ResumeError
from penult.features.described import from_data, to_data
from penult.features.parts.entry import PartEntry, entry_name, read_entries
from penult.features.parts.header import PartsHeader
from penult.features.parts.store import PartsStore
from penult.features.parts.write import write_part
from penult.features.resume.chunk import Outcomes
from penult.features.resume.finished import RowsOf
from penult.features.resume.manifest import difference, stamp_of
from penult.interface import option
from penult.parsing import read_json, to_record
from penult.recipe import Recipe
from penult.records import ImageRecord

__all__ = ["RUN", "RowsFolder", "RunRecord", "now", "run_digest"]

RUN = "run.json"
"""What says of an unfinished folder which run it is of; gone when the run is over."""

FORMAT = 1


@dataclass(frozen=True)
class RowsFolder:
    """A folder of rows in the making; see `penult.distributed.destination.Destination`.

    Attributes
    ----------
    store : PartsStore
    header : PartsHeader
    token : str
        What `RUN` has of the driver: a worker whose run has ended writes nothing into another's.
    earlier : str or None
        A folder of rows, or a feature file, that is brought up to date.
    """

    store: PartsStore
    header: PartsHeader
    token: str
    earlier: str | None = None

    def require(self) -> None:
        """See `Destination.require`."""
        record = RunRecord.read(self.store)
        if record is None:
            raise ClusterError(
                f"{self.store.address} has no {RUN} there; it has to be a folder that all machines "
                "of the cluster share, or an address that they reach"
            )
        if record.token != self.token:
            raise ClusterError(
                f"{self.store.address} is another one there, or another run's by now; it has to be "
                "a folder that all machines of the cluster share, or an address that they reach"
            )

    def find(self, number: int, ids: Sequence[str]) -> PartEntry | None:
        """See `Destination.find`; that its images are these follows from the name of the run."""
        header = self.header
        try:
            data = self.store.read(entry_name(header.run, number))
        except PathNotFoundError:
            return None
        with suppress(ValueError):
            entry = to_record(PartEntry, read_json(data))
            if (
                entry.number == number
                and entry.fits(header.run, part_images=header.part_images, format=header.format)
                and self.store.size(entry.name) == entry.nbytes
            ):
                return entry
        return None

    def put(self, number: int, records: Sequence[ImageRecord], outcomes: Outcomes) -> PartEntry:
        """See `Destination.put`."""
        return write_part(self.store, self.header, number, records, outcomes)

    def completed(
        self, outcomes: Outcomes, again: Sequence[tuple[int, ImageRecord, str]], known: KnownContent
    ) -> Outcomes:
        """See `Destination.completed`: the rows that were known are copied from where they are."""
        if not again:
            return outcomes
        at = np.array([known.row(digest) for _, _, digest in again], np.intp)
        there = Outcomes(
            positions=np.array([position for position, _, _ in again], np.int64),
            ids=[record.id for _, record, _ in again],
            content=[digest for _, _, digest in again],
            reasons=[""] * len(again),
            rows=self._earlier_rows.take(at),
        )
        return Outcomes.joined([outcomes, there]) if outcomes.ids else there

    @cached_property
    def _earlier_rows(self) -> RowsOf:
        assert self.earlier is not None
        return RowsOf(self.earlier)

    def __reduce__(self) -> Any:
        return RowsFolder, (self.store, self.header, self.token, self.earlier)


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What an unfinished folder says of its run.

    Attributes
    ----------
    run, created : str
        As `PartsHeader` has them.
    token : str
        Of the driver that is, or was, at work.
    names : tuple of str
        Of the sets of rows.
    recipes : tuple of Recipe
        One a name.
    options : mapping
        What else decides the outcome, but for the images.
    """

    run: str
    created: str
    token: str
    names: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    options: Mapping[str, Any]

    @property
    def named(self) -> dict[str, Recipe]:
        """Name to recipe, in order."""
        return dict(zip(self.names, self.recipes, strict=True))

    @classmethod
    def read(cls, store: PartsStore) -> RunRecord | None:
        """Read it; None where there is none to be trusted.

        Raises
        ------
        ResumeError
            If a newer penult wrote it.
        SourceError
        """
        try:
            data = read_json(store.read(RUN))
            _require_known(data["format"], data["penult"], store)
            found = from_data(cls, data, ignore_unknown=True)
            return found if len(found.names) == len(found.recipes) else None
        except PathNotFoundError:
            return None
        except ResumeError:
            raise
        except (ValueError, KeyError, TypeError):
            return None

    def write(self, store: PartsStore) -> None:
        """Put it into the store.

        Raises
        ------
        OutputError
        """
        data = {"format": FORMAT, "penult": __version__, **to_data(self)}
        store.put_bytes(RUN, json.dumps(data, indent=1).encode())

    def entries(self, store: PartsStore) -> dict[int, PartEntry]:
        """Find out which parts are done: number to entry, in order.

        Raises
        ------
        SourceError
            If the store cannot be read.
        """
        images, how = self.options.get("part_images"), self.options.get("part_format")
        if not isinstance(images, int) or how not in ("h5", "parquet"):
            return {}  # of a run.json that somebody has changed
        return read_entries(store, self.run, part_images=images, format=how)

    def require_same(self, earlier: RunRecord, place: str) -> None:
        """Refuse to go on with another run.

        Raises
        ------
        RecipeMismatchError, ResumeError
        """
        if earlier.run == self.run:
            return
        found = difference(earlier.named, self.named, earlier.options, self.options)
        if found:
            raise RecipeMismatchError(
                f"{place} holds an unfinished run with another recipe ({found}); give the options "
                f"of that run to go on with it, or {option('restart', True)} to begin anew"
            )
        raise ResumeError(
            f"{place} holds an unfinished run over other images, or other labels of them; type its "
            f"command to finish it, and then {option('update', True)}, or give "
            f"{option('restart', True)} to begin anew"
        )


def _require_known(found: int, penult: str, store: PartsStore) -> None:
    if found > FORMAT:
        raise ResumeError(
            f"{store.address} holds an unfinished run of penult {penult}, a newer one; finish it "
            f"with that, or give {option('restart', True)} to begin anew"
        )


def run_digest(
    recipes: Mapping[str, Recipe],
    options: Mapping[str, Any],
    records: Sequence[ImageRecord],
    *,
    other_than: str = "",
) -> str:
    """Eight hex digits over all that decides a run's outcome.

    Parameters
    ----------
    recipes, options, records
        Which decide it.
    other_than : str
        The digits of a finished run, whose parts stay until they are replaced: where they would be
        the same, others are made.
    """
    found = _run_digest(recipes, options, records, "")
    return found if found != other_than else _run_digest(recipes, options, records, found)


def _run_digest(
    recipes: Mapping[str, Recipe],
    options: Mapping[str, Any],
    records: Sequence[ImageRecord],
    salt: str,
) -> str:
    digest = hashlib.blake2b(salt.encode(), digest_size=4)
    rows = [[name, recipe.to_json()] for name, recipe in recipes.items()]
    digest.update(json.dumps([rows, dict(options)], sort_keys=True).encode())
    for record in records:  # with all that a part has of them
        told = [*stamp_of(record), record.labels, record.split, record.group]
        digest.update((json.dumps(told) + "\n").encode())
    return digest.hexdigest()


def now() -> str:
    """The time as feature files say it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
