"""The sections of the page of duplicates, in its order."""

from __future__ import annotations

from penult.reporting.duplicate_sections.across import ACROSS
from penult.reporting.duplicate_sections.calibration import CALIBRATION
from penult.reporting.duplicate_sections.content import DuplicatesContent
from penult.reporting.duplicate_sections.groups import GROUPS
from penult.reporting.duplicate_sections.next_steps import NEXT_STEPS
from penult.reporting.duplicate_sections.suspects import SUSPECTS

__all__ = ["DUPLICATE_SECTIONS", "DuplicatesContent"]

DUPLICATE_SECTIONS = (GROUPS, ACROSS, SUSPECTS, CALIBRATION, NEXT_STEPS)
