"""Colours on a terminal, where they are wanted: see https://no-color.org and force-color.org."""

from __future__ import annotations

import os
from typing import Literal, TextIO

__all__ = ["Color", "in_color", "paint"]

Color = Literal["bold", "red", "yellow", "cyan", "dim"]

_CODES: dict[Color, str] = {"bold": "1", "red": "1;31", "yellow": "33", "cyan": "36", "dim": "2"}


def in_color(stream: TextIO) -> bool:
    """Whether what is written there may have colours.

    ``NO_COLOR`` says no, ``FORCE_COLOR`` says yes even to a pipe; else a terminal has them, unless
    it is a dumb one.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, color: Color, *, on: TextIO) -> str:
    """Return the text in a colour, or as it is where there are none."""
    return f"\x1b[{_CODES[color]}m{text}\x1b[0m" if text and in_color(on) else text
