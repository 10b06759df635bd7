"""An index on disk: rows that are ready to be searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from penult.checking import checked
from penult.errors import OutputExistsError, UsageError
from penult.features.places import is_feature_file
from penult.features.read import load, one_set
from penult.interface import at_command_line, command, option
from penult.output import check_output
from penult.progress import ShowProgress, following
from penult.records import Features
from penult.retrieve.index import Index, replace_changed
from penult.retrieve.index_file.container import is_index_file
from penult.suffixes import INDEX

if TYPE_CHECKING:
    from penult.records.neighbors import Metric

__all__ = ["index"]


@checked
def index(
    features: Features | str | Path,
    output: str | Path | None = None,
    *,
    layer: str | None = None,
    kind: Literal["auto", "flat", "hnsw", "ivfpq"] = "auto",
    metric: Literal["cosine", "euclidean"] | None = None,
    add: Sequence[str | Path] | str | Path | None = None,
    remove: Sequence[str] | str | None = None,
    restore: bool = False,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Index:
    """Build an index of rows, or add rows to one and remove rows from it.

    An index is one file, which needs no other: it has the rows, their ids and labels, and the
    recipe. Its rows are mapped into memory when it is opened, so that a search reads what it needs.
    Exact search goes through all rows; HNSW and IVF-PQ find candidates, which are compared with the
    query on the rows themselves, so that what they say is exact and only what they find is not. How
    much of it they find is measured when the index is built.

    Parameters
    ----------
    features : Features or path
        The feature file; or an index, to change it.
    output : path, optional
        Index to write, whole or not at all. Without it, an index that is changed is replaced by the
        new one when that is complete, and one of a feature file stays in memory.
    layer : str, optional
        Which of the file's sets of rows; the last by default.
    kind : {"auto", "flat", "hnsw", "ivfpq"}, default="auto"
        "flat" is exact search. "hnsw" is a graph, the fastest for many rows. "ivfpq" has short
        codes in memory, for more rows than a graph has room for. "auto" is flat up to the size
        where that is quick enough; an index that is changed stays of its kind.
    metric : {"cosine", "euclidean"}, optional
        How near two rows are; the cosine by default, and for an index that is changed its own.
    add : path or sequence of paths, optional
        Feature files of the same recipe, whose rows are added. Rows of images that the index has
        are left out.
    remove : str or sequence of str, optional
        Ids of rows to take out, after others were added; or globs, such as ``daisy/*``.
    restore : bool, default=False
        Have `add` add rows that were removed before, too.
    overwrite : bool, default=False
        Replace `output` if it exists.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Index
        Opened from the file that was written. Its ``lines`` say why it is of its kind, how much it
        finds, and what was left out.

    Raises
    ------
    UsageError
        If there are too few rows for that kind, or there is nothing to change.
    UnknownNameError
        If there is no such layer, or no row of an id that is to be removed.
    SearchError
        If rows cannot be searched, or an id to be added belongs to another image.
    RecipeMismatchError
        If rows to be added are of another recipe.
    PathNotFoundError, FeatureFileError, IndexFileError, OutputExistsError, OutputError
        If a file cannot be read or written, an index is stale, or another run changed it meanwhile.
    """
    files = [] if add is None else [add] if isinstance(add, str | Path) else list(add)
    ids = [] if remove is None else [remove] if isinstance(remove, str) else list(remove)
    given = None if isinstance(features, Features) else Path(features)
    own = given if given is not None and is_index_file(given) else None
    target = own if output is None else Path(output)
    in_place = own is not None and target is not None and _is_same(target, own)
    if target is None and at_command_line():
        if files or ids or not is_feature_file(features):
            Index.open(str(features))  # which says why it is none that could be changed
        raise UsageError(f"give the index to write: {option('output', 'gallery.index')}")
    if target is not None:
        # An index may be replaced by what it becomes; a feature file may not.
        inputs = [] if given is None or own is not None else [given]
        _require_output(target, inputs, bool(files or ids), overwrite=overwrite or in_place)
    was = target.stat() if in_place and target is not None else None
    with following(progress):
        if own is not None:
            found = _opened(own, layer, kind, metric, bool(files or ids))
        else:
            wanted: Metric = metric or "cosine"
            found = Index.of(one_set(features, layer), metric=wanted, kind=kind)
        for file in files:
            found = found.add(load(file, layer or _name_of(found)), restore=restore)
        if ids:
            found = found.remove(ids)
        if target is None:
            return found
        if was is None:
            found.save(target, overwrite=overwrite)
        else:
            replace_changed(found, target, was)
    return replace(Index.open(target), notes=found.notes)


def _opened(path: Path, layer: str | None, kind: str, metric: str | None, changed: bool) -> Index:
    found = Index.open(path)
    if layer is not None:
        raise UsageError(f"{path} is an index, of one set of rows; leave {option('layer')} out")
    if metric not in (None, found.metric):
        raise UsageError(
            f"{path} is an index by {found.metric}; build another one of its features for "
            f"{option('metric', metric)}"
        )
    if kind not in ("auto", found.kind):
        return found.of_kind(kind)  # type: ignore[arg-type]
    if not changed:
        raise UsageError(
            f"{path} is an index already; change it with {option('add', 'FEATURES')} or "
            f"{option('remove', 'ID')}"
        )
    return found


def _name_of(found: Index) -> str | None:
    """The set of rows to take of further files, where they have it under that name."""
    return None if found.features is None else found.features.name


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _require_output(
    target: Path, inputs: Sequence[Path], changed: bool, *, overwrite: bool
) -> None:
    """Refuse an output that cannot be written; where it is an index, say how to change it."""
    if changed and not overwrite and target.is_file() and is_index_file(target):
        raise OutputExistsError(
            f"{target} exists; to change it, give it in the place of the features: "
            f"{command('index', str(target))}, or give {option('overwrite', True)} to build it anew"
        )
    check_output(target, overwrite=overwrite, inputs=inputs, output=INDEX)
