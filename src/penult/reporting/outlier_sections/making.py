"""How outliers were found, what is called unusual, and how to have them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penult.interface import as_argument, shell_quote
from penult.records import REASONS
from penult.reporting.outlier_sections.content import OutliersContent
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["MAKING"]

_MOST = 200  # references


def _content(shown: OutliersContent, thumbnails: Thumbnails) -> Mapping[str, Any]:
    found = shown.outliers
    words = ["penult", "outliers", as_argument(shown.file), "--reference", found.reference]
    words += ["-k", str(found.k), "--layer", found.layer]
    if found.metric != "cosine":
        words += ["--metric", found.metric]
    again = " ".join(map(shell_quote, words))
    return {
        "again": [f"{again} -o outliers.csv --overwrite", f"{again} --json"],
        "outliers": found,
        "references": found.references[:_MOST],
        "left_out": max(0, len(found.references) - _MOST),
        "common": [(REASONS[one.reason], len(one)) for one in found.issues if one.common],
    }


MAKING = Section[OutliersContent](name="making", title="How it was made", content=_content)
