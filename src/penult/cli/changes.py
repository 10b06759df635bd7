"""What an update changes in a feature file, in lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penult.cli.console import say
from penult.wording import count, listed

if TYPE_CHECKING:
    from penult.records import Changes, Relabelled

__all__ = ["say_changes"]

_FEW = 3


def say_changes(changes: Changes) -> None:
    """Say a line for each kind of change that there is."""
    told = {
        "added": changes.added,
        "removed": changes.removed,
        "can no longer be read": changes.failed,
        "changed": changes.changed,
        "renamed": [f"{one} to {other}" for one, other in changes.renamed],
    }
    for what, images in told.items():
        if images:
            say(f"{what}: {count(len(images), 'image')}, {listed(images, _FEW)}")
    if changes.relabelled:
        say(f"relabelled: {_relabelled(changes.relabelled)}")
    if changes.classes_gone:
        gone = changes.classes_gone
        say(f"gone: {count(len(gone), 'class')}, {listed(gone, _FEW)}")


def _relabelled(images: Sequence[Relabelled]) -> str:
    """How many, from which labels to which, and the first of those that share them."""
    pairs = Counter(
        f"{' and '.join(one.before) or 'no label'} to {' and '.join(one.after) or 'no label'}"
        for one in images
    )
    many = count(len(images), "image")
    if len(pairs) > 1:
        each = [f"{pair} ({n:,})" for pair, n in pairs.most_common()]
        return f"{many}, {listed(each, _FEW)}"
    (pair,) = pairs
    return f"{many}, {pair}: {listed([one.id for one in images], _FEW)}"
