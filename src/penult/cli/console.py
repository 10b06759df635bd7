"""What people see: results on stdout, everything else on stderr, a line each."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.cli.colors import Color, in_color, paint
from penult.extras import has_torch
from penult.interface import as_argument, shell_quote
from penult.messages import escape_json, printable
from penult.passwords import without_passwords
from penult.wording import count

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from penult.classify.settings import TrainingSettings
    from penult.records import Failure

__all__ = [
    "Table",
    "classes_json",
    "encode_anything",
    "fail",
    "failures_json",
    "files_in",
    "next_command",
    "next_step",
    "note",
    "say",
    "say_failures",
    "say_json",
    "say_listing_messages",
    "say_path",
    "say_some",
    "say_trained_network",
    "settings_json",
    "table_width",
    "terminal_width",
    "to_json",
    "warn",
    "warn_of_random",
]

_SHOWN_FAILURES = 10


# Ornaments of tables and sentences, for an output that cannot encode them.
_ASCII = str.maketrans(
    {"×": "x", "–": "-", "−": "-", "±": "+/-", "…": "...", "◀": "<", "’": "'", "·": "|", "─": "-"}
)


def encode_anything() -> None:
    """Make stdout and stderr take every character, in whatever encoding the system has them.

    What an encoding lacks is escaped (`\\u0142`), or simplified where it is an ornament.
    """
    codecs.register_error("penult.readable", _readable)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="penult.readable")


def _readable(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    simpler = error.object[error.start : error.end].translate(_ASCII)
    return simpler.encode("ascii", "backslashreplace").decode(), error.end


def files_in(results: Path | None) -> list[Path]:
    """Return what a training or an evaluation wrote into the folder of its results."""
    if results is None:
        return []
    from penult.reporting.results import written_results

    return written_results(results)


def say(text: str) -> None:
    """Print one line of results; control characters in it are escaped."""
    sys.stdout.write(printable(text) + "\n")


def say_path(path: Path) -> None:
    """Print the path of a file that was written; a terminal that takes links gets one to it."""
    if not sys.stdout.isatty():
        say(str(path))
        return
    from rich.console import Console
    from rich.style import Style
    from rich.text import Text

    link = Text(printable(str(path)), Style(link=path.resolve().as_uri()))
    Console(highlight=False, soft_wrap=True).print(link)


def say_some(
    lines: Sequence[str], *, most: int = _SHOWN_FAILURES, to: Callable[[str], None] = say
) -> None:
    """Print the first few of many lines, and how many more there are."""
    for line in lines[:most]:
        to(line)
    if len(lines) > most:
        to(f"  and {len(lines) - most:,} more")


def next_step(text: str, *, quiet: bool = False) -> None:
    """Say what to do next: to stderr, for it is no result."""
    if not quiet:
        note(f"next: {text}")


def next_command(*words: object, quiet: bool = False) -> None:
    """Say what to type next; a path is no option, whatever it begins with."""
    typed = [as_argument(str(one)) if isinstance(one, Path) else str(one) for one in words]
    next_step(f"penult {' '.join(map(shell_quote, typed))}", quiet=quiet)


def say_json(value: Any) -> None:
    """Print one line of JSON."""
    sys.stdout.write(to_json(value) + "\n")


def classes_json(images: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return classes as everything that prints JSON has them.

    Parameters
    ----------
    images : label to the number of its images
    """
    return [{"label": label, "images": count} for label, count in images.items()]


def failures_json(failures: Iterable[Failure]) -> list[dict[str, str]]:
    """Return failures as everything that prints JSON has them."""
    return [{"id": failure.id, "reason": failure.reason} for failure in failures]


def settings_json(settings: TrainingSettings) -> dict[str, Any]:
    """Return how a classifier was trained, its classes as `classes_json` has them."""
    told = settings.to_dict()
    return told | {"classes": classes_json(told["classes"])}


def to_json(value: Any) -> str:
    """Return one line of JSON that stdout can encode and no terminal obeys."""
    in_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    return escape_json(json.dumps(value, ensure_ascii=not in_unicode))


def note(text: str) -> None:
    """Print one line that is no result: to stderr, so that a pipe stays clean."""
    sys.stderr.write(printable(without_passwords(text)) + "\n")


def warn(text: str) -> None:
    """Print one line, to stderr, of what may not be as it was meant; yellow where it begins."""
    _begin_in("yellow", text)


def fail(text: str) -> None:
    """Print one line, to stderr, of what is wrong; red where it begins."""
    _begin_in("red", text)


def _begin_in(color: Color, text: str) -> None:
    begin, colon, rest = printable(without_passwords(text)).partition(": ")
    sys.stderr.write(f"{paint(begin + colon.strip(), color, on=sys.stderr)}{colon[1:]}{rest}\n")


def warn_of_random(weights: str | None, *models: str) -> None:
    """Say that networks are untrained, where they are; not if all will be refused without torch.

    Raises
    ------
    UnknownNameError
    """
    if weights == "random" and (has_torch() or any(map(_is_of_another_package, models))):
        warn("penult: RANDOM WEIGHTS: the network is untrained, and its rows mean nothing")


def _is_of_another_package(model: str) -> bool:
    from penult.backbones.registry import BUILT_IN, resolve

    return resolve(model)[0].prefix not in BUILT_IN


_FIRST = 0.7
"""Of a line: so wide a first column may be, and is not broken."""

_ANY_WIDTH = 100_000


