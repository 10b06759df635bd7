"""Predictions as lines to read, as CSV and as JSON lines; and what there is to say of them all."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from penult.cli.console import Table, classes_json, failures_json, note, say, to_json, warn
from penult.messages import escape_formula, printable
from penult.wording import count

if TYPE_CHECKING:
    from penult.records import Failure, Prediction

    Outcome = Prediction | Failure
    Write = Callable[[Outcome], None]

__all__ = ["Tally", "to_file", "to_stdout"]

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
    columns : see `to_file`
    """
    if style == "lines":
        return _aligned(classes, marks)
    # A terminal must not obey a file's name; a pipe gets names as they are.
    return _writer(style, sys.stdout, shown=sys.stdout.isatty(), **columns)


@contextmanager
def to_file(
    path: Path, *, overwrite: bool, inputs: Iterable[Path] = (), **columns: Any
) -> Iterator[Write]:
    """Yield what writes one outcome; the file appears when the block ends well.

    Parameters
    ----------
    inputs : what it may not replace
    columns : ``top``, how many classes are listed; ``several``, whether an image may have several
        labels; ``copies``, whether the images are copied somewhere; ``escape_formulas``, whether
        cells that a spreadsheet would run get an apostrophe

    Raises
    ------
    UsageError, OutputExistsError, PathNotFoundError, OutputError
    """
    from penult.output import atomic_output, check_output
    from penult.suffixes import PREDICTIONS

    check_output(path, overwrite=overwrite, inputs=inputs, output=PREDICTIONS)
    style = "csv" if path.suffix.lower() == ".csv" else "json"
    with (
        atomic_output(path, overwrite=overwrite) as temporary,
        # A name that is no valid UTF-8 reaches Python with lone surrogates in it.
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield _writer(style, file, **columns)


def _writer(
    style: str,
    file: TextIO,
    *,
    top: int,
    several: bool,
    copies: bool,
    escape_formulas: bool,
    shown: bool = False,
) -> Write:
    if style == "json":
        as_text = to_json if file is sys.stdout else partial(json.dumps, ensure_ascii=False)
        return lambda outcome: print(as_text(_fields(outcome)), file=file)
    columns = [
        "id",
        *["labels"] * several,
        "label",
        "probability",
        "unsure",
        "unlike",
        "similarity",
    ]
    for place in range(2, top + 1):
        columns += [f"label_{place}", f"probability_{place}"]
    columns += ["copied_to"] * copies + ["error"]
    table = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
    table.writeheader()

    def write(outcome: Outcome) -> None:
        fields = _fields(outcome)
        for place, (label, probability) in enumerate(fields.get("top", ()), start=1):
            fields |= {f"label_{place}": label, f"probability_{place}": probability}
        if "labels" in fields:
            fields["labels"] = "|".join(fields["labels"])  # as a table of labels has them
        for name in ("unsure", "unlike"):
            if fields.get(name) is not None:
                fields[name] = "true" if fields[name] else "false"
        for wanted, escape in ((escape_formulas, escape_formula), (shown, printable)):
            if wanted:
                fields |= {k: escape(v) for k, v in fields.items() if isinstance(v, str)}
        table.writerow(fields)

    return write


def _fields(outcome: Outcome) -> dict[str, Any]:
    from penult.records import Failure

    if isinstance(outcome, Failure):
        return {"id": outcome.id, "error": outcome.reason}
    fields: dict[str, Any] = {
        "id": outcome.id,
        "label": outcome.label,
        "probability": outcome.probability,
        "unsure": outcome.unsure,
        "unlike": outcome.unlike,
        "similarity": outcome.similarity,
        "top": [list(pair) for pair in outcome.top],
    }
    if outcome.labels is not None:
        fields["labels"] = list(outcome.labels)
    if outcome.copied is not None:
        fields["copied_to"] = str(outcome.copied.path)
    return fields


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
            mark = "unlike" if outcome.unlike else "unsure" if outcome.unsure else ""
            cells.append(padded(mark, widest_mark))
        say("  ".join([*cells, outcome.id]))

    return write


class Tally:
    """Counts of what went by."""

    def __init__(self) -> None:
        self.classes: Counter[str] = Counter()
        self.good = self.failed = self.unsure = self.unlike = self.copied = self.there = (
            self.renamed
        ) = 0
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
        if outcome.unlike:
            self.unlike += 1
        elif outcome.unsure:
            self.unsure += 1
        else:
            self.classes.update([outcome.label] if outcome.labels is None else outcome.labels)
        if outcome.copied is not None:
            self.copied += outcome.copied.new
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
            warn(
                f"{self.unlike:,} of {self.good:,} are unlike anything that the classifier was "
                "trained on; what it says of them is no more than a guess"
            )

    def warn_of_copies(self, folder: Path) -> None:
        """Say what was copied, and which images got another name."""
        there = f", {self.there:,} were there already" if self.there else ""
        note(
            f"{folder}: {count(self.copied, 'photo')} put into the folders of their classes{there}"
        )
        if self.renamed:
            note(f"{self.renamed:,} got a number, another photo having their name:")
            for example in self._examples:
                note(example)
            if self.renamed > len(self._examples):
                note(f"  and {self.renamed - len(self._examples):,} more")
