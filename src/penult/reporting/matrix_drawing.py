"""A confusion matrix of many classes as shapes that a style sheet colours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.reporting.class_order import by_similarity

if TYPE_CHECKING:
    from penult.records import Scores

__all__ = ["MatrixDrawing", "draw_matrix"]

LEVELS = 8  # of colour: no eye tells more apart in cells of a few pixels
MOST_CELLS = 20_000  # with images; some 600 kB of the page


@dataclass(frozen=True)
class MatrixDrawing:
    """The cells of a matrix that hold images, K by K units large.

    Attributes
    ----------
    order : tuple of int
        Of the classes, from the top and from the left.
    shapes : tuple of (bool, float, str)
        Whether these cells are right answers, how strong their colour is in (0, 1], and the ``d``
        of an SVG path of all of them.
    cells : tuple of int
        Row, column and images of each cell, one after the other, rows and columns counted in
        `order`.
    left_out : int
        Cells that are not drawn, which are those of the fewest images.
    """

    order: tuple[int, ...]
    shapes: tuple[tuple[bool, float, str], ...]
    cells: tuple[int, ...]
    left_out: int = 0


def draw_matrix(scores: Scores) -> MatrixDrawing:
    """Draw the matrix of `scores`, classes that are confused side by side.

    Returns
    -------
    MatrixDrawing
        A cell's colour grows with the square root of its share of its row, as in the table of
        fewer classes, so that a single mistake can be seen.
    """
    order = by_similarity(scores.confusion)
    found: list[tuple[int, int, int, float]] = []
    for row, truth in enumerate(order):
        counts: Sequence[int] = scores.confusion[truth]
        images = max(sum(counts), 1)
        found += [
            (row, column, counts[predicted], (counts[predicted] / images) ** 0.5)
            for column, predicted in enumerate(order)
            if counts[predicted]
        ]
    drawn = sorted(sorted(found, key=lambda one: -one[2])[:MOST_CELLS])
    paths = defaultdict[tuple[bool, int], list[str]](list)
    for row, column, _, strength in drawn:
        level = max(1, round(LEVELS * strength))
        paths[row == column, level].append(f"M{column} {row}h1v1h-1z")
    return MatrixDrawing(
        order=tuple(order),
        shapes=tuple(
            (hit, level / LEVELS, "".join(d)) for (hit, level), d in sorted(paths.items())
        ),
        cells=tuple(number for cell in drawn for number in cell[:3]),
        left_out=len(found) - len(drawn),
    )
