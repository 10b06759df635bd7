"""What a comparison comes to, in two sentences: the head of its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from penult.records import Comparison
from penult.records.comparison_words import different_held_out
from penult.wording import count, listed

__all__ = ["Headline", "headline", "held_out_words", "left_out_words", "what_was_compared"]


@dataclass(frozen=True)
class Headline:
    """What the page says first.

    Attributes
    ----------
    caution : str
        What is not known, a sentence that stands below the name; or "".
    name : str
        Of the model to take; "" where none is recommended.
    why : str
        What follows the name, or stands in its place; it ends with a full stop.
    besides : str
        What is to be known beside it, a sentence; or "".
    """

    caution: str
    name: str
    why: str
    besides: str


def headline(comparison: Comparison) -> Headline:
    """Which to take, and why; what the reason has after a semicolon is a sentence of its own."""
    name, reason = comparison.recommended, comparison.reason.strip().rstrip(".")
    if name is None:
        reason = reason or f"only {count(len(comparison.rows), 'model')}: a comparison takes two"
        return Headline("", "", f"No recommendation: {reason}.", "")
    names = [row.name for row in comparison.rows]
    before, found, rest = reason.partition(f": {name} ")
    if found and not before.startswith(name):
        why, _, besides = rest.partition("; ")
        return Headline(f"{_capital(before)}.", name, f"it {why}.", _ended(besides, names))
    for start in (f"{name}: ", f"{name}, ", f"{name} "):
        reason = reason.removeprefix(start)
    why, _, besides = reason.partition("; ")
    return Headline("", name, f"{why}." if why else "", _ended(besides, names))


def _ended(besides: str, names: Sequence[str]) -> str:
    """Make sentences of what semicolons part; names keep their first letters."""
    return " ".join(
        f"{one if one.startswith(tuple(names)) else _capital(one)}."
        for one in besides.split("; ")
        if one
    )


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def what_was_compared(comparison: Comparison) -> str:
    """What was compared on what, and how the parts were drawn: one line."""
    return " ".join(_sentences(comparison))


def _sentences(comparison: Comparison) -> Iterator[str]:
    splits, models = comparison.splits, len(comparison.rows)
    verb = "was" if models == 1 else "were"
    line = f"{count(models, 'model')} {verb} compared"
    if "images" in splits:
        line += f" on {count(splits['images'], 'image')}"
        if "classes" in splits:
            line += f" of {count(splits['classes'], 'class')}"
    description = str(splits.get("description", "")).strip().rstrip(".")
    runs = splits.get("runs")
    if runs and f"{runs} run" not in description:
        line += f", over {count(runs, 'run')}"
    yield f"{line}: {description}." if description else f"{line}."
    if held := held_out_words(splits.get("held_out")):
        each = "In each run, classifiers" if (runs or 1) > 1 else "Classifiers"
        different = different_held_out(comparison)
        several = f", {different:,} different ones over all runs" if different and runs != 1 else ""
        yield f"{each} were scored on {held} that they had never seen{several}."
    if comparison.skipped:
        skipped = count(len(comparison.skipped), "model")
        yield f"{skipped} could not be compared."


def held_out_words(held: Any) -> str:
    """``272 images``, or ``270 to 274 images`` where the runs differ; "" where it is not known."""
    if isinstance(held, int):
        return count(held, "image")
    if isinstance(held, Sequence) and not isinstance(held, str) and held:
        least, most = min(held), max(held)
        return count(most, "image") if least == most else f"{least:,} to {count(most, 'image')}"
    return ""


def left_out_words(left_out: Any) -> str:
    """Say how many images were left out, and why; "" where none were."""
    some = {why: number for why, number in dict(left_out or {}).items() if number}
    return listed(f"{why}: {count(number, 'image')}" for why, number in some.items())
