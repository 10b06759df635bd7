"""How wide the columns of a table are where they do not fit beside each other."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["broken", "column_widths"]

_LEAST = 8


def column_widths(
    natural: Sequence[int], least: Sequence[int], fixed: Sequence[bool], room: int
) -> list[int] | None:
    """Divide room among columns: those that are wider than others give first, and so alike.

    Parameters
    ----------
    natural : sequence of int
        How wide each column would like to be.
    least : sequence of int
        How wide the longest word of its heading is.
    fixed : sequence of bool
        Whether a column is as wide as it likes to be, as numbers are.
    room : int
        For all of them.

    Returns
    -------
    list of int or None
        None where there is not enough room.

    Examples
    --------
    >>> column_widths([40, 50, 6], [4, 6, 4], [False, False, True], 66)
    [30, 30, 6]
    >>> column_widths([9, 50, 6], [4, 6, 4], [False, False, True], 45)
    [9, 30, 6]
    """
    lower = [
        wide if one else min(wide, max(word, _LEAST))
        for wide, word, one in zip(natural, least, fixed, strict=True)
    ]
    if sum(lower) > room:
        return None
    # The widest that some of them may be; characters that are left go to the first of these.
    cap = max(natural, default=0)
    while sum(_capped(natural, lower, cap)) > room:
        cap -= 1
    widths = _capped(natural, lower, cap)
    for place in range(len(widths)):
        if sum(widths) < room and widths[place] == cap < natural[place]:
            widths[place] += 1
    return widths


def _capped(natural: Sequence[int], lower: Sequence[int], cap: int) -> list[int]:
    return [max(low, min(wide, cap)) for wide, low in zip(natural, lower, strict=True)]


def broken(text: str, width: int) -> str:
    """Break ids and paths that are longer than a line after their slashes.

    Examples
    --------
    >>> broken("flowers/tulip/image_01.jpg", 16).split("\\n")
    ['flowers/tulip/', 'image_01.jpg']
    >>> broken("two words", 4)
    'two words'
    """
    return " ".join(
        _at_slashes(word, width) if len(word) > width else word for word in text.split(" ")
    )


def _at_slashes(word: str, width: int) -> str:
    *folders, name = word.split("/")
    lines = [""]
    for piece in [*(f"{folder}/" for folder in folders), name]:
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)
