"""The figures of a comparison, and the files of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from penult.output import check_folder, explain
from penult.reporting.figures.cost_scatter import COSTS, cost_scatter
from penult.reporting.figures.export import SVG_MARK, to_png, to_svg_file
from penult.reporting.figures.model_names import ModelNames, model_names
from penult.reporting.figures.score_bars import score_bars
from penult.reporting.figures.similarity_map import similarity_map
from penult.wording import count, listed
from penult.written import COMPARISON_FIGURES, SIGNATURE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from penult.records import Comparison, SimilarityMatrix

__all__ = ["comparison_figures", "write_figures"]

SCATTERED = (
    "accuracy",
    "knn_accuracy",
    "hit@1",
    "hit@5",
    "precision@5",
    "macro_f1",
    "soft_f1",
)
_HEAD = 4096  # bytes of a file, in which penult's mark is


def comparison_figures(comparison: Comparison) -> dict[str, Figure]:
    """Draw what a comparison found; names that no font can draw are numbers, with a warning.

    Parameters
    ----------
    comparison : Comparison
        Its rows in the order of their ranks, by which all figures number them.

    Returns
    -------
    dict of str to Figure
        In the order in which they are shown: ``accuracy`` and ``precision``, bars of scores;
        ``parameters``, ``flops`` and ``speed``, scores against costs, with the Pareto front;
        ``cka`` and ``rsa``, heat maps. Those that there is nothing to draw in are left out.
    """
    names = model_names([row.name for row in comparison.rows], comparison.recommended)
    if names.undrawn:
        undrawn = f"{count(len(names.undrawn), 'name')} ({listed(names.undrawn, 3)})"
        logging.getLogger("penult").warning(
            "penult: the figures have numbers in place of %s that no installed font can draw; %s",
            undrawn,
            names.remedy,
        )
    return dict(_figures(comparison, names))


def write_figures(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Write the figures of a comparison into a folder, which is made.

    Files of figures that an earlier call wrote, and that are no longer among them, are removed;
    files of others are not.

    Parameters
    ----------
    figures : mapping of str to Figure
        As `comparison_figures` draws them.
    folder : Path
        The files are right in it.

    Returns
    -------
    list of Path
        ``NAME.png`` and ``NAME.svg`` of each figure, each written whole or not at all.

    Raises
    ------
    OutputError
    """
    check_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain(error, folder) from error
    written: list[Path] = []
    for name, figure in figures.items():
        for write, suffix in ((to_png, ".png"), (to_svg_file, ".svg")):
            written.append(folder / f"{name}{suffix}")
            write(figure, written[-1], overwrite=True)
    for name in COMPARISON_FIGURES:
        for path in (folder / f"{name}.png", folder / f"{name}.svg"):
            if path not in written and _is_ours(path):
                path.unlink(missing_ok=True)
    return written


def _figures(comparison: Comparison, names: ModelNames) -> Iterator[tuple[str, Figure]]:
    rows, score = comparison.rows, comparison.score
    nearest = "knn_accuracy" if score == "knn_accuracy" else "hit@1"
    for name, columns in (
        ("accuracy", ("accuracy", nearest, "hit@5")),
        ("precision", ("precision@5", "macro_f1", "soft_f1")),
    ):
        if there := [one for one in columns if any(one in row.scores for row in rows)]:
            yield name, score_bars(rows, names, there)
    scores = list(dict.fromkeys((score, *SCATTERED)))
    for name, cost in COSTS.items():
        if scatter := cost_scatter(rows, names, scores, cost):
            yield name, scatter
    ranks = {row.name: k for k, row in enumerate(rows)}
    for similarity in (comparison.cka, comparison.rsa):
        if similarity is not None and len(similarity.names) > 1:
            order = [k for k in similarity.names if k in ranks]
            ranked = _ordered(similarity, sorted(order, key=ranks.__getitem__))
            yield similarity.measure, similarity_map(ranked, names)


def _ordered(similarity: SimilarityMatrix, names: list[str]) -> SimilarityMatrix:
    """Return it with its rows and columns in another order."""
    places = [similarity.names.index(name) for name in names]
    return replace(
        similarity,
        names=tuple(names),
        matrix=tuple(tuple(similarity.matrix[a][b] for b in places) for a in places),
        p=tuple(tuple(similarity.p[a][b] for b in places) for a in places),
    )


def _is_ours(path: Path) -> bool:
    """Say whether penult wrote a file of that name: it has marked it."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return (SIGNATURE if path.suffix == ".png" else SVG_MARK.encode()) in head
