"""A summary of the rows of a feature file: numbers, and a picture of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from penult.checking import checked
from penult.errors import UsageError
from penult.explore.summary.measure import make_summary, require_sample
from penult.features.read import one_set
from penult.output import check_output
from penult.progress import ShowProgress, following
from penult.records import Features, Summary
from penult.suffixes import FIGURE

__all__ = ["summarize"]


@checked
def summarize(
    features: Features | str | Path,
    output: str | Path | Sequence[str | Path] | None = None,
    *,
    layer: str | None = None,
    metric: Literal["cosine", "euclidean"] = "cosine",
    sample: int = 10_000,
    seed: int = 0,
    overwrite: bool = False,
    progress: ShowProgress = None,
) -> Summary:
    """Say what rows are like, in numbers: dead dimensions, norms, ranks, distances, hubs.

    Rows are read a block at a time, so there may be any number of them. Neighbours and distances
    are those of a bounded part: all rows, or a random sample. See docs/summarize.md.

    Parameters
    ----------
    features : Features or path
        The feature file, or rows; those of more axes are flattened.
    output : path, or several, optional
        What to write: a picture of the spectrum, norms, distances and k-occurrences, ``.png`` or
        ``.svg``.
    layer : str, optional
        Which of the file's layers; the last by default.
    metric : {"cosine", "euclidean"}, default="cosine"
        By which neighbours are near and pairs far.
    sample : int, default=10000
        Rows among which neighbours are found, at most; copies of others are not among them. Pairs
        are those of 2,000 of these.
    seed : int, default=0
        Of the sample.
    overwrite : bool, default=False
        Replace what is written if it exists.
    progress : bool or callable, optional
        As for `penult.extract`.

    Returns
    -------
    Summary
        The numbers; ``table()`` has a sentence for each, and ``to_dataframe()`` the statistics of
        each number of a feature vector.

    Raises
    ------
    UsageError
        If there are fewer than two rows, or the sample is too small.
    UnknownNameError
        If there is no such layer.
    TrainingError
        If rows hold NaN or infinite numbers.
    PathNotFoundError, WrongFileError, FeatureFileError
        If the features cannot be read.
    OutputExistsError, OutputError
        If something cannot be written.
    """
    require_sample(sample, seed)
    several = [] if output is None else [output] if isinstance(output, str | Path) else output
    targets = [Path(one) for one in several]
    inputs = [] if isinstance(features, Features) else [Path(features)]
    for k, target in enumerate(targets):
        if target.absolute() in [other.absolute() for other in targets[:k]]:
            raise UsageError(f"{target} is given twice; give each output once")
        check_output(target, overwrite=overwrite, inputs=inputs, output=FIGURE)
    rows = one_set(features, layer)
    with following(progress) as tell:
        made = make_summary(rows, metric=metric, sample=sample, seed=seed, tell=tell)
        made = replace(made, picture=_in_notebook)
        for target in targets:
            from penult.reporting.figures.summary import write_summary_figure

            write_summary_figure(made, target, overwrite=overwrite)
    return made


def _in_notebook(summary: Summary) -> str:
    from penult.reporting.figures.summary import summary_as_html

    return summary_as_html(summary)
