"""What the nearest rows say of a query's label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["Vote"]


@short_repr
@dataclass(frozen=True)
class Vote:
    """What the nearest rows say of a query's label.

    Attributes
    ----------
    label : str
        The label that got most of the votes.
    confidence : float
        Its share of the votes, in (0, 1].
    labels : tuple of str or None
        Where rows of the gallery may have several labels, those that more than half of the votes
        are for, most first; None where each has one.
    shares : tuple of (str, float)
        Every label that was voted for and its share, largest first. Where rows may have several
        labels, each label is voted on by itself, and the shares need not sum to one.
    """

    label: str
    confidence: float
    labels: tuple[str, ...] | None = None
    shares: tuple[tuple[str, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold: ``vote`` in ``penult search --json``.

        Returns
        -------
        dict
            ``label``, ``confidence``, and ``labels`` where rows may have several.
        """
        several = {} if self.labels is None else {"labels": list(self.labels)}
        return {"label": self.label, "confidence": self.confidence, **several}
