"""Rows that can be searched, each with its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from penult.checking import checked
from penult.errors import IndexFileError, SearchError, UnknownNameError, UsageError
from penult.features.stacked import joined_texts, stacked
from penult.interface import option
from penult.neighbors.blocks import row_length
from penult.neighbors.glued_rows import GluedRows, Piece
from penult.neighbors.ranks import ranks_of
from penult.neighbors.searchable import require_searchable
from penult.output import check_output
from penult.progress import ShowProgress, following
from penult.recipe import Recipe
from penult.recipe.comparison import require_equal
from penult.records import Features, Neighbors
from penult.records.neighbors import Metric
from penult.representation import html_table, one_line
from penult.retrieve.building import build_structure, choose_kind, extended
from penult.retrieve.changed_rows import kept_features, kept_texts, new_places
from penult.retrieve.given import (
    as_rows,
    column,
    held,
    ids_like,
    is_glob,
    numbers,
    required_ids,
    whole,
)
from penult.retrieve.index_file.parts import Kind, Parts
from penult.retrieve.index_file.read import read_index
from penult.retrieve.index_file.sources import source_of, staleness
from penult.retrieve.index_file.write import write_index
from penult.retrieve.likely import exact_among, likely_nearest
from penult.retrieve.likeness import likeness_of
from penult.retrieve.recall import ENOUGH, LEAST_ROWS, held_out, measured_effort
from penult.retrieve.structures.library import has_faiss
from penult.suffixes import INDEX
from penult.texts import positions
from penult.wording import count, listed, percent, times

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from penult.likeness import Likeness
    from penult.progress import Tell
    from penult.records import Rows
    from penult.retrieve.structures.base import Structure

__all__ = ["Index", "replace_changed"]

_MOST_PLACES = 1_000_000  # for what may be fewer rows
_NAMED = 3  # ids, as examples
_WASTED = 0.5  # of a structure, from which on it is built anew


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Index(Parts):
    """Rows that can be searched, each with its id; made by `Index.of` or `Index.open`.

    Attributes
    ----------
    rows : float32 or float16 array or h5py dataset, shape (N, D) or (N, …)
        What is searched, as it was given; of an index on disk, mapped into memory; of a feature
        file read into memory, where a quarter of what is free holds them.
    ids : sequence of str, length N
        Of the rows.
    metric : {"cosine", "euclidean"}
        How near two rows are.
    features : Features or None
        Labels, recipe and all else that is known of the rows; None of plain arrays.
    lengths : float64 array, shape (N,)
        Of the rows.
    structure : Structure or None
        What finds candidates; None where search is exact.
    effort : Effort or None
        How much of the structure a search looks at.
    recall : Recall or None
        Of what exact search finds among the first ten, the share that is found; measured when the
        index was built. None where search is exact.
    why : str
        Why it is of its kind, where ``kind="auto"`` chose that.
    sources : tuple of Source
        The feature files that an index on disk was made of, as they were then.
    removed : sequence of str
        Ids of rows that were taken out.
    stored_likeness : Likeness or None
        What `likeness` is, where it was read from a file.
    file : Path or None
        Where it lies on disk.
    notes : tuple of str
        What is to be said of how it was just built or changed, a line each.
    made_of : tuple of Features
        What it was made of, whose files are among `sources` when it is saved.
    """

    file: Path | None = None
    notes: tuple[str, ...] = ()
    made_of: tuple[Features, ...] = ()

    @classmethod
    def of(
        cls,
        rows: Features | Any,
        ids: Sequence[str] | None = None,
        metric: Metric = "cosine",
        *,
        kind: Literal["auto", "flat", "hnsw", "ivfpq"] = "flat",
        progress: ShowProgress = None,
    ) -> Index:
        """Make an index of features, or of an array of rows with their ids.

        Parameters
        ----------
        rows : Features or float array, shape (N, D) or (N, …)
            Arrays are not copied, but for those that are neither float32 nor float16.
        ids : sequence of str, length N, optional
            Each once; of an array. Features have their own.
        metric : {"cosine", "euclidean"}, default="cosine"
            How near two rows are: the cosine of their angle, or their Euclidean distance.
        kind : {"flat", "hnsw", "ivfpq", "auto"}, default="flat"
            Exact search, a graph, compressed codes, or what suits so many rows.
        progress : bool or callable, optional
            As for `penult.extract`; of building what is not flat.

        Returns
        -------
        Index
            In memory.

        Raises
        ------
        SearchError
            If there are no rows, or some cannot be searched: NaN or infinite numbers, or nothing
            but zeros, which has no cosine. Names their ids.
        UsageError
            If the ids are not as many as the rows or one is there twice, or if there are too few
            rows for that kind.
        """
        own = rows if isinstance(rows, Features) else None
        if own is not None and ids is not None:
            raise UsageError("features have their ids; leave ids out")
        matrix = as_rows(rows) if own is None else own.features
        names = required_ids(ids, len(matrix)) if own is None else own.ids
        _require_choice("metric", metric, ("cosine", "euclidean"))
        _require_choice("kind", kind, ("auto", "flat", "hnsw", "ivfpq"))
        if 0 in matrix.shape:
            raise SearchError("there are no rows to search")
        matrix = held(matrix)
        lengths = require_searchable(matrix, names, metric, "" if own is None else _named(own))
        chosen, why = choose_kind(matrix) if kind == "auto" else (kind, "")
        made = cls(
            rows=matrix,
            ids=names,
            metric=metric,
            features=own,
            lengths=lengths,
            why=why,
            made_of=() if own is None else (own,),
        )
        with following(progress) as tell:
            return made._built(chosen, tell)

    @classmethod
    def open(cls, path: str | Path, *, in_memory: bool = False) -> Index:
        """Open an index on disk.

        Its rows stay there and are mapped into memory, so that they are read where a search needs
        them. It needs no other file; but where the feature files that it was made of are still
        where they were, they have to be unchanged.

        Parameters
        ----------
        path : path
            A file that `Index.save` or `penult.index` wrote.
        in_memory : bool, default=False
            Read it as a whole, where a quarter of the free memory holds it, so that it may be
            overwritten or cut off meanwhile: a process that reads a mapped file which has become
            shorter is killed.

        Returns
        -------
        Index

        Raises
        ------
        PathNotFoundError
            If there is no such file.
        WrongFileError
            If it is a folder, or a file of another kind.
        IndexFileError
            If it is damaged, or newer than this penult; or if its features have changed since, with
            the command that builds it anew.
        """
        index, stale = cls._opened(path, in_memory=in_memory)
        if stale:
            raise IndexFileError(f"{index.file} is stale: {stale}")
        return index

    @classmethod
    def _opened(cls, path: str | Path, *, in_memory: bool = False) -> tuple[Index, str]:
        """Open an index; also say how it is stale, which is empty where it is not."""
        found = _path(path)
        parts = read_index(found, in_memory=in_memory)
        sources = tuple(one.seen_from_here(found.parent) for one in parts.sources)
        index = cls(**{**vars(parts), "sources": sources}, file=found)
        options = {"kind": "auto" if index.why else index.kind, "metric": index.metric}
        return index, staleness(found, index.sources, index.recipe, options, index.removed)

    def save(
        self, path: str | Path, *, overwrite: bool = False, progress: ShowProgress = None
    ) -> None:
        """Write the index to one file, whole or not at all.

        Parameters
        ----------
        path : path
            The file, by custom ``.index``. It may be the one that this index was opened from, which
            is replaced when the new one is complete.
        overwrite : bool, default=False
            Replace the file if it exists.
        progress : bool or callable, optional
            As for `penult.extract`.

        Raises
        ------
        OutputExistsError, OutputError
            If it cannot be written.
        FileFormatError
            If its recipe has a projection whose arrays are not at hand.
        """
        with following(progress) as tell:
            self._write(_path(path), overwrite, tell, None)

    def _write(self, target: Path, overwrite: bool, tell: Tell, was: os.stat_result | None) -> None:
        check_output(target, overwrite=overwrite, output=INDEX)
        new = (source_of(one) for one in self.made_of)
        every = [*self.sources, *(one for one in new if one is not None)]
        sources = tuple({(one.file, one.layer): one for one in every}.values())
        changed = replace(self, sources=sources, stored_likeness=self.likeness)
        write_index(target, changed, overwrite=overwrite, tell=tell, was=was)

    def add(
        self,
        rows: Features | Any,
        ids: Sequence[str] | None = None,
        *,
        restore: bool = False,
        progress: ShowProgress = None,
    ) -> Index:
        """Make an index with further rows; this one stays as it is.

        Rows of images that it has are left out, and so are rows that were removed from it.

        Parameters
        ----------
        rows : Features or float array, shape (n, D)
            Features of the same recipe, where the index was made of features.
        ids : sequence of str, length n, optional
            Of an array.
        restore : bool, default=False
            Add rows that were removed before, too.
        progress : bool or callable, optional
            As for `penult.extract`.

        Returns
        -------
        Index
            In memory; `save` writes it. Its `notes` say what was left out.

        Raises
        ------
        RecipeMismatchError
            If the features are of another recipe.
        SearchError
            If an id belongs to another image here, or rows cannot be searched.
        UsageError
            If one has features and the other has not, or rows are of another length.
        """
        more = rows if isinstance(rows, Features) else None
        if (more is None) != (self.features is None):
            has, given = ("features", "an array") if more is None else ("an array", "features")
            raise UsageError(f"the index was made of {has}, and {given} cannot be added to it")
        matrix = as_rows(rows) if more is None else more.features
        names = required_ids(ids, len(matrix)) if more is None else more.ids
        named = _named(more)
        if more is not None:
            assert self.features is not None
            mine = self.features.recipe
            require_equal(more.recipe, mine, name=named, other_name=self._named)
        if matrix.shape[1:] != self.rows.shape[1:]:
            raise UsageError(
                f"{named} has rows of {times(matrix.shape[1:])} numbers, {self._named} rows of "
                f"{times(self.rows.shape[1:])}"
            )
        contents = [None if of is None else of.content for of in (self.features, more)]
        new = new_places(
            (self.ids, self.rows, contents[0]),
            (names, matrix, contents[1]),
            named,
            index=self._named,
        )
        gone = {*map(str, self.removed)}
        again = np.array([str(names[k]) in gone for k in new.tolist()], bool)
        wanted = new if restore else new[~again]
        notes = [f"{count(len(wanted), 'row')} of {named} {_was(len(wanted))} added"]
        if there := len(names) - len(new):
            notes.append(
                f"{count(there, 'row')} {_was(there)} left out, being in the index already"
            )
        if not restore and again.any():
            back = int(again.sum())
            notes.append(
                f"{count(back, 'row')} {_was(back)} left out, since {_rows_of(back)} removed "
                f"before; {option('restore', True)} adds them"
            )
        if not len(wanted):
            return replace(self, notes=(*self.notes, *notes), made_of=self._made_of(more))
        piece = GluedRows([Piece(matrix, wanted)])
        new_ids = kept_texts(names, wanted)
        lengths = require_searchable(piece, new_ids, self.metric, "" if more is None else named)
        glued = GluedRows([Piece(self.rows), Piece(matrix, wanted)])
        features = None
        if more is not None and self.features is not None:
            features = stacked([self.features, kept_features(more, piece, wanted)], glued)
        added = {*new_ids} if restore else set()
        made = replace(
            self,
            rows=glued,
            ids=joined_texts(self.ids, new_ids),
            features=features,
            why=self._why(glued),
            lengths=np.concatenate([self.lengths, lengths]),
            removed=tuple(one for one in map(str, self.removed) if one not in added),
            stored_likeness=None,
            file=None,
            notes=(*self.notes, *notes),
            made_of=self._made_of(more),
        )
        with following(progress) as tell:
            if self.structure is None:
                return made
            if len(wanted) > len(self):  # the structure was fitted on others
                return made._built(self.kind, tell)
            new = np.arange(len(self), len(glued))
            return made._completed(self.structure, held_out(new), new, tell)

    def remove(self, ids: Sequence[str], *, progress: ShowProgress = None) -> Index:
        """Make an index without some rows; this one stays as it is.

        Parameters
        ----------
        ids : sequence of str
            Of the rows, or globs, such as ``daisy/*``; an id that looks like a glob is that id.
        progress : bool or callable, optional
            As for `penult.extract`.

        Returns
        -------
        Index
            In memory; `save` writes it. What is removed is in it no more, and `add` leaves it out
            unless asked to restore it.

        Raises
        ------
        UnknownNameError
            If there is no row of an id.
        UsageError
            If a glob matches none, if rows were removed before, or if no row would be left.
        """
        names = [ids] if isinstance(ids, str) else [str(one) for one in ids]
        places = np.array(positions(names, self.ids), np.int64)
        kept = np.ones(len(self), bool)
        kept[places[places >= 0]] = False
        for name, place in zip(names, places.tolist(), strict=True):
            if place < 0:
                kept &= ~self._like(name)
        left = np.flatnonzero(kept)
        if not len(left):
            raise UsageError(f"no row would be left in {self._named}; build another one instead")
        rows = GluedRows([Piece(self.rows, left)])
        gone = [str(self.ids[place]) for place in np.flatnonzero(~kept).tolist()]
        made = replace(
            self,
            rows=rows,
            ids=kept_texts(self.ids, left),
            features=None if self.features is None else kept_features(self.features, rows, left),
            why=self._why(rows),
            lengths=self.lengths[left],
            removed=(*map(str, self.removed), *gone),
            stored_likeness=None,
            file=None,
            notes=(*self.notes, f"{count(len(gone), 'row')} {_was(len(gone))} removed"),
        )
        if self.structure is None:
            return made
        structure = self.structure.without(kept)
        made = replace(made, structure=structure)
        with following(progress) as tell:
            if structure.wasted > _WASTED:
                return made._built(self.kind, tell)
            return made

    def of_kind(
        self,
        kind: Literal["flat", "hnsw", "ivfpq"],
        *,
        progress: ShowProgress = None,
    ) -> Index:
        """Make an index of the same rows that searches otherwise.

        Parameters
        ----------
        kind : {"flat", "hnsw", "ivfpq"}
            As for `of`.
        progress : bool or callable, optional
            As for `penult.extract`.

        Returns
        -------
        Index
            In memory.

        Raises
        ------
        UsageError
            If there are too few rows for that kind.
        """
        _require_choice("kind", kind, ("flat", "hnsw", "ivfpq"))
        made = replace(self, why="", file=None)
        with following(progress) as tell:
            return made._built(kind, tell)

    def search(
        self,
        queries: Any,
        k: int = 5,
        *,
        leave_out: NDArray[np.int64] | None = None,
        allowed: NDArray[np.bool_] | None = None,
    ) -> Neighbors:
        """Find the k nearest rows of each query.

        Equal values are ordered by the digests of the images, or of the rows where there are none;
        then by place.

        Parameters
        ----------
        queries : float array, shape (Q, D) or (Q, …), or (D,) for one
            Rows made as those of the index.
        k : int, default=5
            At least 1; it may be more than there are rows.
        leave_out : int array, shape (Q,), optional
            The place of a row that the query may not find, which is itself; -1 for none.
        allowed : bool array, shape (N,), optional
            Which rows may be found at all.

        Returns
        -------
        Neighbors
            Of Q rows, those found with their ids. Values are worked out in float64, those of equal
            rows being exactly 1, or 0.

        Raises
        ------
        UsageError
            If an argument is of another shape or type.
        SearchError
            If a query has another length, holds what is no number, or is all zeros and has no
            cosine.
        """
        asked = self._asked(queries)
        wanted = whole(k)
        if wanted > max(len(self), _MOST_PLACES):
            rows = count(len(self), "row")
            raise UsageError(f"k is {wanted}; the index has {rows}: give no more than that")
        own = column("leave_out", leave_out, len(asked), np.int64, "a place for each query")
        if own is not None and len(own) and not -1 <= own.min() <= own.max() < len(self):
            raise UsageError(f"leave_out has places from {own.min()} to {own.max()}")
        may = column("allowed", allowed, len(self), np.bool_, "True or False for each row")
        options: dict[str, Any] = {
            "metric": self.metric,
            "lengths": self.lengths,
            "rank": self.ranks,
            "leave_out": own,
            "allowed": may,
        }
        # An index from elsewhere may hold rows of what is no number, which are near to nothing.
        with np.errstate(invalid="ignore", over="ignore"):
            if self.structure is None or self.effort is None or not has_faiss():
                found = exact_among(self.rows, asked, wanted, **options)
            else:
                found = likely_nearest(
                    self.rows, self.structure, self.effort, asked, wanted, **options
                )
        return replace(
            found,
            ids=tuple(
                tuple(str(self.ids[place]) for place in line if place >= 0)
                for line in found.places.tolist()
            ),
        )

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.ids)

    @property
    def kind(self) -> Kind:
        """What finds the rows: "flat", which is exact, "hnsw" or "ivfpq"."""
        return "flat" if self.structure is None else self.structure.kind  # type: ignore[return-value]

    @property
    def recipe(self) -> Recipe | None:
        """How the rows were made, or None of plain arrays."""
        return None if self.features is None else self.features.recipe

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """The order of rows that are equally near, shape (N,)."""
        return ranks_of(self.rows, None if self.features is None else self.features.content)

    @cached_property
    def likeness(self) -> Likeness | None:
        """What tells rows like these from others, as it was stored, or computed from the rows.

        Its `threshold` is the cosine to the fifth nearest of some of these rows that about one in a
        hundred new rows like these lies below. None of plain arrays, and of fewer than six images.
        """
        if self.stored_likeness is not None or self.features is None:
            return self.stored_likeness
        return likeness_of(self.features, self.rows)

    @property
    def lines(self) -> tuple[str, ...]:
        """What is known of how it searches, a line each."""
        lines = [f"{self.kind}: {self.why}"] if self.why else []
        if self.recall is not None:
            near, asked = count(self.recall.k, "nearest row", "nearest rows"), self.recall.queries
            lines.append(
                f"finds {percent(self.recall.value)} of the {near} that exact search finds, "
                f"measured for {count(asked, 'row')} (recall@{self.recall.k})"
            )
            if self.recall.value < ENOUGH:
                lines.append(
                    f"that is less than {percent(ENOUGH)}: {option('kind', 'flat')} finds all"
                )
        elif self.structure is not None:
            lines.append(
                f"how much it finds is not known: it is measured where there are {LEAST_ROWS} rows "
                "or more"
            )
        return (*lines, *self.notes)

    def __repr__(self) -> str:
        return one_line("Index", self._facts())

    def _repr_html_(self) -> str:
        return html_table("Index", [*self._facts(), *((" ", line) for line in self.lines)])

    def _facts(self) -> list[tuple[str, str | None]]:
        shape = f"{times(self.rows.shape[1:])} {self.rows.dtype}"
        return [
            ("rows", f"{count(len(self), 'row')} of {shape}"),
            ("kind", self.kind),
            ("metric", self.metric),
            ("recipe", None if self.recipe is None else self.recipe.network),
        ]

    def __reduce__(self) -> Any:
        if self.file is not None:  # the rows stay there
            return Index.open, (self.file.resolve(),)
        return partial(
            Index, **{name: getattr(self, name) for name in self.__dataclass_fields__}
        ), ()

    @property
    def _named(self) -> str:
        """What messages call it."""
        return "the index" if self.file is None else str(self.file)

    def _why(self, rows: Rows) -> str:
        """Why its kind suits other rows, if it was chosen; where it does not, which one would."""
        if not self.why:
            return ""
        kind, why = choose_kind(rows)
        return why if kind == self.kind else f"{option('kind', kind)} would suit it by now: {why}"

    def _like(self, name: str) -> NDArray[np.bool_]:
        """Which rows are meant by what is no id here: those that a glob matches."""
        gone = [one for one in map(str, self.removed) if one == name or fnmatchcase(one, name)]
        try:
            if is_glob(name):
                return ids_like(name, self.ids, self._named)
            known = [str(one) for one in self.ids]
            some = ", ".join(known[:_NAMED])
            hint = f"ids are e.g. {some}; 'a/*' stands for all that begin with a/"
            raise UnknownNameError(f"id in {self._named}", name, known, hint)
        except UsageError as error:
            if not gone:
                raise
            rows = listed(gone, 5)
            raise UsageError(
                f"{rows} {_was(len(gone))} removed from {self._named} before"
            ) from error

    def _made_of(self, more: Features | None) -> tuple[Features, ...]:
        return self.made_of if more is None else (*self.made_of, more)

    def _built(self, kind: Kind, tell: Tell) -> Index:
        """The same with a structure of that kind, and what it finds measured."""
        if kind == "flat":
            return replace(self, structure=None, effort=None, recall=None)
        every = np.arange(len(self))
        held = held_out(every)
        built = build_structure(kind, self.rows, self.metric, held, tell)
        return replace(self, effort=None)._completed(built, held, held, lambda _: None)

    def _completed(
        self, structure: Structure, held: NDArray[np.int64], new: NDArray[np.int64], tell: Tell
    ) -> Index:
        """Measure what a structure finds of rows that it has not, and add them to it."""
        effort, recall = self.effort, self.recall
        if len(held) or effort is None:
            others = np.ones(len(self), bool)
            others[new] = False
            effort, recall = measured_effort(
                self.rows, structure, held, others, self.metric, self.lengths, self.ranks
            )
        whole = extended(structure, self.rows, new, tell)
        return replace(self, structure=whole, effort=effort, recall=recall)

    def _asked(self, queries: Any) -> NDArray[Any]:
        photos = queries if isinstance(queries, list | tuple) else [queries]
        if any(isinstance(one, str | PathLike) for one in photos):
            raise UsageError(
                "queries are rows here, an array of numbers; photos are searched for with "
                "penult.search(index, photos)"
            )
        asked = queries if hasattr(queries, "shape") else numbers(queries, "queries")
        if asked.shape == self.rows.shape[1:] or asked.ndim == 1:
            asked = np.asarray(asked)[None]
        width = row_length(self.rows)
        if asked.ndim < 2 or row_length(asked) != width:
            raise SearchError(
                f"queries are an array of shape {tuple(asked.shape)}; the rows of the index have "
                f"{count(width, 'number')} each"
            )
        asked = as_rows(asked, "queries", none=True)
        if len(asked):
            require_searchable(asked, None, self.metric, "queries")
        return np.asarray(asked[:])


def replace_changed(index: Index, path: Path, was: os.stat_result) -> None:
    """Write an index in the place of the one that it was made of, if that is still the same.

    Parameters
    ----------
    path : Path
        The file that was opened.
    was : os.stat_result
        Its state before it was opened.

    Raises
    ------
    OutputError
        If another run changed it meanwhile, whose changes would be lost; or if it cannot be
        written.
    """
    with following(None) as tell:
        index._write(path, True, tell, was)


def _require_choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise UnknownNameError(name, value, allowed)


def _rows_of(number: int) -> str:
    return "a row of its id was" if number == 1 else "rows of their ids were"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


@checked
def _path(path: str | Path) -> Path:
    return Path(path)


def _named(features: Features | None) -> str:
    if features is None:
        return "the array"
    return getattr(features.features, "named", "") or f"the features of {features.recipe.network}"
