"""A summary of rows as a table: each number with a sentence that says what it means."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from penult.interface import command
from penult.representation import short_text
from penult.wording import count, listed, percent

if TYPE_CHECKING:
    from penult.records.distance_statistics import PairDistances
    from penult.records.summary import Summary

__all__ = ["summary_line", "summary_rows"]

Row = tuple[str, str, str]

_NAME = 30  # characters of an id
_FEW_SHARE = 0.1
# Rules of thumb; docs/summarize.md says where they are from.
_SPREAD_STD, _SPREAD_NORM, _HUBNESS, _SKEWED, _APART, _OVERLAP = 10, 0.5, 1.0, 2.0, 0.05, 0.4
_DEEP = 20  # ways to vary that two neighbours tell apart, of a few thousand rows


def summary_line(summary: Summary) -> str:
    """Say of what a summary is, in a line.

    Returns
    -------
    str
        ``1,360 rows of 1,280 numbers, layer penultimate, compared by cosine``
    """
    what = f"{count(summary.rows, 'row')} of {count(len(summary.dimensions), 'number')}"
    by = "cosine" if summary.metric == "cosine" else "Euclidean distance"
    line = f"{what}, layer {short_text(summary.layer)}, compared by {by}"
    if summary.compared < summary.comparable:
        line += f" among a random {summary.compared:,}"
    return line


def summary_rows(summary: Summary) -> list[Row]:
    """Return a summary as a table has it, which fits 80 columns; first the header.

    Returns
    -------
    list of (str, str, str)
        A name, a value, and a sentence that says what it means and when to worry.
    """
    return [
        ("what", "value", "what it means"),
        *_copies(summary),
        *_numbers(summary),
        *_norms(summary),
        *_ranks(summary),
        *_intrinsic(summary),
        *_distances(summary),
        *_hubness(summary),
    ]


def _copies(summary: Summary) -> list[Row]:
    copies = summary.copies
    if not copies.rows:
        return [("copies of rows", "none", "No two rows are equal.")]
    few = ", ".join(short_text(one, _NAME) for one in copies.largest[:2])
    left = copies.largest_size - min(2, len(copies.largest))
    more = f" and {left:,} more" if left else ""
    equal = "is equal to an earlier one" if copies.rows == 1 else "are equal to an earlier one"
    return [
        (
            "copies of rows",
            f"{copies.rows:,} of {summary.rows:,}",
            f"{count(copies.rows, 'row')} {equal}, such as {few}{more}; "
            f"{command('duplicates', 'FEATURES')} lists the photos. They count once below.",
        )
    ]


def _numbers(summary: Summary) -> list[Row]:
    numbers, width = summary.dimensions, len(summary.dimensions)
    dead, zero = int(numbers.constant.sum()), int(numbers.always_zero.sum())
    near = int(numbers.near_constant.sum())
    of = count(width, "number")
    rows = [("dead dimensions", f"{dead:,} of {width:,}", _dead(dead, zero, of))]
    if near:
        hardly = "varies, but hardly" if near == 1 else "vary, but hardly"
        rows.append(
            (
                "near-constant",
                f"{near:,} of {width:,}",
                f"{near:,} of {of} {hardly}: less than 1% of what is usual; where numbers are "
                "standardised, these are noise made large.",
            )
        )
    zeros = numbers.zero_share
    usual = "Numbers that are exactly 0; many are usual behind a ReLU."
    rows.append(("zeros", percent(zeros), usual if zeros else "No number is exactly 0."))
    rows.append(
        (
            "mean ± std",
            f"{numbers.total_mean:.3g} ± {numbers.total_std:.3g}",
            f"All numbers of all rows, from {numbers.min.min():.3g} to {numbers.max.max():.3g}.",
        )
    )
    largest = numbers.largest_std
    if isfinite(largest):
        rows.append(
            (
                "widest dimension",
                f"{largest:.1f} × median",
                _widest(largest, int(numbers.std.argmax())),
            )
        )
    return rows


def _dead(dead: int, zero: int, of: str) -> str:
    if not dead:
        return "No number is the same in all rows."
    them = "it tells" if dead == 1 else "they tell"
    if zero == dead:
        return f"{dead:,} of {of} {'is' if dead == 1 else 'are'} always 0: {them} nothing."
    also = f", {zero:,} of them 0" if zero else ""
    return f"{dead:,} of {of} {'is' if dead == 1 else 'are'} always the same{also}: {them} nothing."


def _widest(largest: float, place: int) -> str:
    if largest > _SPREAD_STD:
        return (
            f"Number {place:,} (from 0) varies so much more than others that it rules distances; "
            "standardise the numbers before you measure any."
        )
    return f"Number {place:,} (from 0) varies most; worry above {_SPREAD_STD}."


def _norms(summary: Summary) -> list[Row]:
    norms = summary.norms
    (shortest, low), (longest, high) = norms.shortest[0], norms.longest[0]
    if high - low <= 1e-3 * high:
        meaning = "All rows are as long as each other, so cosine and Euclidean order rows alike."
    else:
        ends = f"From {low:.3g} ({short_text(shortest, _NAME)}) to {high:.3g} "
        ends += f"({short_text(longest, _NAME)})"
        wide = norms.std > _SPREAD_NORM * norms.mean
        meaning = (
            f"{ends}; lengths differ much: compare rows by cosine."
            if wide
            else f"{ends}; look at photos whose rows are far shorter or longer than others."
        )
    rows = [("norm, mean ± std", f"{norms.mean:.3g} ± {norms.std:.2g}", meaning)]
    if zero := norms.zero_rows:
        names = listed([short_text(one, _NAME) for one, norm in norms.shortest if not norm], 2)
        more = f" and {zero - 2:,} more" if zero > 2 else ""
        rows.append(
            (
                "rows of zeros",
                f"{zero:,} of {summary.rows:,}",
                f"They have no cosine, and are left out below where it counts: {names}{more}; "
                "look at these photos.",
            )
        )
    return rows


def _ranks(summary: Summary) -> list[Row]:
    spectrum = summary.spectrum
    if not len(spectrum.variance):
        return [("effective rank", "0", "All rows are the same.")]
    most, rank, ratio = spectrum.most, spectrum.effective_rank, spectrum.participation_ratio
    components = spectrum.components(0.95)
    if rank < _FEW_SHARE * most:
        means = "Rows vary in few directions: most numbers repeat others."
    else:
        means = "In how many directions rows vary noticeably; low would mean repetition."
    if most < len(summary.dimensions):
        means += f" {count(spectrum.rows, 'row')} cannot vary in more than {most:,}."
    if spectrum.rows < summary.rows:
        means += f" Of a random {count(spectrum.rows, 'row')}."
    shorter = command("reduce", "FEATURES", pca=components)
    return [
        ("effective rank", f"{rank:.1f} of {most:,}", means),
        (
            "participation ratio",
            f"{ratio:.1f} of {most:,}",
            "The same with more weight on the strongest; near 1, one direction rules.",
        ),
        (
            "95% of variance",
            count(components, "component"),
            f"So many principal components keep 95% of the variance: {shorter}",
        ),
    ]


def _intrinsic(summary: Summary) -> list[Row]:
    found = summary.intrinsic_dimension
    if found is None:
        return []
    means = "Near each other, rows vary in about so many ways; shorter rows lose neighbours."
    if found.value > _DEEP:
        means += f" Above {_DEEP} it comes out too low."
    if found.left_out:
        means += f" {count(found.left_out, 'row')} with a near-duplicate left out."
    return [("intrinsic dimension", f"{found.value:.1f}", means)]


def _distances(summary: Summary) -> list[Row]:
    found = summary.distances
    if found is None:
        return []
    of = f"{summary.metric.capitalize()} distance"
    if found.within is None or found.between is None or found.overlap is None:
        why = "No pairs both within classes and between them."
        return [("distance of rows", _spread(found.all), f"{of}, mean ± std. {why}")]
    if found.overlap > _OVERLAP:
        means = "Labels hardly show in distances: try another layer or network."
    elif found.overlap < _APART:
        means = "Classes are well apart."
    else:
        means = "Classes overlap in part."
    return [
        ("within classes", _spread(found.within), f"{of} of two rows of a class, mean ± std."),
        (
            "between classes",
            _spread(found.between),
            "The same of two different classes; it should be clearly larger.",
        ),
        (
            "overlap",
            percent(found.overlap),
            "How often two rows of a class are farther apart than two of different classes; "
            f"50% is chance. {means}",
        ),
    ]


def _spread(pairs: PairDistances) -> str:
    return f"{pairs.mean:.3g} ± {pairs.std:.2g}"


def _hubness(summary: Summary) -> list[Row]:
    found = summary.hubness
    if found is None:
        return []
    k = found.neighbors
    if found.skewness > _SKEWED:
        means = "A few rows are among the nearest of very many, and crowd others out of searches."
    elif found.skewness > _HUBNESS:
        means = "Some rows are found much more often than others; worry above 2."
    else:
        means = "Near 0, all rows are found about equally often; worry above 2."
    hubs = "; ".join(f"{short_text(one, _NAME)} ({n:,})" for one, n in found.strongest[:3])
    return [
        ("hubness", f"{found.skewness:.2f}", f"{means} Skewness of the {k}-occurrence."),
        (
            "hubs",
            f"{found.hubs:,} of {found.rows:,}",
            f"Rows among the {k} nearest of many more than {k} others. The strongest: {hubs}.",
        ),
        (
            "anti-hubs",
            f"{found.antihubs:,} of {found.rows:,}",
            f"Rows among the {k} nearest of no other: a search hardly finds them.",
        ),
    ]
