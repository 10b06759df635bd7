"""What the page of a comparison is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from penult.records import ComparedModel, Comparison, ModelDifference

__all__ = ["ComparisonContent"]


@dataclass(frozen=True, kw_only=True)
class ComparisonContent:
    """What the page of a comparison is made from.

    Attributes
    ----------
    comparison : Comparison
        What was found.
    figures : mapping of str to str
        The charts as SVG elements, by their names.
    """

    comparison: Comparison
    figures: Mapping[str, str]

    @property
    def rows(self) -> tuple[ComparedModel, ...]:
        """The compared, best first."""
        return self.comparison.rows

    @property
    def several_labels(self) -> bool:
        """Whether finding one label of an image is easier here than finding all."""
        return any(
            one != row.scores.get(name) for row in self.rows for name, one in row.any_label.items()
        )

    def difference(self, a: str, b: str) -> tuple[ModelDifference, int] | None:
        """Find what was measured between two, and 1, or -1 where it is of b less a."""
        return self._differences.get((a, b))

    @cached_property
    def _differences(self) -> Mapping[tuple[str, str], tuple[ModelDifference, int]]:
        found = self.comparison.differences
        return {(one.b, one.a): (one, -1) for one in found} | {
            (one.a, one.b): (one, 1) for one in found
        }

    def ties_best(self, name: str) -> bool:
        """Whether one that is not the best cannot be told from it."""
        found = self.difference(self.comparison.best, name)
        return found is not None and not found[0].separable
