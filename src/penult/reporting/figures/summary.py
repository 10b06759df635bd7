"""A summary of rows as four charts: the spectrum, norms, distances, k-occurrences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from penult.messages import printable
from penult.reporting.figures.colors import GRID, INK, LINE, PAPER, SOFT, WRONG
from penult.reporting.figures.export import to_file, to_html_picture
from penult.wording import count, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from penult.records import Hubness, Summary

__all__ = ["draw_summary", "summary_as_html", "write_summary_figure"]

_BINS = 40


def draw_summary(summary: Summary) -> Figure:
    """Draw the four charts side by side; one of which there are no numbers says so."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7.2), facecolor=PAPER)
    figure.subplots_adjust(wspace=0.22, hspace=0.38, top=0.88)
    axes = figure.subplots(2, 2)
    for one in axes.flat:
        _style(one)
    _spectrum(axes[0, 0], summary)
    _norms(axes[0, 1], summary)
    _distances(axes[1, 0], summary)
    _occurrences(axes[1, 1], summary.hubness)
    figure.suptitle(
        printable(summary.line), x=0.125, ha="left", fontsize=10.5, color=SOFT, parse_math=False
    )
    return figure


def write_summary_figure(summary: Summary, path: Path, *, overwrite: bool = False) -> None:
    """Write the charts, by the suffix PNG or SVG, whole or not at all.

    Raises
    ------
    OutputExistsError, PathNotFoundError, OutputError
    """
    to_file(draw_summary(summary), path, overwrite=overwrite)


def summary_as_html(summary: Summary) -> str:
    """Draw the charts as an HTML element for a notebook."""
    return to_html_picture(draw_summary(summary), "summary")


def _style(axes: Axes) -> None:
    axes.set_facecolor(PAPER)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, labelsize=9, labelcolor=SOFT, pad=5)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(fontsize=9.5, color=SOFT)


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=10.5, fontweight="bold", color=INK, pad=10)


def _spectrum(axes: Axes, summary: Summary) -> None:
    spectrum = summary.spectrum
    variance = spectrum.variance
    if not len(variance):
        _nothing(axes, "Variance", "all rows are the same")
        return
    held = 100 * np.cumsum(variance) / variance.sum()
    _title(axes, f"Effective rank {spectrum.effective_rank:.0f} of {spectrum.most:,}")
    axes.plot(np.arange(1, len(held) + 1), held, color=LINE, linewidth=1.8)
    axes.set_xlabel("principal components")
    axes.set_ylabel("variance held, %")
    axes.set_ylim(0, 103)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_minor_formatter(lambda *_: "")
    # Marks on the curve, which leaves the corner below it to their names.
    for place, name, mark in (
        (spectrum.participation_ratio, "participation ratio", "o"),
        (spectrum.components(0.95), "95% of the variance", "s"),
        (spectrum.effective_rank, "effective rank", "D"),
    ):
        height = float(np.interp(place, np.arange(1, len(held) + 1), held))
        axes.plot(
            [place],
            [height],
            marker=mark,
            markersize=8,
            linestyle="",
            color=WRONG,
            markeredgecolor=PAPER,
            label=f"{name}: {place:,.0f}",
        )
    axes.legend(frameon=False, fontsize=9, labelcolor=SOFT, loc="lower right")


def _norms(axes: Axes, summary: Summary) -> None:
    values = summary.norms.values
    _title(axes, f"Norms {summary.norms.mean:.3g} ± {summary.norms.std:.2g}")
    counts, edges = np.histogram(values, _BINS if values.min() < values.max() else 1)
    axes.stairs(counts, edges, fill=True, color=LINE, alpha=0.75)
    axes.set_xlabel("Euclidean length of a row")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.set_ylabel("rows")


def _distances(axes: Axes, summary: Summary) -> None:
    found = summary.distances
    if found is None:
        _nothing(axes, "Distances", "fewer than two different rows")
        return
    axes.set_xlabel(
        f"{summary.metric.capitalize()} distance of two rows, of {count(found.rows, 'row')}"
    )
    axes.set_ylabel("pairs of the kind, %")
    if found.within is None or found.between is None or found.overlap is None:
        _title(axes, f"Distances {found.all.mean:.3g} ± {found.all.std:.2g}")
        _filled(axes, found.all.histogram, found.edges, LINE, "all pairs")
        return
    _title(axes, f"Classes overlap by {percent(found.overlap)} (50% by chance)")
    _filled(axes, found.between.histogram, found.edges, WRONG, "two classes")
    _filled(axes, found.within.histogram, found.edges, LINE, "same class")
    # Side by side above the highest bar.
    axes.set_ylim(top=1.2 * 100 * max(found.within.histogram.max(), found.between.histogram.max()))
    axes.legend(frameon=False, fontsize=9, labelcolor=SOFT, loc="upper left", reverse=True, ncols=2)


def _filled(
    axes: Axes, shares: NDArray[np.float64], edges: NDArray[np.float64], color: str, name: str
) -> None:
    axes.stairs(100 * shares, edges, fill=True, color=color, alpha=0.35)
    axes.stairs(100 * shares, edges, color=color, linewidth=1.5, label=name)


def _occurrences(axes: Axes, hubness: Hubness | None) -> None:
    if hubness is None:
        _nothing(axes, "Hubness", "fewer than four different rows")
        return
    counts = hubness.occurrences
    _title(axes, f"Hubness {hubness.skewness:.2f}")
    width = max(1, int(np.ceil((counts.max() + 1) / _BINS)))
    edges = np.arange(0, counts.max() + width + 1, width) - 0.5
    rows = np.histogram(counts, edges)[0]
    axes.stairs(rows, edges, fill=True, color=LINE, alpha=0.75)
    axes.set_yscale("log")
    # With room for what the line is, above the highest bar.
    lowest = 0.7
    axes.set_ylim(lowest, rows.max() * (rows.max() / lowest) ** 0.18)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_minor_formatter(lambda *_: "")
    k = hubness.neighbors
    axes.set_xlabel(f"of how many rows among the {k} nearest")
    axes.set_ylabel("rows, log scale")
    axes.axvline(k, color=WRONG, linewidth=1.1, linestyle=(0, (4, 2)))
    axes.annotate(
        f"mean {k}",
        (k, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(5, 0),
        textcoords="offset points",
        va="top",
        fontsize=9,
        color=INK,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )


def _nothing(axes: Axes, title: str, why: str) -> None:
    _title(axes, title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, why, transform=axes.transAxes, ha="center", color=SOFT, fontsize=10)
