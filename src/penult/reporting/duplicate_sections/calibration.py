"""Pairs at several cosines, by which a person sees where they stop being one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penult.interface import as_argument, shell_quote
from penult.records import DuplicatePair, ThresholdCount
from penult.reporting.duplicate_pictures import PicturedPair, pictured_pairs
from penult.reporting.duplicate_sections.content import DuplicatesContent
from penult.retrieve.duplicates.comparison import calibration_levels
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["CALIBRATION"]

_LESS = 0.05  # how far below the last level to look further


@dataclass(frozen=True)
class _Level:
    threshold: float
    pairs: list[PicturedPair]
    counts: ThresholdCount | None
    looked_for: bool


def _content(shown: DuplicatesContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    found = shown.duplicates
    if not found.examples and not found.counts:
        return None
    # Of equal rows there is nothing to be seen.
    levels = [level for level in calibration_levels(found.threshold) if level < 1]
    at_level: dict[float, list[DuplicatePair]] = {level: [] for level in levels}
    for pair in found.examples:
        below = [level for level in levels if level <= pair.cosine]
        if below:
            at_level[below[0]].append(pair)
    counts = {round(one.threshold, 4): one for one in found.counts}
    return {
        "levels": [
            _Level(
                level,
                pictured_pairs(pairs, thumbnails),
                counts.get(level),
                looked_for=found.least <= level,
            )
            for level, pairs in at_level.items()
        ],
        "threshold": found.threshold,
        "last": min(level for level in levels if level >= min(found.least, levels[0])),
        # Below the last level nothing was looked for; how to, unless there are too many already.
        "further": _further(shown, levels[-1]) if found.least <= levels[-1] else "",
    }


def _further(shown: DuplicatesContent, last: float) -> str:
    less = round(last - _LESS, 4)
    if less <= 0:
        return ""
    page = f"-o {shell_quote(shown.page)} --overwrite"
    return f"penult duplicates {shell_quote(as_argument(shown.file))} --threshold {less:g} {page}"


CALIBRATION = Section[DuplicatesContent](
    name="calibration", title="Which threshold?", content=_content, tab="Threshold"
)
