"""The sections of the page of a comparison, in its order."""

from __future__ import annotations

from penult.reporting.comparison_sections.charts import CHARTS
from penult.reporting.comparison_sections.content import ComparisonContent
from penult.reporting.comparison_sections.costs import COSTS
from penult.reporting.comparison_sections.differences import DIFFERENCES
from penult.reporting.comparison_sections.making import MAKING
from penult.reporting.comparison_sections.models import MODELS
from penult.reporting.comparison_sections.scores import SCORES
from penult.reporting.comparison_sections.similarity import SIMILARITY
from penult.reporting.comparison_sections.skipped import SKIPPED

__all__ = ["COMPARISON_SECTIONS", "ComparisonContent"]

COMPARISON_SECTIONS = (
    MODELS,
    CHARTS,
    DIFFERENCES,
    SIMILARITY,
    SCORES,
    COSTS,
    SKIPPED,
    MAKING,
)
