"""Rows as points in two dimensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from penult.records.map_quality import MapQuality
from penult.records.map_words import METHOD_NAMES, map_caution, map_method, map_quality
from penult.representation import html_table, one_line, short_text
from penult.wording import count, percent, ratio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RowMap"]


@dataclass(frozen=True, kw_only=True)
class RowMap:
    """Rows as points in two dimensions, which keep as many neighbours as two dimensions can.

    Attributes
    ----------
    ids : sequence of str, length N
        The rows that are on it, in the order of the features.
    xy : float32 array, shape (N, 2)
        Their places; they have no unit.
    columns : mapping of str to sequence of (str, bool, int, float or None), length N each
        What is known of each row and may colour it: ``label``, and ``split`` and ``group`` where
        the features have them; then those of tables that were given. None where there is nothing.
        Floats are measured; all else names.
    joined : frozenset of str
        The columns of whose values each may be several names, joined by ``|``.
    method : {"pca", "tsne", "umap", "given"}
        What placed them; ``"given"`` where the coordinates came in a table that does not say.
    params : mapping
        The method's, JSON-like: ``perplexity``, ``early_exaggeration``, ``neighbors``, ``seed``.
    metric : {"cosine", "euclidean"}
        By which rows are near to each other.
    layer : str
        What the rows are called.
    total : int
        Rows of the features, on the map or not.
    fit_on : {"train", "validation", "test"} or None
        The part that it was fitted on; None where that is all rows.
    placed : bool array, shape (N,), or None
        Which rows were placed on the map of the others; None for none.
    explained_variance : pair of float or None
        Of PCA: the shares of the rows' variance along x and along y.
    quality : MapQuality or None
        None where there are too few rows to have neighbours.
    picture : callable or None
        What draws it as HTML in a notebook.
    """

    ids: Sequence[str]
    xy: NDArray[np.float32]
    columns: Mapping[str, Sequence[str | bool | int | float | None]]
    joined: frozenset[str] = frozenset()
    method: Literal["pca", "tsne", "umap", "given"]
    params: Mapping[str, Any] = field(default_factory=dict)
    metric: Literal["cosine", "euclidean"] = "cosine"
    layer: str
    total: int
    fit_on: Literal["train", "validation", "test"] | None = None
    placed: NDArray[np.bool_] | None = None
    explained_variance: tuple[float, float] | None = None
    quality: MapQuality | None = None
    picture: Callable[[RowMap], str] | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        """The number of rows on it."""
        return len(self.ids)

    @property
    def placed_rows(self) -> int:
        """How many rows were placed on the map of the others."""
        return 0 if self.placed is None else int(self.placed.sum())

    @property
    def method_line(self) -> str:
        """How it was made, in words."""
        return map_method(self)

    @property
    def quality_line(self) -> str:
        """How good it is, in words; "" where there are too few rows to say."""
        return map_quality(self)

    @property
    def caution(self) -> str:
        """What must not be read out of it, in a sentence."""
        return map_caution(self)

    def to_dict(self) -> dict[str, Any]:
        """Write what is known of it as what JSON can hold; not the coordinates.

        Returns
        -------
        dict
            What ``penult map --json`` prints; further keys may come.
        """
        return {
            "method": self.method,
            "params": dict(self.params),
            "metric": self.metric,
            "layer": self.layer,
            "rows": len(self),
            "total": self.total,
            "fit_on": self.fit_on,
            "placed": self.placed_rows,
            "columns": [*self.columns],
            "explained_variance": self.explained_variance and list(self.explained_variance),
            "quality": self.quality and self.quality.to_dict(),
        }

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each row of the map.

        Returns
        -------
        pandas.DataFrame
            The columns of the table that ``penult map -o map.csv`` writes: ``id``; ``x``; ``y``;
            ``label``, missing where there is none, several joined by ``|``; ``split`` and
            ``group`` where the features have them; then those of tables that were given.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import row_map_to_dataframe

        return row_map_to_dataframe(self)

    def __repr__(self) -> str:
        return one_line("RowMap", self._facts())

    def _facts(self) -> list[tuple[str, str | None]]:
        quality, shown = self.quality, len(self)
        rows = count(self.total, "row")
        rows = rows if shown == self.total else f"{shown:,} of {rows}"
        return [
            ("method", METHOD_NAMES[self.method]),
            ("rows", rows),
            ("layer", short_text(self.layer)),
            ("placed", f"{self.placed_rows:,} of them placed" if self.placed_rows else None),
            *([] if quality is None else _measured(quality)),
        ]

    def _repr_html_(self) -> str:
        table = html_table("RowMap", self._facts())
        return table if self.picture is None else f"<div>{self.picture(self)}{table}</div>"


def _measured(quality: MapQuality) -> list[tuple[str, str | None]]:
    return [
        ("neighbours", f"{percent(quality.kept)} of neighbours kept"),
        ("trustworthiness", f"trustworthiness {ratio(quality.trustworthiness, 3)}"),
    ]
