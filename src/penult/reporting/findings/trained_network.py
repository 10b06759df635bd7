"""Held-out images that trained the network itself."""

from __future__ import annotations

from penult.reporting.content import Report
from penult.reporting.findings.finding import Finding
from penult.wording import no_estimate

__all__ = ["trained_network"]


def trained_network(report: Report) -> Finding | None:
    """Say how many held-out images trained the network, so that the score means little.

    Returns
    -------
    Finding or None
        None where none did, or that is not known.
    """
    trained = report.trained
    known = None if trained is None else trained.settings.get(SETTING)
    if trained is None or not isinstance(known, int) or not known:
        return None
    text = no_estimate(known, trained.scores.images, "held-out image")
    without = trained.settings.get(WITHOUT)
    if without is not None and known < trained.scores.images:
        text += f"; accuracy on the other {trained.scores.images - known:,}: {without}"
    return Finding(f"{text}.", "making")


SETTING = "held-out images that trained the network"
WITHOUT = "accuracy without these"
