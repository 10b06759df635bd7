"""A classifier that is served, and what it has in common with a gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from penult.classify.classifier import Classifier
    from penult.recipe import Recipe
    from penult.serving.engine_queue import Lane

__all__ = ["ServedClassifier", "ServedModel"]


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """What answers, as its answers name it.

    Attributes
    ----------
    name : str
        Its file's.
    kind : {"classifier", "gallery"}
    recipe : Recipe
        How photos become its rows.
    recipe_sha256 : str
    version : str
        Digest of what it holds, which another file has not.
    lane : Lane
        What makes such rows.
    """

    name: str
    kind: Literal["classifier", "gallery"]
    recipe: Recipe
    recipe_sha256: str
    version: str
    lane: Lane

    def to_dict(self) -> dict[str, str]:
        """Name it in an answer."""
        return {
            "name": self.name,
            "kind": self.kind,
            "recipe_sha256": self.recipe_sha256,
            "version": self.version,
        }


@dataclass(frozen=True, kw_only=True)
class ServedClassifier(ServedModel):
    """A classifier that is served."""

    classifier: Classifier
