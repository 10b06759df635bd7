"""How well a search finds what is relevant, on rows whose labels are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from penult.addresses import unfolded
from penult.checking import checked
from penult.errors import UsageError
from penult.features.read import load_of_recipe, one_set
from penult.interface import option
from penult.partition.near_duplicates import require_cosine
from penult.progress import ShowProgress, following
from penult.recipe.comparison import require_equal
from penult.records import Features, SearchScores
from penult.representation import what_given
from penult.retrieve.evaluation.labelled_rows import LabelledRows
from penult.retrieve.evaluation.protocol import (
    Trial,
    draw_trials,
    leave_one_out,
    require_k,
    require_two_labels,
    search_apart,
)
from penult.retrieve.evaluation.score import score_search
from penult.wording import count

__all__ = ["evaluate_search"]


@checked
def evaluate_search(
    gallery: Features | str | Path,
    queries: Features | str | Path | None = None,
    *,
    k: int | Sequence[int] = (1, 5, 10),
    test_size: float | None = None,
    runs: int = 1,
    metric: Literal["cosine", "euclidean"] = "cosine",
    near_duplicates: float = 0.95,
    layer: str | None = None,
    seed: int = 0,
    progress: ShowProgress = None,
) -> SearchScores:
    """Score how well a search finds the rows of the query's own label.

    Each query ranks all rows of the gallery but itself. Rows without a label are left out. Queries
    to which no row is relevant are counted, and not scored.

    Parameters
    ----------
    gallery : Features or path
        Rows with labels: the feature file, or rows.
    queries : Features or path, optional
        Other rows, of an equal recipe, that search the gallery; an image that is also there, by its
        id and its digest, does not find itself. By default, each row of the gallery searches all
        others.
    k : int or sequence of int, default=(1, 5, 10)
        Lengths of the lists to score.
    test_size : float, optional
        Part of the gallery that searches the rest, in (0, 1), for example 0.2: of each label its
        share, and no group of rows divided.
    runs : int, default=1
        How often such a part is drawn, with seeds one apart; the scores are means over the queries
        of all runs.
    metric : {"cosine", "euclidean"}, default="cosine"
        By what rows are near.
    near_duplicates : float, default=0.95
        Cosine from which on two rows count as one in the scores ``without_duplicates``.
    layer : str, optional
        Which of the gallery's sets of rows; the last by default.
    seed : int, default=0
        Of the parts drawn, and of the bootstrap of the intervals.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    SearchScores
        Each score with its 95% interval. The formulas are in `docs/evaluate-search.md`.

    Raises
    ------
    UsageError
        If no query has a relevant row, `k` is more than a query can find, or the queries cannot be
        drawn.
    SearchError
        If no row has a label, or all rows of the gallery have the same, which any ranking finds; if
        a row holds NaN or infinite numbers; or if a row is all zeros, which has no cosine.
    RecipeMismatchError
        If the queries were made otherwise than the gallery.
    PathNotFoundError, WrongFileError, FeatureFileError, UnknownNameError
        If a file cannot be read, or has no such layer.
    """
    lengths = _lengths(k)
    require_cosine(near_duplicates)
    if runs < 1 or (runs > 1 and test_size is None):
        part = option("test_size", 0.2)
        raise UsageError(
            f"{option('runs', runs)} was given; give 1 or more, and where it is more, the part of "
            f"the rows to draw in each: {part}"
        )
    if queries is not None and test_size is not None:
        raise UsageError(
            f"{option('test_size')} draws queries from the gallery, and {option('queries')} are "
            "others; give one of them"
        )
    if not 0 <= seed < 2**32 - runs:
        raise UsageError(f"{option('seed', seed)} was given; give a number from 0 to 4294967295")
    searched = one_set(gallery, layer)
    asking = None if queries is None else _of_recipe(queries, searched, _named(gallery))
    with following(progress) as tell:
        rows = LabelledRows.of(searched, asking, metric=metric)
        require_two_labels(rows)
        if asking is not None:
            trials = search_apart(rows)
        elif test_size is None:
            trials = leave_one_out(rows)
        else:
            trials = draw_trials(rows, test_size, runs, seed)
        require_k(lengths, trials)
        scores = score_search(
            rows,
            trials,
            k=lengths,
            metric=metric,
            near_duplicates=near_duplicates,
            seed=seed,
            tell=tell,
        )
    return replace(
        scores,
        protocol=_in_words(trials, test_size, seed, gallery, queries),
        runs=0 if test_size is None else runs,
        sizes=tuple((len(trial.queries), len(trial.gallery)) for trial in trials),
        name=searched.name,
    )


def _lengths(k: int | Sequence[int]) -> tuple[int, ...]:
    given = [k] if isinstance(k, int) else list(k)
    if not given or any(isinstance(one, bool) or one < 1 for one in given):
        raise UsageError(
            f"{option('k')} is {what_given(k)}; give the length of a list, 1 or more, or several"
        )
    return tuple(sorted(set(map(int, given))))


def _named(features: Features | str | Path) -> str:
    return "these features" if isinstance(features, Features) else unfolded(features)


def _of_recipe(queries: Features | str | Path, gallery: Features, name: str) -> Features:
    """The queries' rows of the gallery's recipe, whatever they are called there."""
    found = queries if isinstance(queries, Features) else load_of_recipe(queries, gallery.recipe)
    require_equal(
        gallery.recipe, found.recipe, name=name, other_name=_named(queries), made_again=True
    )
    return found


def _in_words(
    trials: Sequence[Trial],
    test_size: float | None,
    seed: int,
    gallery: Features | str | Path,
    queries: Features | str | Path | None,
) -> str:
    asked, found = len(trials[0].queries), len(trials[0].gallery)
    if queries is not None:
        return (
            f"{count(asked, 'row')} of {_named(queries)} searched {count(found, 'row')} of "
            f"{_named(gallery)}"
        )
    if test_size is None:
        return f"each of {count(found, 'row')} of {_named(gallery)} searched all others"
    times, seeds = "", f"seed {seed}"
    if len(trials) > 1:
        times, seeds = f"{len(trials)} times, ", f"seeds {seed} to {seed + len(trials) - 1}"
    queries_drawn = _least_and_most([len(trial.queries) for trial in trials])
    others = _least_and_most([len(trial.gallery) for trial in trials])
    return (
        f"{times}{queries_drawn} {'row' if queries_drawn == '1' else 'rows'} of {_named(gallery)} "
        f"({100 * test_size:.3g}%, drawn with {seeds}) searched the other {others}"
    )


def _least_and_most(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
