"""How a run into a folder of rows begins: anew, where another one stopped, or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.distributed.rows_folder import RunRecord, now, run_digest
from penult.errors import FeatureFileError, PathNotFoundError, UnreadableFileError, WrongFileError
from penult.features.parts.entry import is_of_parts
from penult.features.parts.manifest import PartsManifest, lost
from penult.features.parts.store import PartsStore
from penult.output import already_there
from penult.recipe import Recipe
from penult.records import ImageRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RowsStart", "first_places", "read_manifest"]


@dataclass(frozen=True, kw_only=True)
class RowsStart:
    """What a run begins with.

    Attributes
    ----------
    record : RunRecord
        Of the run.
    there : RunRecord or None
        Of the one that was interrupted, whose parts are kept.
    old : PartsManifest or None
        Of the finished folder that is replaced, or brought up to date.
    """

    record: RunRecord
    there: RunRecord | None
    old: PartsManifest | None

    @classmethod
    def of(
        cls,
        store: PartsStore,
        recipes: Mapping[str, Recipe],
        options: Mapping[str, Any],
        records: Sequence[ImageRecord],
        *,
        old: PartsManifest | None,
        overwrite: bool,
        restart: bool,
        update: bool,
        tidy: Callable[[PartsManifest], None] | None = None,
    ) -> RowsStart | None:
        """Compare a run with what the folder holds; None where nothing is left to be done.

        Parameters
        ----------
        recipes, options, records
            Of the run, the options with those of its parts.
        old : PartsManifest or None
            As `read_manifest` has it.
        tidy : callable, optional
            Removes what a run has left that was killed when its folder was whole.

        Raises
        ------
        FeatureFileError, OutputExistsError, RecipeMismatchError, ResumeError, SourceError
            If the run cannot begin.
        """
        there = RunRecord.read(store)
        digest = run_digest(recipes, options, records)
        if old is None and there is None and not (overwrite or restart):
            _require_no_others(store, digest)  # they would be removed, and it was not asked for
        if old is not None and there is not None and old.run == there.run == digest:
            if tidy is not None:
                tidy(old)  # it was killed when all but that was done
            if not restart:
                return None
            there = None
        if old is not None and not (overwrite or update):
            raise already_there(store.address, has_update=True)
        if old is not None and old.run == digest:
            if update:
                if there is not None and tidy is not None:
                    tidy(old)  # of an update to what is gone again
                return None
            digest = run_digest(recipes, options, records, other_than=old.run)
        record = RunRecord(
            run=digest,
            created=now(),
            token=secrets.token_hex(8),
            names=tuple(recipes),
            recipes=tuple(recipes.values()),
            options=options,
        )
        if restart:
            there = None
        if there is not None:
            record.require_same(there, store.address)
            record = replace(record, created=there.created)
        return cls(record=record, there=there, old=old)


def first_places(images: int, views: NDArray[np.int64] | None, part_images: int) -> NDArray[Any]:
    """The listing divided: where each part begins, and behind the last one the end.

    Parameters
    ----------
    views : array or None
        How many augmented views each image gets, which are in its part.
    """
    sizes = np.ones(images, np.int64) if views is None else views + 1
    places = np.concatenate([[0], np.cumsum(sizes)])
    return np.unique(np.append(places[::part_images], places[-1]))


def read_manifest(store: PartsStore) -> PartsManifest | None:
    """The manifest of a finished folder; None where there is none to be trusted."""
    try:
        return PartsManifest.read(store)
    except UnreadableFileError:
        raise  # it may be as good as it was
    except (PathNotFoundError, WrongFileError, FeatureFileError):
        return None


def _require_no_others(store: PartsStore, run: str) -> None:
    """Refuse a folder that has parts of another run, and has lost what they are of.

    Raises
    ------
    FeatureFileError
    """
    if any(about[0] != run for about in map(is_of_parts, store.names()) if about):
        raise lost(store)
