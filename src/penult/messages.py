"""Text from outside, made fit to be shown: names of files and classes are other people's."""

from __future__ import annotations

import logging
import re

from penult.passwords import without_passwords

__all__ = ["escape_formula", "escape_json", "first_line", "make_printable", "printable"]

# What a terminal or a browser obeys instead of showing: the C0 and C1 control characters and DEL,
# which set titles, clear screens and begin lines; the separators that begin lines as well; the
# controls of bidirectional text, which show a name in another order than it has; and lone
# surrogates, which stand for bytes that are no valid UTF-8 and cannot be encoded.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def printable(text: str) -> str:
    r"""Escape every character that would be obeyed instead of shown, as Python's ``repr`` does.

    The result is one line. Other characters stay as they are, in whatever script.

    Examples
    --------
    >>> print(printable("rose\n\x1b[2Jdaisy"))
    rose\n\x1b[2Jdaisy
    """
    return _UNPRINTABLE.sub(lambda found: _SHORT.get(found[0]) or _escape(found[0]), text)


def escape_json(text: str) -> str:
    r"""Escape the same characters in a JSON text as ``\uXXXX``, which keeps its value."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula.

    After OWASP's advice on CSV injection: one that begins with ``=``, ``+``, ``-``, ``@``, or the
    characters that a spreadsheet skips before them.
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def make_printable(record: logging.LogRecord) -> bool:
    """Filter for a logger whose lines name what others named: they are shown, and not obeyed."""
    record.msg, record.args = printable(without_passwords(record.getMessage())), None
    return True


def first_line(error: BaseException) -> str:
    """What went wrong, of a library's many lines about it; the error's name where it has none."""
    first, *others = (str(error).strip() or type(error).__name__).splitlines()
    # OpenVINO begins with the places in its source.
    while others and first.startswith("Exception from "):
        first, *others = others
    return first.strip()


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
