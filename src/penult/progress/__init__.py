"""How far something is, shown where somebody looks: on a terminal, in a notebook, in a log."""

from __future__ import annotations

from penult.progress.display import Display
from penult.progress.follow import (
    ShowProgress,
    Tell,
    announce,
    announcing,
    announcing_late,
    following,
    is_watched,
    shown,
)

__all__ = [
    "Display",
    "ShowProgress",
    "Tell",
    "announce",
    "announcing",
    "announcing_late",
    "following",
    "is_watched",
    "shown",
]
