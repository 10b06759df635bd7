"""How options and commands are typed by who reads a message: in Python, or at the command line."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penult.addresses import unfolded

__all__ = [
    "as_argument",
    "at_command_line",
    "call_or_command",
    "command",
    "command_name",
    "option",
    "serving_command_line",
    "shell_quote",
]

_FLAG = object()
_OTHER_NAMES = {"apply_labels": "labels apply", "plan_machines": "plan"}
_at_command_line = False


@contextmanager
def serving_command_line() -> Iterator[None]:
    """Have `option` and `command` write what is typed at the command line, until the block ends.

    It holds for all threads, since images are decoded and networks are run in other ones.
    """
    global _at_command_line
    before = _at_command_line
    _at_command_line = True
    try:
        yield
    finally:
        _at_command_line = before


def at_command_line() -> bool:
    """Whether a command is run, which prints what a function logs."""
    return _at_command_line


def option(name: str, value: Any = _FLAG) -> str:
    """Spell an option as its reader has to type it.

    Parameters
    ----------
    name : str
        As the function's argument is named, e.g. ``"max_memory"``.
    value : str, number, bool or path, optional
        What to give; a word in capitals, such as ``"PATH"``, stands for a value of one's own.
        True for an option that takes no value on the command line. Without it, the name alone.

    Returns
    -------
    str
        ``--max-memory 4GB`` on the command line, ``max_memory='4GB'`` in Python.
    """
    if _at_command_line:
        flag = "--" + name.replace("_", "-")
        if value is _FLAG or value is True:
            return flag
        text = str(value)
        # 1 has become 1.0 on its way.
        return (
            f"{flag} {shell_quote(text.removesuffix('.0') if isinstance(value, float) else text)}"
        )
    return name if value is _FLAG else f"{name}={_literal(value)}"


def command(name: str, *arguments: str, **options: Any) -> str:
    """Spell a command as its reader has to type it.

    Parameters
    ----------
    name : str
        As the function is named, e.g. ``"show_input"``.
    *arguments : str
        What it is given by position; a word in capitals stands for something of one's own.
    **options : str, number, bool or path
        What it is given by name, as `option` takes it.

    Returns
    -------
    str
        ``penult models 'timm:*'`` on the command line, ``penult.models('timm:*')`` in Python.
    """
    named = [option(*one) for one in options.items()]
    if _at_command_line:
        quoted = [shell_quote(as_argument(one)) for one in arguments]
        return " ".join(["penult", command_name(name), *quoted, *named])
    return f"penult.{name}({', '.join([*map(_literal, arguments), *named])})"


def command_name(function: str) -> str:
    """Return what is typed after ``penult`` for a function of a name.

    Examples
    --------
    >>> command_name("show_input"), command_name("apply_labels")
    ('show-input', 'labels apply')
    """
    return _OTHER_NAMES.get(function, function.replace("_", "-"))


def as_argument(path: str) -> str:
    """Return a path as it is given by position, where a leading dash would make it an option.

    Examples
    --------
    >>> as_argument("photos"), as_argument("-photos"), as_argument("-")
    ('photos', './-photos', '-')
    """
    return f"./{path}" if path[:1] == "-" and path != "-" else path


def shell_quote(text: str) -> str:
    """Quote a word for a shell; one with control characters so that they can be seen and typed."""
    text = unfolded(text)  # an address that went through a path
    if text.isprintable() or not any(ord(one) < 32 or ord(one) == 127 for one in text):
        return shlex.quote(text)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + re.sub(r"[\x00-\x1f\x7f]", lambda one: f"\\x{ord(one[0]):02x}", escaped) + "'"


def call_or_command() -> str:
    """Name what the reader has just given: a ``"command"``, or in Python a ``"call"``."""
    return "command" if _at_command_line else "call"


def _literal(value: Any) -> str:
    placeholder = isinstance(value, str) and value.isalpha() and value.isupper()
    if placeholder:
        return str(value)
    return repr(unfolded(value) if isinstance(value, str | os.PathLike) else value)
