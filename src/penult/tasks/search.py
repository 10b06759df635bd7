"""Rows near to photos, to rows of the gallery, or to those of another file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.addresses import unfolded
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.errors import ImageError, PathNotFoundError, PenultError, SearchError, UsageError
from penult.extractor import EngineOptions, ExtractorSpec, ReadingOptions, RecipeRows
from penult.features.places import is_feature_file
from penult.images.in_memory import are_in_memory, as_records, without_iterator
from penult.images.listing import as_sources, list_images
from penult.images.notes import log_listing_messages, log_without_result
from penult.interface import command, option
from penult.output import check_output
from penult.passwords import without_password
from penult.progress import ShowProgress, announcing, following, shown
from penult.records import Failure, Features, Progress, SearchResult, SearchResults
from penult.retrieve.index import Index
from penult.retrieve.index_file.container import is_index_file
from penult.retrieve.search.answer import Search
from penult.retrieve.search.opening import is_gallery, open_gallery
from penult.retrieve.search.queries import (
    QueryBatch,
    are_rows,
    features_of_file,
    given_rows,
    of_features,
    of_ids,
    of_photos,
    of_rows,
)
from penult.retrieve.search.table import to_file
from penult.suffixes import PREDICTIONS

if TYPE_CHECKING:
    from penult.records import ImageRecord
    from penult.records.neighbors import Metric
    from penult.reporting.contact_sheet import ContactSheet
    from penult.retrieve.search.searched import Searched

__all__ = ["Prepared", "prepare", "search"]


@checked
def search(
    gallery: Features | Index | str | Path,
    queries: str | Path | Features | Iterable[Any] | None = None,
    output: str | Path | None = None,
    *,
    id: str | Sequence[str] | None = None,
    k: int = 5,
    metric: Literal["cosine", "euclidean"] | None = None,
    filter: str | Sequence[str] | None = None,
    layer: str | None = None,
    vote: bool = False,
    contact_sheet: str | Path | None = None,
    images: str | Path | Sequence[str | Path] | None = None,
    weights: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    on_error: Literal["skip", "fail"] = "skip",
    overwrite: bool = False,
    escape_formulas: bool = False,
    progress: ShowProgress = None,
    on_listing: Callable[[Mapping[str, Any]], None] | None = None,
) -> SearchResults:
    """Find the rows of a gallery that are nearest to photos, or to rows.

    A query that is in the gallery does not find itself, and has its k hits all the same; see
    docs/search.md for how it is known.

    Parameters
    ----------
    gallery : Features, Index, path or address
        What is searched: a feature file, an index, either in memory, or the address of a table in a
        database that `penult.push` filled, such as ``"postgresql://USER@HOST/DB?table=flowers"``.
    queries : path, address, Features, array, or list, optional
        What to search for. Photos, as for `Classifier.predict`, become rows by the gallery's own
        recipe; a feature file, or Features, of that recipe; or a float array of rows, shape
        (Q, D).
    output : path, optional
        A .csv or .jsonl file to write the hits to, and which queries could not be answered; whole
        or not at all, the same as the command writes.
    id : str or sequence of str, optional
        Rows of the gallery to search for, by their ids, not by globs; they come before
        `queries`.
    k : int, default=5
        How many rows to find for each query. Where there are fewer, all are found.
    metric : {"cosine", "euclidean"}, optional
        What is near: the cosine of two rows, 1 for the same direction, larger is nearer; or their
        Euclidean distance, 0 for equal rows, smaller is nearer. That of an index is its own, by
        default; of features, cosine.
    filter : str or sequence of str, optional
        Which rows may be found: ``"label=chair"``, ``"split=train"``, ``"group=7"``, or
        ``"id=daisy/*"``, where the id may be a glob; or, with ``!=`` in place of ``=``, which may
        not. Several of one key are alternatives; those of different keys, and those with
        ``!=``, all have to hold.
    layer : str, optional
        Which set of rows of a feature file to search; the last by default.
    vote : bool, default=False
        Whether the rows found vote for a label, each with the inverse of its distance, which is
        1 - cosine where that is the metric: scikit-learn's ``KNeighborsClassifier`` of
        ``weights="distance"``. Rows without a label do not vote; of labels with equally many votes,
        that of the nearest row wins.
    contact_sheet : path, optional
        A .png file to draw: each query with its hits.
    images : path, str or sequence of them, optional
        Where the images of the gallery are now, if they have moved; for the contact sheet.
    weights : path or sequence of paths, optional
        Where the backbone's weights file is now, if not where it was; of several, those that
        moved.
    offline : bool, default=False
        Never touch the network.
    engine : str, default="auto"
        What runs the network.
    device : str, default="auto"
        What it runs on.
    batch_size : int, optional
        Images a call of the engine; chosen from the machine by default.
    workers : int, optional
        Decoding threads; chosen from the machine by default.
    on_error : {"skip", "fail"}, default="skip"
        ``"fail"`` stops at the first query that cannot be answered.
    overwrite : bool, default=False
        Replace `output` and `contact_sheet` if they exist.
    escape_formulas : bool, default=False
        In CSV, put an apostrophe before names that a spreadsheet would run.
    progress : bool or callable, optional
        As for `penult.extract`.
    on_listing : callable, optional
        Called once with what was found beside the images, which is logged by default.

    Returns
    -------
    SearchResults
        A list of `SearchResult`, one for each query that became a row: those of `id` first, photos
        in the order of their ids, and rows in theirs. The other queries are its ``failures``.

    Raises
    ------
    UsageError
        If there is nothing to search for, or what was given does not fit the gallery.
    UnknownNameError
        If the gallery has no such id, label, split or group; names those like it.
    DatabaseError
        If a database cannot be reached, or has no such table.
    RecipeMismatchError
        If rows were made otherwise than the gallery's, or the backbone on this machine is not the
        one that made them; says where they differ.
    ImageError, SearchError
        If an image in memory cannot be read; with `on_error` "fail", if any query cannot be
        answered. If rows of the gallery cannot be searched.
    SourceError, BackboneError, EngineError
        If photos or the network cannot be had.
    PathNotFoundError, FeatureFileError, IndexFileError, OutputExistsError, OutputError
        If a file cannot be read or written.
    """
    ready = prepare(
        gallery,
        queries,
        output=output,
        id=id,
        k=k,
        metric=metric,
        filter=filter,
        layer=layer,
        vote=vote,
        contact_sheet=contact_sheet,
        images=images,
        weights=weights,
        offline=offline,
        engine=engine,
        device=device,
        batch_size=batch_size,
        workers=workers,
        on_error=on_error,
        overwrite=overwrite,
        progress=progress,
        on_listing=on_listing,
    )
    good: list[SearchResult] = []
    failures: list[Failure] = []
    written = (
        nullcontext(lambda _: None)
        if output is None
        else to_file(
            Path(output),
            overwrite=overwrite,
            inputs=ready.inputs,
            escape_formulas=escape_formulas,
            **ready.columns,
        )
    )
    with closing(ready.gallery), written as write:
        for outcome in ready.outcomes():
            write(outcome)
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                good.append(outcome)
    log_without_result(
        failures, total=len(failures) + len(good), noun=("query", "queries"), verb="answered"
    )
    return SearchResults(good, failures, ready.gallery.metric)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A search whose options are checked: nothing was read of its queries but what they are.

    Attributes
    ----------
    gallery : Searched
        To be closed by whoever asked for it.
    searches : Search
    batches : callable
        From what is told of progress to the queries, a batch at a time.
    total : int
        How many queries there are.
    progress : bool or callable, optional
    stops : bool
        Whether a query that cannot be answered ends it.
    columns : mapping
        For `penult.retrieve.search.table.to_file`.
    inputs : sequence of Path
        The files that are read, which no output may replace.
    sheet : ContactSheet or None
        What is drawn of it.
    """

    gallery: Searched
    searches: Search
    batches: Callable[[_Count], Iterator[QueryBatch]]
    total: int
    progress: ShowProgress
    stops: bool
    columns: Mapping[str, Any]
    inputs: Sequence[Path]
    sheet: ContactSheet | None = None

    def outcomes(self) -> Iterator[SearchResult | Failure]:
        """Answer one query after the other; the contact sheet is drawn at the end.

        Raises
        ------
        SearchError
            At the first query that cannot be answered, if it is to stop there.
        """
        with shown(self.progress) as tell:
            counted = _Count(tell, self.total)
            with announcing(tell):
                batches = self.batches(counted)
            for answer in self.searches.answers(batches):
                if isinstance(answer, Failure):
                    if self.stops:
                        raise SearchError(f"{answer.id}: {answer.reason}")
                    yield answer
                    continue
                if self.sheet is not None:
                    self.sheet.add(answer)
                yield answer.result
        if self.sheet is not None:
            self.sheet.write()


