"""Predictions as lines to read; and what there is to say of them all."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.cli.console import (
    Table,
    classes_json,
    failures_json,
    note,
    say,
    say_some,
    to_json,
    warn,
)
from penult.messages import printable
from penult.wording import count, put_there, unlike_line

if TYPE_CHECKING:
    from penult.records import Failure, Prediction

    Outcome = Prediction | Failure
    Write = Callable[[Outcome], None]

__all__ = ["Tally", "to_stdout"]

_SHOWN_RENAMED = 10


_WIDEST_CLASS = 40


def to_stdout(
    style: str, *, classes: Iterable[str] = (), marks: Sequence[str] = (), **columns: Any
) -> Write:
    """Return what prints one outcome.

    Parameters
    ----------
    style : ``"lines"``, ``"csv"`` or ``"json"``
    classes : all that may be predicted, so that columns of lines are as wide as needed at once
    marks : words that may mark a prediction, such as unsure
    columns : see `penult.classify.prediction.table.to_file`
    """
    if style == "lines":
        return _aligned(classes, marks)
    from penult.classify.prediction.table import writer

    # A terminal must not obey a file's name; a pipe gets names as they are.
    return writer(
        style,
        sys.stdout,
        shown=printable if sys.stdout.isatty() else None,
        as_json=to_json,
        **columns,
    )


def _aligned(classes: Iterable[str], marks: Sequence[str]) -> Write:
    """Print a line for each: its classes, a mark, and last its name, which may be of any length."""
    from rich.cells import cell_len, set_cell_size

    from penult.records import Failure

    widest = min(max((cell_len(printable(name)) for name in classes), default=0), _WIDEST_CLASS)
    widest_mark = max(map(len, marks), default=0)
    widest_labels = 0

    def padded(text: str, width: int) -> str:
        return set_cell_size(text, max(width, cell_len(text)))

    def write(outcome: Outcome) -> None:
        nonlocal widest_labels
        if isinstance(outcome, Failure):
            warn(f"{outcome.id}: {outcome.reason}")
            return
        cells = [f"{padded(printable(label), widest)}  {p:>6.1%}" for label, p in outcome.top]
        if outcome.labels is not None:
            said = printable(" | ".join(outcome.labels)) or "(no label)"
            widest_labels = max(widest_labels, cell_len(said))
            cells.append(padded(said, widest_labels))
        if widest_mark:
            cells.append(padded(outcome.mark, widest_mark))
        say("  ".join([*cells, outcome.id]))

    return write


class Tally:
    """Counts of what went by."""

    def __init__(self) -> None:
        self.classes: Counter[str] = Counter()
        self.good = self.failed = self.unsure = self.unlike = self.copied = self.there = (
            self.renamed
        ) = 0
        self._aside: Counter[str] = Counter()
        self._examples: list[str] = []
        self._failures: list[Failure] = []

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        from penult.records import Failure

        if isinstance(outcome, Failure):
            self.failed += 1
            self._failures.append(outcome)
            return
        self.good += 1
        if outcome.mark:
            self.unlike += outcome.mark == "unlike"
            self.unsure += outcome.mark == "unsure"
        else:
            self.classes.update([outcome.label] if outcome.labels is None else outcome.labels)
        if outcome.copied is not None:
            self.copied += outcome.copied.new
            if outcome.copied.new and outcome.mark:
                self._aside[outcome.copied.path.parent.parent.name] += 1
            self.there += not outcome.copied.new
            self.renamed += outcome.copied.renamed
            if outcome.copied.renamed and len(self._examples) < _SHOWN_RENAMED:
                self._examples.append(f"  {outcome.id} is {outcome.copied.path}")

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON-like data."""
        return {
            "images": self.good,
            "failures": failures_json(self._failures),
            "unsure": self.unsure,
            "unlike": self.unlike,
            "classes": classes_json(dict(sorted(self.classes.items()))),
            "copied": self.copied,
            "there_already": self.there,
            "renamed": self.renamed,
        }

    def warn_of_failures(self, *, named: bool) -> None:
        """Say how many images could not be read, and which, up to a number, unless they were."""
        if self.failed:
            from penult.records.failure import failure_counts

            colon = "" if named else ":"
            said = failure_counts(self._failures, self.failed + self.good)
            warn(f"{'; '.join(said)}{colon}")
        if not named:
            say_some([f"  {failure.line}" for failure in self._failures], to=note)

    def show_classes(self) -> None:
        """Show how many images there are of each class."""
        table = Table(("class", "images"), right=("images",))
        for label, images in sorted(self.classes.items()):
            table.add_row(label, f"{images:,}")
        if self.unsure:
            table.add_row("(unsure)", f"{self.unsure:,}")
        if self.unlike:
            table.add_row("(unlike)", f"{self.unlike:,}")
        table.show()

    def warn_of_unlike(self) -> None:
        """Say how many images belong to no class, as far as can be seen."""
        if self.unlike:
            warn(unlike_line(self.unlike, self.good))

    def warn_of_copies(self, folder: Path) -> None:
        """Say what was copied, and which images got another name."""
        certain = self.copied - self._aside.total()
        said = [f"{count(certain, 'photo')} put into the folders of their classes"] * bool(certain)
        for name, photos in sorted(self._aside.items()):
            said.append(f"{count(photos, 'photo')} put into {name}, in folders of what they may be")
        note(f"{folder}: {put_there(said, self.there)}")
        if self.renamed:
            note(f"{count(self.renamed, 'photo')} got a number, for another one has the name:")
            for example in self._examples:
                note(example)
            if self.renamed > len(self._examples):
                note(f"  and {self.renamed - len(self._examples):,} more")
