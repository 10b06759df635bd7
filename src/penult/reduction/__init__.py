"""Principal components of rows that are read block by block, and may exceed the memory."""

from __future__ import annotations

from penult.reduction.fit import Blocks, fit_projection, require_components

__all__ = ["Blocks", "fit_projection", "require_components"]
