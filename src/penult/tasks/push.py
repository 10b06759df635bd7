"""Rows of a feature file, put into a table of a database."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from penult.checking import checked
from penult.combine.writing import named
from penult.databases.base import StoredRows, TableInfo, VectorTable
from penult.databases.feature_rows import info_of, stored_rows
from penult.databases.registry import open_table
from penult.errors import DatabaseError, SearchError, UsageError
from penult.features.read import one_set
from penult.interface import option
from penult.progress import ShowProgress, Tell, announce, following
from penult.recipe import require_equal
from penult.records import Features, Progress
from penult.representation import short_repr
from penult.wording import count, listed, times

__all__ = ["PushedRows", "push"]

_log = logging.getLogger("penult")

_BLOCK_BYTES = 4 << 20  # of rows that are one transaction
_BLOCK_ROWS = 2_000
_INDEXED = 10_000
"""So many rows are compared with a query in some hundredths of a second, without an index."""


@short_repr
@dataclass(frozen=True, kw_only=True)
class PushedRows:
    """What became of the rows of a feature file in a table.

    Attributes
    ----------
    to : str
        The address, without a password.
    rows : int
        How many the file has.
    added : int
        Those that the table did not have.
    updated : int
        Those that it had otherwise: another row, label, split, group or image under the same id.
    unchanged : int
        Those that it had.
    removed : int
        Those of the table that the file does not have, and that were to be removed.
    left : int
        Those of the table that the file does not have, and that stay; `prune` removes them.
    layer : str
        Whose rows they are.
    index : bool
        Whether the database was asked to have an index.
    """

    to: str
    rows: int
    added: int
    updated: int
    unchanged: int
    removed: int
    left: int
    layer: str
    index: bool


@checked
def push(
    features: Features | str | Path,
    *,
    to: str,
    layer: str | None = None,
    prune: bool = False,
    index: bool | None = None,
    metric: Literal["cosine", "euclidean"] = "cosine",
    progress: ShowProgress = None,
) -> PushedRows:
    """Put the rows of a feature file into a table of a database, to be searched there.

    Rows travel with their ids, labels, splits, groups and digests, and once for all with their
    recipe; see docs/databases.md. A row that the table has under the same id is left alone where it
    is the same, and replaced where it is not. So the same push again changes nothing, and one that
    was interrupted goes on.

    Parameters
    ----------
    features : Features or path
        The feature file, or rows.
    to : str
        The table's address: ``postgresql://USER@HOST/DATABASE?table=NAME`` or
        ``http://HOST:6333/NAME`` (Qdrant). It is made where it is not there.
    layer : str, optional
        Which of the file's layers; the last by default.
    prune : bool, default=False
        Remove the rows that the table has and the file has not.
    index : bool, optional
        Whether the database is to build an index; by default, from 10,000 rows on. Without one, a
        search reads all rows, and is exact.
    metric : {"cosine", "euclidean"}
        By what the index finds rows.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    PushedRows
        How many rows were added, updated and left alone, and how many more the table has.

    Raises
    ------
    UsageError
        If the address is none, or the rows are too long for the database.
    MissingExtraError
        If the library of the database is not installed.
    UnknownNameError
        If there is no such layer.
    PathNotFoundError, FeatureFileError
        If the features cannot be read.
    SearchError
        If a row is not finite.
    RecipeMismatchError
        If the table has rows of another recipe.
    DatabaseError
        If the database refuses, cannot be reached or is lost; what was written stays.
    """
    features = one_set(features, layer)
    mine = info_of(features)
    if not len(features):
        raise UsageError(f"{named(features)} has no rows to push")
    with following(progress) as tell, closing(open_table(to)) as table:
        _prepare(table, mine, named(features))
        done = _write(table, features, tell)
        removed = _prune(table, features, mine) if prune else 0
        total = table.count()
        wanted = total >= _INDEXED if index is None else index
        if wanted:
            announce("building the index")
            table.build_index(metric)
    if features.augmented is not None:
        _log.warning(
            "%s of %s stay in the file: they are for training alone",
            count(len(features.augmented), "augmented row"),
            named(features),
        )
    return PushedRows(
        to=table.address,
        rows=len(features),
        added=done.added,
        updated=done.updated,
        unchanged=len(features) - done.added - done.updated,
        removed=removed,
        left=max(0, total - len(features)),
        layer=features.name,
        index=wanted,
    )


@dataclass
class _Done:
    added: int = 0
    updated: int = 0


def _prepare(table: VectorTable, mine: TableInfo, name: str) -> None:
    """Make the table, or have what it says of itself hold of these rows, too."""
    theirs = table.info()
    if theirs is None:
        table.create(replace(mine, rows=0))
        theirs = table.info()  # which may be another's, made at the same time
    elif theirs.recipe == mine.recipe:
        table.create(replace(mine, rows=0))  # what somebody dropped of it
    if theirs is None:
        raise DatabaseError(f"{table.address}: the table was made, and is gone")
    require_equal(theirs.recipe, mine.recipe, name=f"the table {table.address}", other_name=name)
    if theirs.shape != mine.shape:
        raise SearchError(
            f"the table {table.address} has rows of {times(theirs.shape)} numbers, and {name} of "
            f"{times(mine.shape)}"
        )
    if not _is_same(theirs.widened(mine), theirs):
        table.describe(lambda now: now.widened(mine))


def _is_same(one: TableInfo, other: TableInfo) -> bool:
    keys, others = one.trained_on, other.trained_on
    if keys is None or others is None:
        return one == other and keys is others
    return one == other and np.array_equal(keys, others)


def _write(table: VectorTable, features: Features, tell: Tell) -> _Done:
    total, done, seen = len(features), _Done(), 0
    row_bytes = 4 * int(np.prod(features.features.shape[1:]))
    batch = max(1, min(_BLOCK_ROWS, _BLOCK_BYTES // max(1, row_bytes)))
    tell(Progress(0, total, 0, stage="push", unit="rows"))
    ids = set[int]()
    for rows in stored_rows(features, batch):
        _require_writable(rows, named(features))
        ids.update(map(hash, rows.ids))
        if len(ids) < seen + len(rows):
            twice = next((one for one in rows.ids if rows.ids.count(one) > 1), rows.ids[0])
            raise SearchError(
                f"{named(features)} has an id twice, that of {twice} or of a row before it, and a "
                "table has each once; extract it again"
            )
        digests = rows.digests()
        known = table.known(rows.ids)
        changed = [
            k
            for k, (one, digest) in enumerate(zip(rows.ids, digests, strict=True))
            if one not in known or known[one].digest != digest
        ]
        if changed:
            table.upsert(rows.take(changed), [digests[k] for k in changed])
        written = {rows.ids[k] for k in changed}
        table.move(
            {
                one: place
                for one, place in zip(rows.ids, rows.positions, strict=True)
                if one not in written and known[one].position != place
            }
        )
        done.updated += len(written & known.keys())
        done.added += len(written - known.keys())
        seen += len(rows)
        kept = seen - done.added - done.updated
        tell(Progress(seen, total, 0, kept=kept, stage="push", unit="rows"))
    return done


def _prune(table: VectorTable, features: Features, mine: TableInfo) -> int:
    announce("removing what the file has not")
    removed = table.remove_others(str(one) for one in features.ids)
    # The file is all that there is now, and may have no more of some label.
    table.describe(lambda now: now if _is_same(now, mine) else replace(mine, recipe=now.recipe))
    return removed


def _require_writable(rows: StoredRows, name: str) -> None:
    """Refuse what a database would, in other words.

    Raises
    ------
    SearchError
        Names the rows.
    UsageError
    """
    finite = np.isfinite(rows.rows).all(axis=1)
    if not finite.all():
        wrong = [rows.ids[k] for k in np.flatnonzero(~finite).tolist()]
        raise SearchError(
            f"{name}: {count(len(wrong), 'row')} with NaN or infinite numbers ({listed(wrong)}); "
            "leave them out, or extract them again"
        )
    for one, *texts in zip(rows.ids, rows.splits, rows.groups, rows.content, strict=True):
        if any("\0" in text or not _is_utf8(text) for text in (one, *texts)):
            raise UsageError(
                f"{name}: the row {one!r} has a text with a NUL or a lone surrogate in it, which "
                f"no database keeps; give it another name before {option('to')}"
            )


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
