"""How alike the rows of several networks are, as a heat map."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from penult.reporting.figures.colors import GRID, INK, LINE, SOFT, WRONG
from penult.wording import count, ratio

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from penult.records import SimilarityMatrix
    from penult.reporting.figures.model_names import ModelNames

__all__ = ["similarity_digits", "similarity_map"]

# In points. Names stand at the left; across are their ranks alone, or long names would be upright.
WIDTH, LEAST_CELL, LARGEST_CELL = 360.0, 15.0, 40.0
LONGEST_NAME = 34
LINE_HEIGHT = 13.0
MOST_NUMBERED = 50  # networks; of more the colours alone are shown, for 10,000 texts take a minute
# Opacity of a 1: the ink on it has a contrast of 5.7 to 1 on white, and of 4.5 in the dark scheme.
STRONGEST = 0.55

MEASURES = {
    "cka": "debiased linear CKA; 1: the same but for rotation and scale, 0: unrelated",
    "rsa": "RSA, Spearman's ρ of the dissimilarities; 1: the same order, 0: unrelated",
}


def similarity_map(similarity: SimilarityMatrix, names: ModelNames) -> Figure:
    """Draw how alike each two networks are, with the values in the cells.

    The higher a value, the stronger is its colour; negative ones are in another.

    Parameters
    ----------
    similarity : of the networks, in the order of their ranks
    names : of them
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = len(similarity.names)
    figure = Figure(dpi=72)
    FigureCanvasAgg(figure)
    texts = names.numbered(LONGEST_NAME)
    left = 8 + max(_width(figure, text, names) for text in texts)
    cell = min(max((WIDTH - left) / size, LEAST_CELL), LARGEST_CELL)
    side = cell * size
    below = 5 * LINE_HEIGHT
    width, height = max(WIDTH, left + side), LINE_HEIGHT + 4 + side + below
    figure.set_size_inches(width / 72, height / 72)
    axes = figure.add_axes((left / width, below / height, side / width, side / height))
    axes.set(xlim=(0, size), ylim=(size, 0))
    axes.patch.set_visible(False)
    axes.spines[:].set_visible(False)
    style: dict[str, Any] = {"fontsize": 9, "color": INK}
    middles = [k + 0.5 for k in range(size)]
    axes.set_yticks(middles, texts, fontfamily=list(names.families), parse_math=False, **style)
    axes.set_xticks(middles, [str(k + 1) for k in range(size)], **style)
    axes.tick_params(length=0, pad=5, labeltop=True, labelbottom=False)
    if names.recommended is not None:
        axes.get_yticklabels()[names.recommended].set_fontweight("bold")
    _fill(axes, similarity, cell)
    _caption(figure, similarity, width, height)
    return figure


def _fill(axes: Axes, similarity: SimilarityMatrix, cell: float) -> None:
    """Draw the cells, and write the values into them."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    digits = similarity_digits(similarity)
    size = min(9.0, cell * 1.38 / (digits + 1))
    squares, colours = [], []
    for row, values in enumerate(similarity.matrix):
        for column, value in enumerate(values):
            squares.append([(column + x, row + y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))])
            strength = min(abs(value), 1.0) if isfinite(value) else 0.0
            colours.append(to_rgba(WRONG if value < 0 else LINE, STRONGEST * strength))
            if len(similarity.names) > MOST_NUMBERED:
                continue
            axes.text(
                column + 0.5,
                row + 0.5,
                _short(value, digits),
                ha="center",
                va="center_baseline",
                fontsize=size,
                color=INK,
            )
    axes.add_collection(
        PolyCollection(squares, facecolors=colours, edgecolors=GRID, linewidths=0.6),
        autolim=False,
    )


def similarity_digits(similarity: SimilarityMatrix) -> int:
    """How many decimals tell pairs apart: two; more where all pairs are near 1."""
    values = [
        value
        for row, each in enumerate(similarity.matrix)
        for column, value in enumerate(each)
        if row != column and isfinite(value)
    ]
    least = min(values, default=0.0)
    return 2 if least < 0.95 else 3 if least < 0.995 else 4


def _short(value: float, digits: int = 2) -> str:
    """Decimals without the zero before them; 1 only where that is exact."""
    if not isfinite(value):
        return "–"
    text = ratio(abs(value), digits)
    shown = "1" if text.startswith("1") else text.removeprefix("0")
    return f"−{shown}" if value < 0 and float(text) else shown


def _caption(figure: Figure, similarity: SimilarityMatrix, width: float, height: float) -> None:
    """Say below what the values are, of how many images, and what chance reaches."""
    null = ""
    if isfinite(similarity.null_high):
        sample = similarity.null_n != similarity.n
        null = (
            f"what chance reaches: {similarity.null_high:.2f} (95% of "
            f"{count(similarity.permutations, 'permutation')}"
            + (f" of {count(similarity.null_n, 'image')}" if sample else "")
            + ")"
        )
    lines = [
        MEASURES[similarity.measure],
        f"n = {count(similarity.n, 'image')}; the more alike, the stronger the colour",
        null,
    ]
    for k, line in enumerate(filter(None, lines)):
        y = (5 - 1.6 - k) * LINE_HEIGHT / height
        figure.text(0, y, line, fontsize=9, color=SOFT, va="baseline")


def _width(figure: Figure, text: str, names: ModelNames) -> float:
    drawn = figure.text(
        0,
        0,
        text,
        fontsize=9,
        fontweight="bold",
        fontfamily=list(names.families),
        parse_math=False,
    )
    width = float(drawn.get_window_extent().width)
    drawn.remove()
    return width
