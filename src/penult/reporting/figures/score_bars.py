"""Bars of several scores, side by side, a row for each network."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING

from penult.reporting.figures.colors import GRID, INK, LINE, SOFT
from penult.reporting.figures.score_text import has_spread, score_name, score_text
from penult.wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from penult.records import ComparedModel, RunScores
    from penult.reporting.figures.model_names import ModelNames

__all__ = ["score_bars"]

# All in points. The width is that of a telephone's screen, on which the text is then 9 pixels high.
WIDTH, BETWEEN = 360.0, 10.0  # of the figure; of columns
NAME, BAR, GAP = 15.0, 13.0, 8.0  # heights of a name, of a bar, and of what parts two networks
HEADER, FOOTER = 20.0, 30.0
LONGEST_NAME = 40
STRONG, WEAK = 0.42, 0.16  # opacity of bars: the text on them stays readable, in both schemes


def score_bars(rows: Sequence[ComparedModel], names: ModelNames, scores: Sequence[str]) -> Figure:
    """Draw the mean of each score of each network as a bar, with its standard deviation.

    Bars begin at 0, for their lengths are what is compared; the differences of networks that are
    nearly as good are seen in the scatter charts, and in the numbers on the bars.
    Where images have several labels, so that it is easier to have one of them right than all, a
    second bar shows the score where one is enough.

    Parameters
    ----------
    rows : the networks, in the order of their ranks
    names : of them
    scores : names of ``ComparedModel.scores``, a column each
    """
    from matplotlib.figure import Figure

    several = any(_differs(row, score) for row in rows for score in scores)
    pitch = NAME + BAR * (2 if several else 1) + GAP
    body, head = pitch * len(rows), HEADER * (2 if several else 1)
    height = head + body + FOOTER
    width = (WIDTH - BETWEEN * (len(scores) - 1)) / len(scores)
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    columns = [
        figure.add_axes(
            (k * (width + BETWEEN) / WIDTH, FOOTER / height, width / WIDTH, body / height)
        )
        for k in range(len(scores))
    ]
    for axes, score in zip(columns, scores, strict=True):
        _column(axes, body, score_name(score))
        first = [k * pitch + NAME for k in range(len(rows))]
        _bars(axes, first, [row.scores.get(score) for row in rows], STRONG, width)
        # Also where it is the same: a bar that is not there looks like one that is not known.
        second = [k for k, row in enumerate(rows) if several and score in row.any_label]
        _bars(
            axes,
            [first[k] + BAR for k in second],
            [rows[k].any_label[score] for k in second],
            WEAK,
            width,
        )
    for k, name in enumerate(names.numbered(LONGEST_NAME)):
        chosen = k == names.recommended
        columns[0].text(
            0,
            k * pitch + NAME - 4,
            f"{name} (recommended)" if chosen else name,
            fontsize=9.5,
            fontweight="bold" if chosen else "normal",
            fontfamily=list(names.families),
            color=INK,
            parse_math=False,
        )
    if several:
        _legend(columns[0])
    runs = max(len(one.runs) for row in rows for one in row.scores.values())
    if runs > 1:
        figure.text(
            0, 2 / height, f"± standard deviation over {count(runs, 'run')}", fontsize=9, color=SOFT
        )
    return figure


def _column(axes: Axes, height: float, title: str) -> None:
    """Prepare a column: percent across, points down."""
    axes.set(xlim=(0, 100), ylim=(height, 0), yticks=[])
    axes.patch.set_visible(False)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
    axes.set_xticks([0, 50, 100], ["0", "50", "100%"])
    first, _, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")
    axes.tick_params(length=0, labelsize=8.5, labelcolor=SOFT, pad=2)
    axes.set_title(title, loc="left", fontsize=9.5, fontweight="bold", color=INK, pad=6)


def _bars(
    axes: Axes,
    tops: Sequence[float],
    scores: Sequence[RunScores | None],
    opacity: float,
    width: float,
) -> None:
    """Draw a bar for each network, and write its score on it."""
    middles, thick = [top + BAR / 2 for top in tops], BAR - 2
    means = [0.0 if one is None or isnan(one.mean) else 100 * one.mean for one in scores]
    axes.barh(middles, [100.0] * len(means), thick, color=GRID, alpha=0.45, linewidth=0)
    axes.barh(middles, means, thick, color=LINE, alpha=opacity, linewidth=0, label="mean")
    spread = [k for k, one in enumerate(scores) if one is not None and has_spread(one)]
    stds = [100 * one.std if one is not None else 0.0 for one in scores]
    axes.errorbar(
        [means[k] for k in spread],
        [middles[k] for k in spread],
        xerr=[stds[k] for k in spread],
        fmt="none",
        ecolor=INK,
        elinewidth=1,
        capsize=2.5,
        capthick=1,
    )
    for middle, mean, std, one in zip(middles, means, stds, scores, strict=True):
        text, after = _beside_whisker(score_text(one), mean - std, mean + std, width)
        axes.annotate(
            text,
            (mean + std if after else 0, middle),
            xytext=(4, -0.5),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=INK,
        )


def _beside_whisker(text: str, low: float, high: float, width: float) -> tuple[str, bool]:
    """Choose what is written of a score, and whether after the whisker, so that none crosses it.

    Where the bar begins, so that numbers stand in a column; or after a whisker that begins too
    early; or, where that reaches too far as well, the mean without the standard deviation, which
    the whisker shows.
    """
    for shown in (text, text.partition(" ")[0]):
        room = 100 * (4.9 * len(shown) + 8) / width
        if low >= room:
            return shown, False
        if high + room < 100:
            return shown, True
    return text.partition(" ")[0], low < 100 - high


def _differs(row: ComparedModel, score: str) -> bool:
    easier = row.any_label.get(score)
    return easier is not None and easier != row.scores.get(score)


def _legend(axes: Axes) -> None:
    from matplotlib.patches import Patch

    axes.legend(
        handles=[
            Patch(facecolor=LINE, alpha=STRONG, label="all labels right"),
            Patch(facecolor=LINE, alpha=WEAK, label="at least one label right"),
        ],
        loc="lower left",
        bbox_to_anchor=(0, 1 + HEADER / axes.bbox.height),
        borderaxespad=0,
        borderpad=0,
        ncols=2,
        frameon=False,
        fontsize=9,
        labelcolor=SOFT,
    )