class _Count:
    """Tells how many queries became rows."""

    def __init__(self, tell: Callable[[Progress], None], total: int) -> None:
        self._tell = tell
        self._now = Progress(0, total, 0, stage="search", unit="queries")
        tell(self._now)

    def __call__(self, done: int, failed: int = 0) -> None:
        now = self._now
        self._now = replace(now, done=now.done + done, failed=now.failed + failed)
        self._tell(self._now)

    def each(self, batches: Iterable[QueryBatch]) -> Iterator[QueryBatch]:
        """Count queries that are rows already."""
        for batch in batches:
            yield batch
            self(len(batch.outcomes))


def prepare(
    gallery: Features | Index | str | Path,
    queries: str | Path | Features | Iterable[Any] | None = None,
    *,
    output: str | Path | None = None,
    id: str | Sequence[str] | None = None,
    k: int = 5,
    metric: Metric | None = None,
    filter: str | Sequence[str] | None = None,
    layer: str | None = None,
    vote: bool = False,
    contact_sheet: str | Path | None = None,
    images: str | Path | Sequence[str | Path] | None = None,
    weights: str | Path | Sequence[str | Path] | None = None,
    offline: bool = False,
    engine: str = "auto",
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    on_error: Literal["skip", "fail"] = "skip",
    overwrite: bool = False,
    progress: ShowProgress = None,
    on_listing: Callable[[Mapping[str, Any]], None] | None = None,
) -> Prepared:
    """Check all that is asked of a search, and find out what is searched for; see `search`."""
    if output is not None:
        check_output(Path(output), overwrite=overwrite, output=PREDICTIONS)
    _refuse_swapped(gallery, queries)
    if images is not None and contact_sheet is None:
        raise UsageError(
            f"{option('images')} says where the pictures of a contact sheet are; give "
            f"{option('contact_sheet', 'near.png')}, too"
        )
    queries = without_iterator(queries)
    ids, nothing = _texts(id), isinstance(queries, list | tuple) and not queries
    if (queries is None or nothing) and not ids:
        raise UsageError(
            f"nothing to search for was given; give photos, a feature file, or {option('id', 'ID')}"
        )
    given = are_rows(queries) or are_in_memory(queries)
    if not (queries is None or isinstance(queries, Features) or given):
        as_sources(queries)  # refuses what is no image, before a file is opened
    with following(progress):  # of a feature file, all rows are read
        opened = open_gallery(gallery, layer=layer, metric=metric, offline=offline)
    with ExitStack() as unused:
        unused.callback(opened.close)
        searches = Search(opened, k=k, filters=_texts(filter), vote=vote)
        found = _Queries(0, lambda _: iter(()))
        if queries is not None and not nothing:
            rows = _rows_of(opened, queries)
            if rows is None:
                spec = ExtractorSpec(
                    rows=RecipeRows((opened.recipe,), opened.name),
                    weights=WeightsChoice.moved(weights, offline=offline),
                    engine=EngineOptions(engine=engine, device=device, batch_size=batch_size),
                    reading=ReadingOptions(workers=workers, on_error=on_error),
                )
                rows = _photos(opened, queries, spec, on_listing or log_listing_messages)
            found = rows
        own = of_ids(opened, ids)
        rest = found.batches
        inputs = [one for one in (opened.path, *found.inputs) if one is not None]
        sheet = None
        if contact_sheet is not None:
            from penult.reporting.contact_sheet import ContactSheet

            sheet = ContactSheet(
                Path(contact_sheet),
                opened,
                offline=offline,
                overwrite=overwrite,
                inputs=inputs,
                images=images,
            )
        unused.pop_all()
    return Prepared(
        gallery=opened,
        searches=searches,
        batches=lambda counted: chain(counted.each(own), rest(counted)),
        total=len(ids) + found.total,
        progress=progress,
        stops=on_error == "fail",
        columns={"metric": opened.metric, "several": opened.is_multilabel, "vote": vote},
        inputs=inputs,
        sheet=sheet,
    )


