"""The command line: a thin twin of the Python functions.

This module and the commands' import nothing heavy at the top, so that ``penult --help`` is quick:
each command imports what it runs when it runs.
"""

from __future__ import annotations

import atexit
import gc
import logging
import sys
import warnings
from functools import cache
from typing import Annotated

import typer

from penult import __version__
from penult.cli import options
from penult.cli.commands import COMMANDS, GROUPS
from penult.cli.completion import completing
from penult.cli.console import encode_anything, fail, warn
from penult.cli.followers import silent_followers
from penult.cli.help import Command, Group, unread
from penult.cli.stop import Stopped, stopped_by_signals
from penult.cli.streams import ReaderGone, standard_streams
from penult.cli.usage import UsageError, show_usage_error
from penult.errors import PenultError
from penult.interface import serving_command_line
from penult.passwords import remember_all

__all__ = ["app", "main"]

_HELP = """Turn images into feature vectors with pretrained networks, and use them.

Examples
--------
# A classifier from photos in folders, one folder a class.
penult extract photos -o rows.h5
penult train rows.h5 -o flowers.skops
# The classes of other photos.
penult predict flowers.skops other_photos
# What a command takes.
penult predict --help"""

app = typer.Typer(
    name="penult",
    cls=Group,
    help=_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
groups = {
    name: typer.Typer(cls=Group, help=told, no_args_is_help=True, rich_markup_mode=None)
    for name, told in GROUPS.items()
}
for name, group in groups.items():
    app.add_typer(group, name=name)
for name, run in COMMANDS.items():
    of_group, _, own = name.rpartition(" ")
    (groups[of_group] if of_group else app).command(name=own, cls=Command)(unread(run))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"penult {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    context.with_resource(serving_command_line())


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    # What a library warns of, without its file and line, and once: a grid has many fits.
    _warn_once(next(iter(str(message).strip().splitlines()), type(message).__name__))


@cache
def _warn_once(text: str) -> None:
    warn(f"penult: warning: {text}")


class _ToStderr(logging.Handler):
    """What penult and its libraries log, as lines that a terminal does not obey."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        warn(self.format(record))


# Their bindings complain, at great length, of what is not taken away in the end.
_TIDY = frozenset({"jax", "onnx", "tensorflow", "torch"})


_INTERRUPTED = 130


def _leave_garbage() -> None:
    if _TIDY.isdisjoint(sys.modules):
        gc.freeze()


def main() -> None:
    """Run the command line; every error penult raises on purpose ends as one line."""
    # What was imported stays: to look through it for garbage is a sixth of what a short command
    # takes, most of it when the process ends.
    gc.set_threshold(20_000)
    atexit.register(_leave_garbage)
    try:
        with standard_streams(), silent_followers(), stopped_by_signals():
            code = _run()
    except (ReaderGone, Stopped) as error:
        code = error.exit_code
    sys.exit(code)


def _run() -> int:
    encode_anything()
    remember_all(sys.argv[1:])
    warnings.showwarning = _show_warning
    logging.lastResort = _ToStderr(logging.WARNING)
    try:
        with completing():
            code = app(standalone_mode=False)
        sys.stdout.flush()
    except UsageError as error:
        show_usage_error(error)
        return int(error.exit_code)
    except PenultError as error:
        if options.show_traceback:
            raise
        fail(f"penult: {error}")
        return error.exit_code
    except Stopped as stopped:
        fail(f"penult: {stopped}")
        return stopped.exit_code
    if code == _INTERRUPTED:  # what typer makes of an interrupt that was no signal of ours
        fail("penult: stopped")
    return code if isinstance(code, int) else 0
