"""How the queries of one label did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penult.representation import short_repr

__all__ = ["LabelSearchScore"]


@short_repr
@dataclass(frozen=True)
class LabelSearchScore:
    """How the queries of one label did.

    Attributes
    ----------
    label : str
        The label.
    queries : int
        Queries that have it and were scored.
    scores : mapping of str to float
        Name of a score to its mean over these queries, in [0, 1]; the names are those of
        `SearchScores`.
    """

    label: str
    queries: int
    scores: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Write it as what JSON can hold.

        Returns
        -------
        dict
            ``label``, ``queries``, and each score by its name, with its ``value`` alone.
        """
        scores = {name: {"value": value} for name, value in self.scores.items()}
        return {"label": self.label, "queries": self.queries, **scores}
