"""A comparison of networks as the rows of tables and in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.records.failure import failure_counts
from penult.representation import short_text
from penult.wording import count, listed, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penult.records.compared_model import ComparedModel
    from penult.records.comparison import Comparison
    from penult.records.run_scores import RunScores

__all__ = [
    "comparison_sentences",
    "comparison_tables",
    "different_held_out",
    "in_units",
    "per_second",
    "score_words",
    "skipped_lines",
]

RECOMMENDED = "◀"
WITHIN_NOISE = "≈ best"
AS_GOOD = "= best"

_BEST = "best"
_NONE = "–"
_GAP = 2  # between two columns
_SHORTEST = 20  # characters that a name has at least, so that others can be told from it
_NAMED = 3  # of many, in a line
_WORDS = {
    "accuracy": "accuracy",
    "knn_accuracy": "k-NN",
    "hit@1": "hit@1",
    "hit@5": "hit@5",
    "precision@5": "prec@5",
    "macro_f1": "macro F1",
    "soft_f1": "soft F1",
    "calibration_error": "ECE",
}
_ANY_LABEL = "one right label is enough:"
_OTHER = "other scores:"

Rows = list[tuple[str, ...]]


def score_words(name: str) -> str:
    """Return what the column of a score is called."""
    return _WORDS.get(name, name.replace("_", " "))


def comparison_tables(comparison: Comparison, width: int | None = 80) -> list[tuple[str, Rows]]:
    """Return the tables of a comparison, each with what stands above it.

    Parameters
    ----------
    comparison : Comparison
    width : int or None
        Characters of a line, with two between columns; names are shortened to fit, so that they
        stay different, and if that is not enough the last columns are left out. None where there is
        room for all.

    Returns
    -------
    list of (str, list of tuple of str)
        What decides: the score, whether it is within noise of the best, and the cost. Then the
        other scores, and those for which one right label is enough, where these differ. The first
        row of each is its header, and its first column the name; none where nothing was compared.
    """
    if not comparison.rows:
        return []
    names = [row.name for row in comparison.rows]
    marks = [f" {RECOMMENDED}" * (name == comparison.recommended) for name in names]
    tables = [("", _deciding(comparison)), (_OTHER, _other_scores(comparison))]
    if any(_easier(row) for row in comparison.rows):
        tables.append((_ANY_LABEL, _any_label(comparison)))
    return [
        (title, _named(names, marks if k == 0 else [""] * len(names), columns, width))
        for k, (title, columns) in enumerate(tables)
        if columns
    ]


def _named(
    names: Sequence[str], marks: Sequence[str], columns: Mapping[str, list[str]], width: int | None
) -> Rows:
    """Put the columns beside the names, which take the room that these leave."""
    if width is not None:
        columns = dict(columns)
        longest = max(map(len, names))
        while (room := _room(columns, width - max(map(len, marks)))) < min(longest, _SHORTEST):
            if len(columns) == 1:
                break
            columns.popitem()
        names = shorten(_briefly(names, room), max(room, _SHORTEST))
    first = [f"{name}{mark}" for name, mark in zip(names, marks, strict=True)]
    return [("model", *columns), *zip(first, *columns.values(), strict=True)]


def _briefly(names: Sequence[str], room: int) -> Sequence[str]:
    """Names of joined networks that have no room say the first and how many more, if that tells."""
    brief = []
    for name in names:
        joined, comma, options = name.partition(", ")
        first, *others = joined.split("+")
        more = f"{first}+{len(others)} more{comma}{options}"
        brief.append(more if others and len(name) > room else name)
    return brief if len(set(brief)) == len(set(names)) else names


def _room(columns: Mapping[str, list[str]], width: int) -> int:
    """What the columns leave of a line."""
    return width - sum(max(map(len, (name, *cells))) + _GAP for name, cells in columns.items())


def _deciding(comparison: Comparison) -> dict[str, list[str]]:
    rows = comparison.rows
    columns = {
        score_words(comparison.score): [_spread(row.score(comparison.score)) for row in rows]
    }
    beside = _beside_best(comparison)
    if {*beside} - {_BEST, ""}:
        columns["vs best"] = beside
    costs = {
        "images/s": [per_second(row.cost.images_per_second) for row in rows],
        "params": [in_units(row.cost.parameters) for row in rows],
        "FLOPs": [in_units(row.cost.flops) for row in rows],
        "memory": [in_units(row.cost.peak_memory, "B") for row in rows],
    }
    return columns | {name: cells for name, cells in costs.items() if {*cells} != {_NONE}}


def _other_scores(comparison: Comparison) -> dict[str, list[str]]:
    """The means of the scores by which the rows are not ranked."""
    there = dict.fromkeys(name for row in comparison.rows for name in row.scores)
    order = sorted(there, key=[*_WORDS, *there].index)
    return {
        score_words(name): [_mean(row.scores, name) for row in comparison.rows]
        for name in order
        if name != comparison.score
    }


def _any_label(comparison: Comparison) -> dict[str, list[str]]:
    there = dict.fromkeys(name for row in comparison.rows for name in row.any_label)
    return {
        score_words(name): [_mean(row.any_label, name) for row in comparison.rows]
        for name in sorted(there, key=[*_WORDS, *there].index)
    }


def _easier(row: ComparedModel) -> bool:
    return any(row.scores.get(name) != one for name, one in row.any_label.items())


def _beside_best(comparison: Comparison) -> list[str]:
    """Of each row whether it is the best, as good as far as can be told, or worse."""
    best = comparison.best
    separable = {
        (one.b if one.a == best else one.a): one.separable
        for one in comparison.differences
        if best in (one.a, one.b)
    }
    words = {True: "worse", False: WITHIN_NOISE, None: ""}
    top = {row.name: row.score(comparison.score).mean for row in comparison.rows}
    return [
        _BEST
        if row.name == best
        else AS_GOOD
        if separable.get(row.name) is False and top[row.name] == top[best]
        else words[separable.get(row.name)]
        for row in comparison.rows
    ]


def different_held_out(comparison: Comparison) -> int:
    """How many different images are held out in any run; 0 where that is not known."""
    return max((one.images for one in comparison.differences), default=0)


def comparison_sentences(comparison: Comparison) -> list[str]:
    """Say which to take and why, of what scores are the mean, and what measured the cost.

    What was skipped is in `skipped_lines`.
    """
    if not comparison.rows:
        return ["nothing could be compared"]
    mark = f"{RECOMMENDED} " * (comparison.recommended is not None)
    lines = [f"{mark}{comparison.reason}"] if comparison.reason else []
    told, score = comparison.splits, score_words(comparison.score)
    runs = max(len(row.score(comparison.score).runs) for row in comparison.rows)
    mean = f"mean ± standard deviation of {runs} runs" if runs > 1 else "of one run"
    different = different_held_out(comparison)
    each = f"{different:,} different held-out images" if runs > 1 and different else None
    lines.append("; ".join(filter(None, (f"{score}: {mean}", told.get("description"), each))))
    if WITHIN_NOISE in _beside_best(comparison):
        lines.append(f"{WITHIN_NOISE}: not separable from the best on these images")
    left_out = told.get("left_out") or {}
    if left_out:
        parts = (f"{count(number, 'image')}, {reason}" for reason, number in left_out.items())
        lines.append(f"left out: {'; '.join(parts)}")
    lines += [
        f"{short_text(row.name)}: {count(row.missing, 'image')} without a row"
        for row in comparison.rows
        if row.missing
    ]
    if failures := comparison.failures:
        more = f"; and {len(failures) - _NAMED:,} more" if len(failures) > _NAMED else ""
        named = "; ".join(one.line for one in failures[:_NAMED])
        lines.append(f"{'; '.join(failure_counts(failures))}: {named}{more}")
    if untrained := [row.name for row in comparison.rows if row.untrained]:
        whose = "all" if len(untrained) == len(comparison.rows) else f"{len(untrained):,} of them"
        lines.append(
            f"random weights: {whose}; what an untrained network scores is a baseline, and says "
            "nothing of the network"
        )
    if line := _machine(comparison.rows):
        lines.append(line)
    return lines


def _machine(rows: Sequence[ComparedModel]) -> str | None:
    """On what the cost was measured, as far as it is the same for all."""
    costs = [row.cost for row in rows if row.cost.images_per_second is not None]
    if not costs:
        return None
    engines = dict.fromkeys(f"{one.engine} on {one.device}" for one in costs)
    machines = dict.fromkeys(f"{one.processor}, {count(one.threads, 'core')}" for one in costs)
    return f"images/s, memory: by {listed(engines)}; {'; '.join(machines)}"


def skipped_lines(comparison: Comparison) -> list[str]:
    """Name each network that was skipped, with its reason, a line each."""
    return [f"skipped {one.model}: {one.reason}" for one in comparison.skipped]


def in_units(number: int | None, unit: str = "") -> str:
    """Write a number in three digits or so, in powers of 1,000.

    Examples
    --------
    >>> in_units(4_652_008), in_units(386_000_000), in_units(1_240_000_000, "B"), in_units(None)
    ('4.65 M', '386 M', '1.24 GB', '–')
    """
    if number is None:
        return _NONE
    value, prefixes = float(number), ["k", "M", "G", "T", "P"]
    if value < 999.5:
        return f"{number:,} {unit}".rstrip()
    while (value := value / 1000) >= 999.5 and len(prefixes) > 1:
        prefixes.pop(0)
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:,.{digits}f} {prefixes[0]}{unit}"


def _spread(score: RunScores) -> str:
    return f"{score.percent} {score.spread}".rstrip()


def _mean(scores: Mapping[str, RunScores], name: str) -> str:
    return scores[name].percent if name in scores else _NONE


def per_second(images: float | None) -> str:
    """Write a rate in three digits or so.

    Examples
    --------
    >>> per_second(1234.5), per_second(41.23), per_second(0.456), per_second(None)
    ('1,234', '41.2', '0.46', '–')
    """
    if images is None:
        return _NONE
    return (
        f"{images:,.0f}"
        if images >= 99.95
        else f"{images:.1f}"
        if images >= 0.95
        else f"{images:.2f}"
    )
