"""Whether the network may be touched."""

from __future__ import annotations

import os

__all__ = ["says_yes", "works_offline"]


def works_offline(asked: bool = False) -> bool:
    """Whether nothing may be fetched: as an option says, or ``PENULT_OFFLINE=1``."""
    return asked or says_yes("PENULT_OFFLINE")


def says_yes(variable: str) -> bool:
    """Whether an environment variable switches something on."""
    return os.environ.get(variable, "").strip().lower() in ("1", "true", "yes", "on")
