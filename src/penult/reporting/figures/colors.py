"""The colours of the charts."""

from __future__ import annotations

__all__ = ["GRID", "INK", "LINE", "PAPER", "SOFT", "VARIABLES", "WRONG"]

# Each colour is the style sheet's variable of that name; on paper it is the light one.
LINE, WRONG, INK, SOFT, GRID = "#4f2d94", "#b3420a", "#1b1b22", "#5c5e6b", "#e3e3ea"
PAPER = "#fefefe"  # not quite white, which matplotlib itself writes
VARIABLES = {
    LINE: "accent",
    WRONG: "wrong",
    INK: "ink",
    SOFT: "soft",
    GRID: "line",
    PAPER: "paper",
}
