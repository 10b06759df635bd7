"""Colours for categories, which colour-blind people can tell apart as far as there are enough."""

from __future__ import annotations

__all__ = ["CATEGORICAL"]

CATEGORICAL = (
    *("#3f7fd0", "#e2691e", "#7d3fb0", "#2f9464", "#c2305a", "#e0a526", "#3cd2f0", "#4b5a00"),
    *("#ff96a5", "#a596ff", "#c378a5", "#696987", "#78b478", "#3c4b87", "#872d5a", "#69a5d2"),
    *("#87691e", "#96d269", "#a55ab4", "#00785a", "#96c3c3", "#78963c", "#784b3c", "#5a8787"),
    *("#c396b4", "#0f78a5", "#96b4ff", "#a5a54b", "#8787c3", "#00c396", "#784b78", "#3c96e1"),
)
"""Thirty-two colours as ``#rrggbb``, legible on white and on black; the first ones differ most.

From the first six on, each is the one farthest from those before it in Ottosson's OKLab, by the
least of its distances to normal, protanopic and deuteranopic sight (Machado, Oliveira and Fernandes
2009, severity 1), among colours of lightness 0.43 to 0.80 and chroma 0.04 to 0.155.
"""
