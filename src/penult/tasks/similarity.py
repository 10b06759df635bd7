"""How alike two representations of the same images are, as one number."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.arguments import require_seed
from penult.checking import checked
from penult.errors import UsageError
from penult.records import Features
from penult.representation import short_text, what_given
from penult.similarity.cka import LEAST_ROWS, debiased_cka
from penult.similarity.rows import CenteredRows, RowBlocks, draw_pair
from penult.similarity.rsa import SAMPLE, spearman
from penult.texts import composed
from penult.wording import count, listed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["cka", "rsa"]


@checked
def cka(a: ArrayLike | Features | str | Path, b: ArrayLike | Features | str | Path) -> float:
    """Compute debiased linear CKA of two representations of the same images.

    Centered kernel alignment compares which images are alike in either: 1 where one is the other
    rotated, mirrored, shifted or scaled as a whole, about 0 where they have nothing to do with each
    other, however few the images and however long the rows, for its HSIC is the unbiased one (Song
    et al. 2012, as Nguyen et al. 2021 and Murphy et al. 2024 use it in the CKA of Kornblith et al.
    2019; ``penult.similarity.cka`` has the formula and the references). It may be a little below 0.
    It says nothing about which of the two classifies better.

    No matrix of images by images is held, and rows on disk are read in blocks.

    Parameters
    ----------
    a, b : array, shape (N, D) or (N, …), Features, or path of a feature file
        The representations, with rows of any two lengths; those of more axes are flattened. Rows of
        arrays belong together by their places, those of two Features or files by their ids. Of a
        file with several layers the last is taken; `penult.load` gives the others.

    Returns
    -------
    float
        In [-1, 1]. NaN where in `a` or `b` no two images are more alike than any other two, as
        where all of its rows are the same.

    Raises
    ------
    UsageError
        If there are fewer than 4 rows, they are not of the same images, or hold what is no finite
        number.
    PathNotFoundError, WrongFileError, FeatureFileError
        If a file cannot be read.
    """
    first, second = _matched(a, b)
    return debiased_cka(CenteredRows(first), CenteredRows(second))


@checked
def rsa(
    a: ArrayLike | Features | str | Path,
    b: ArrayLike | Features | str | Path,
    *,
    dissimilarity: Literal["correlation", "cosine", "euclidean"] = "correlation",
    sample: int | None = SAMPLE,
    seed: int = 0,
) -> float:
    """Compare two representations of the same images by representational similarity analysis.

    How unlike each two images are is ranked in either, and the ranks are correlated (Kriegeskorte,
    Mur and Bandettini 2008; ``penult.similarity.rsa`` has the reference): 1 where both agree which
    pairs of images are the more unlike, about 0 where they have nothing to do with each other.

    Parameters
    ----------
    a, b : array, shape (N, D) or (N, …), Features, or path of a feature file
        As for `cka`.
    dissimilarity : {"correlation", "cosine", "euclidean"}
        How unlike two images are: 1 less Pearson's correlation of their rows, 1 less their cosine,
        or their distance.
    sample : int or None, default=3000
        The most images to take; of more, so many are drawn. None takes all, whose N(N-1)/2 pairs
        have to fit into memory several times.
    seed : int
        Of the draw.

    Returns
    -------
    float
        Spearman's correlation, in [-1, 1], ties averaged. NaN where all pairs of images are equally
        unlike in `a` or `b`, or where a row has no correlation, as one whose numbers are all the
        same, or no cosine, as one of zeros.

    Raises
    ------
    UsageError
        If there are fewer than 4 rows, they are not of the same images, or hold what is no finite
        number.
    PathNotFoundError, WrongFileError, FeatureFileError
        If a file cannot be read.
    """
    if sample is not None and sample < LEAST_ROWS:
        raise UsageError(f"sample is {sample}; give {LEAST_ROWS} or more, or None for all images")
    require_seed(seed)
    first, second = _matched(a, b)
    most = len(first) if sample is None else sample
    return spearman(*draw_pair(first, second, most, seed), dissimilarity)


def _matched(a: Any, b: Any) -> tuple[RowBlocks, RowBlocks]:
    """The rows of both, matched by their ids where both have some, and else by their places."""
    from penult.features.read import load

    given = [_array(name, one) for name, one in (("a", a), ("b", b))]
    opened = [load(Path(one)) if isinstance(one, str | os.PathLike) else one for one in given]
    if isinstance(opened[0], Features) and isinstance(opened[1], Features):
        first, second = _matched_by_id(opened[0], opened[1])
    else:
        first, second = (
            RowBlocks(one.features, name, ids=[str(i) for i in one.ids])
            if isinstance(one, Features)
            else RowBlocks(one, name)
            for name, one in zip("ab", opened, strict=True)
        )
        if len(first) != len(second):
            raise UsageError(
                f"a has {count(len(first), 'row')}, and b {len(second):,}; give rows of the same "
                "images, in the same order"
            )
    for one in (first, second):
        if not one.width:
            raise UsageError(f"{one.name} has rows of no numbers")
    if len(first) < LEAST_ROWS:
        raise UsageError(
            f"{count(len(first), 'row')} cannot be compared; give {LEAST_ROWS} or more"
        )
    return first, second


def _array(name: str, given: Any) -> Any:
    """An array of real numbers with rows, of whatever is no Features and no path.

    Raises
    ------
    UsageError
    """
    import numpy as np

    if isinstance(given, Features | str | os.PathLike):
        return given
    rows = given
    if not hasattr(given, "read_direct"):  # a dataset on disk, which is read in blocks
        try:
            rows = np.asarray(given)
        except Exception as error:  # what makes no array raises whatever it likes
            raise _no_rows(name, given) from error
    if rows.dtype.kind not in "biuf" or len(rows.shape) < 2:
        raise _no_rows(name, given)
    return rows


def _no_rows(name: str, given: Any) -> UsageError:
    return UsageError(
        f"{name} is {what_given(given)}; give an array of numbers, a row an image (N, D), or "
        "Features, or the path of a feature file"
    )


def _matched_by_id(a: Features, b: Features) -> tuple[RowBlocks, RowBlocks]:
    """Rows of the same images, by their ids and, where both know them, by their digests.

    Raises
    ------
    UsageError
        If either has an image that the other has not.
    """
    from penult.combine.matching import match_rows

    at, other = match_rows([a, b]).places
    for name, one, places in (("a", a, at), ("b", b, other)):
        alone = set(range(len(one))) - set(places.tolist())
        if alone:
            named = listed([short_text(str(one.ids[k])) for k in sorted(alone)], 3)
            raise UsageError(
                f"{count(len(alone), 'image')} of {name} "
                f"{'is' if len(alone) == 1 else 'are'} not the other's: {named}; give rows of "
                f"the same images, as with {name}.take(ids)"
            )
    return (
        RowBlocks(a.features, "a", at, [composed(str(a.ids[k])) for k in at]),
        RowBlocks(b.features, "b", other, [composed(str(b.ids[k])) for k in other]),
    )
