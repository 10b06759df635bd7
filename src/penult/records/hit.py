"""A row that a search found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["Hit"]


@short_repr
@dataclass(frozen=True)
class Hit:
    """A row that a search found.

    Attributes
    ----------
    id : str
        The row's id in the gallery.
    similarity : float or None
        Its cosine with the query, in [-1, 1], larger is nearer; None where the metric is a
        distance.
    distance : float or None
        Its Euclidean distance to the query, smaller is nearer; None where the metric is a
        similarity.
    label : str or None
        Its label; None where it has none, or several.
    labels : tuple of str or None
        Where rows of the gallery may have several labels, those that it has; None elsewhere.
    """

    id: str
    similarity: float | None = None
    distance: float | None = None
    label: str | None = None
    labels: tuple[str, ...] | None = None

    @property
    def value(self) -> float | None:
        """Its similarity or its distance, whichever the metric gives."""
        return self.similarity if self.distance is None else self.distance

    @property
    def all_labels(self) -> tuple[str, ...]:
        """Its labels: none, one, or several."""
        if self.labels is not None:
            return self.labels
        return () if self.label is None else (self.label,)

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold: an element of ``hits`` in ``penult search --json``.

        Returns
        -------
        dict
            ``id``, ``similarity`` or ``distance``, ``label``, and ``labels`` where rows may have
            several.
        """
        near = "similarity" if self.distance is None else "distance"
        several = {} if self.labels is None else {"labels": list(self.labels)}
        return {"id": self.id, near: self.value, "label": self.label, **several}