@dataclass(frozen=True)
class _Queries:
    """What is searched for besides ids: how many there are, and their rows once they are wanted."""

    total: int
    batches: Callable[[_Count], Iterator[QueryBatch]]
    inputs: Sequence[Path] = ()


def _texts(given: str | Sequence[str] | None) -> list[str]:
    return [given] if isinstance(given, str) else [*(given or ())]


def _rows_of(gallery: Searched, queries: Any) -> _Queries | None:
    """Queries that are rows; None of photos."""
    if are_rows(queries):
        rows = given_rows(gallery, queries)
        return _Queries(len(rows), lambda counted: counted.each(of_rows(rows)))
    if isinstance(queries, Features):
        batches = of_features(gallery, queries)
        return _Queries(len(queries), lambda counted: counted.each(batches))
    if are_in_memory(queries):
        return None
    paths = [one for one in as_sources(queries) if isinstance(one, Path)]
    if indexes := [path for path in paths if is_index_file(path)]:
        raise UsageError(
            f"{indexes[0]} is an index, which is searched and not searched for; give photos, a "
            f"feature file, or rows of the gallery by {option('id', 'ID')}"
        )
    files = [Path(str(one)) for one in as_sources(queries) if is_feature_file(one)]
    if not files:
        return None
    if len(files) < len(as_sources(queries)) or len(files) > 1:
        raise UsageError(
            f"{files[0]} holds rows; search for those of one file at a time, and for photos apart"
        )
    features = features_of_file(gallery, files[0])
    if gallery.path is not None and _is_same(gallery.path, files[0]):
        features = gallery.features_of(()) or features
    batches = of_features(gallery, features, name=unfolded(files[0]))
    return _Queries(len(features), lambda counted: counted.each(batches), files)


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)  # neither is at an address


