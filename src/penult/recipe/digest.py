"""A recipe's digest: equal recipes have the same, and others have another."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from penult.recipe.base import Recipe

__all__ = ["recipe_sha256"]


def recipe_sha256(recipe: Recipe) -> str:
    """Digest what makes a row, and nothing else: names and versions of libraries do not count.

    Parameters
    ----------
    recipe : Recipe

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits, of the tree's kinds and settings as JSON with sorted keys.
    """
    text = json.dumps(_counting(recipe), sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()


def _counting(recipe: Recipe) -> dict[str, Any]:
    return {
        "kind": recipe.kind,
        "settings": recipe.settings(),
        "parts": [_counting(part) for part in recipe.parts],
    }
