"""Whether fine-tuning was worth it."""

from __future__ import annotations

from penult.reporting.content import Report
from penult.reporting.findings.finding import Finding

__all__ = ["fine_tuned"]


def fine_tuned(report: Report) -> Finding | None:
    """Say what the checkpoint says of itself beside the frozen network's probe.

    Returns
    -------
    Finding or None
        None where the page is of no fine-tuned network.
    """
    if report.finetuning is None or not report.finetuning.verdict:
        return None
    return Finding(report.finetuning.verdict, "finetuning")