class Table:
    """A table in the one style that penult's tables have; its cells are text, never markup.

    Parameters
    ----------
    columns : their names
    right : those that are aligned to the right
    title : a line above it
    narrow : whether columns stand close together, where they are many
    alike : whether the first column, too, is broken where others have to be, as they hold the same
    """

    def __init__(
        self,
        columns: Sequence[str],
        *,
        right: Sequence[str] = (),
        title: str = "",
        narrow: bool = False,
        alike: bool = False,
    ) -> None:
        from rich import box
        from rich import table as rich
        from rich.text import Text

        self._text = Text
        self._alike = alike
        self._table = rich.Table(
            box=box.SIMPLE_HEAD,
            title=Text(printable(title)) if title else None,
            title_justify="left",
            pad_edge=False,
            expand=False,
            collapse_padding=narrow,
        )
        for column in columns:
            self._table.add_column(
                Text(column), justify="right" if column in right else "left", overflow="fold"
            )

    def add_row(self, *cells: str) -> None:
        """Add a row; control characters in it are escaped."""
        self._table.add_row(*(self._text(printable(cell)) for cell in cells))

    def __len__(self) -> int:
        """The number of rows."""
        return self._table.row_count

    def show(self) -> None:
        """Print it so that it fits the terminal; a pipe gets plain text.

        The first column names the row, and is not broken if it leaves room for the others. Neither
        are numbers, nor words of a heading.
        """
        from rich.console import Console

        width = table_width()
        console = Console(
            highlight=False,
            width=width,
            force_terminal=in_color(sys.stdout),
            color_system="auto" if in_color(sys.stdout) else None,
        )
        self._fit(console)
        with console.capture() as captured:
            console.print(self._table)
        # Rich fills cells up to the width of their column, the last ones too.
        lines = [line.rstrip() for line in captured.get().splitlines()]
        # It begins and ends with a blank line: one between two tables is enough, none is first.
        for line in lines[not lines[0] :]:
            sys.stdout.write(line + "\n")

    def _fit(self, console: Console) -> None:
        """Give columns their widths where they do not fit beside each other."""
        from penult.cli.column_widths import broken, column_widths

        columns = self._table.columns
        texts = [[one for one in of.cells if isinstance(one, self._text)] for of in columns]
        cells = [max((one.cell_len for one in of), default=0) for of in texts]
        names = [str(of.header) for of in columns]
        natural = [max(own, len(name)) for own, name in zip(cells, names, strict=True)]
        fixed = [of.justify == "right" for of in columns]
        if not self._alike and natural[0] <= _FIRST * console.width:
            fixed[0] = columns[0].no_wrap = True
        anyhow = console.measure(self._table, options=console.options.update(width=_ANY_WIDTH))
        room = console.width - (anyhow.maximum - sum(natural))
        if sum(natural) <= room:
            return
        words = [max(map(len, name.split()), default=0) for name in names]
        narrower = [max(own, word) for own, word in zip(cells, words, strict=True)]
        gives = [False, *fixed[1:]]  # the first has to, where there is too little room
        letters = [1] * len(words)  # and then words of headings are broken, but no number is
        cells = [max(own, 1) for own in cells]
        widths = (
            column_widths(narrower, words, fixed, room)
            or column_widths(narrower, words, gives, room)
            or column_widths(cells, letters, gives, room)
        )
        if widths is None:
            widths = cells
            console.width += max(0, sum(cells) - room)  # the terminal breaks lines as it likes
        for column, of, width in zip(columns, texts, widths, strict=True):
            column.width, column.no_wrap = width, False
            for text in of:
                text.plain = broken(text.plain, width)


def table_width() -> int:
    """How many characters a line of a table may have.

    Rich cuts columns to 80 where there is no terminal; a script or a log has no such edge.
    """
    told = os.environ.get("COLUMNS", "").isdecimal()
    return terminal_width() if told or sys.stdout.isatty() else 200


def terminal_width() -> int:
    """How wide the terminal is, also where stdout is a pipe to a pager; 80 where there is none."""
    if os.environ.get("COLUMNS", "").isdecimal():
        return max(int(os.environ["COLUMNS"]), 40)
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        with suppress(OSError, ValueError):
            return max(os.get_terminal_size(stream.fileno()).columns, 40)
    return 80


def say_trained_network(trained: int | None, images: int) -> None:
    """Say how many of the images trained the network that made the rows, where that is known."""
    if trained is not None:
        some = f"{trained:,}" if trained else "none"
        say(f"{some} of {count(images, 'image')} trained the network itself")


def say_augmented(rows: int, augmentation: Mapping[str, Any]) -> None:
    """Say how many rows of augmented views there are, and how they were made."""
    how = f"{augmentation['policy']}, seed {augmentation['seed']}"
    say(f"beside them, {count(rows, 'row')} of augmented views ({how}), to train with")


def say_failures(failures: Sequence[Failure], *, total: int) -> None:
    """Say how many images failed, and name the first few with their reasons.

    Those that only a table of labels names are no images that could not be read.
    """
    if not failures:
        return
    from penult.records.failure import missing_message, unread_and_missing

    unread, missing = unread_and_missing(failures)
    if unread:
        say(f"{len(unread):,} of {count(total - len(missing), 'image')} could not be read:")
        say_some([f"  {failure.line}" for failure in unread])
    if missing:
        say(f"{missing_message(missing)}:")
        say_some([f"  {failure.line}" for failure in missing])


def say_listing_messages(notes: Mapping[str, Any], *, to: Callable[[str], None] = say) -> None:
    """Say what was found beside the images: see `penult.images.notes.listing_messages`."""
    from penult.images.notes import listing_messages

    for line in listing_messages(notes):
        to(line)