def _photos(
    gallery: Searched,
    images: Any,
    spec: ExtractorSpec,
    on_listing: Callable[[Mapping[str, Any]], None],
) -> _Queries:
    records: Sequence[ImageRecord]
    failures: Sequence[Failure] = ()
    readers, inputs = None, []
    if are_in_memory(images):
        records = as_records(images)
    else:
        sources = as_sources(images)
        # A folder that has the name of a label tells which hits are right; nothing else of it is
        # used, and what is no image of the gallery's has no split.
        try:
            listing = list_images(sources, splits="none", offline=spec.weights.offline)
        except PathNotFoundError as error:
            if not _is_id(gallery, text := str(sources[0])):
                raise
            given = option("id", text)
            raise PathNotFoundError(
                f"{error}; {gallery.name} has an image of that id: give {given}"
            ) from None
        records, failures, readers = listing.records, listing.failures, listing.readers
        inputs = [one for one in sources if isinstance(one, Path)]
        on_listing(listing.notes_without_splits)

    def batches(counted: _Count) -> Iterator[QueryBatch]:
        extractor = spec.shared()
        # What is wrong with it is said before any image is read.
        _ = extractor.engine_for(len(records))
        if failures and spec.reading.on_error == "fail":
            raise ImageError(f"{failures[0].id}: {failures[0].reason}")

        def each() -> Iterator[QueryBatch]:
            if failures:
                counted(len(failures), len(failures))
                yield QueryBatch.failed(failures)
            yield from of_photos(
                gallery,
                extractor,
                records,
                readers=readers,
                # Results of images in memory are told apart by their places.
                stop_on_error=are_in_memory(images) or None,
                on_block=counted,
            )

        return each()

    return _Queries(len(records) + len(failures), batches, inputs)


def _is_id(gallery: Searched, text: str) -> bool:
    try:
        gallery.require([text])
    except PenultError:
        return False
    return True


def _refuse_swapped(gallery: Any, queries: Any) -> None:
    """Refuse photos in the place of the gallery, and the gallery in theirs; says what to type."""
    if not isinstance(gallery, str | Path) or is_gallery(gallery):
        return
    given = queries if isinstance(queries, list | tuple) else [queries]
    for one in given:
        if isinstance(one, str | Path) and is_gallery(one):
            right = command("search", without_password(str(one)), str(gallery))
            raise UsageError(f"the gallery comes first, and then what is searched for: {right}")
