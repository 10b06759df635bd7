"""Pairs at several cosines, by which a person sees where they stop being one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penult.records import DuplicatePair, ThresholdCount
from penult.reporting.duplicate_pictures import PicturedPair, pictured_pairs
from penult.reporting.duplicate_sections.content import DuplicatesContent
from penult.retrieve.duplicates.comparison import CALIBRATION as LEVELS
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails

__all__ = ["CALIBRATION"]

MOST_PAIRS = 6  # of a level


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
    at_level: dict[float, list[DuplicatePair]] = {level: [] for level in LEVELS}
    for pair in found.examples:
        at_level[min(LEVELS, key=lambda level: abs(level - pair.cosine))].append(pair)
    counts = {round(one.threshold, 4): one for one in found.counts}
    return {
        "levels": [
            _Level(
                level,
                pictured_pairs(_nearest(pairs, level), thumbnails),
                counts.get(level),
                looked_for=found.least <= level,
            )
            for level, pairs in at_level.items()
        ],
        "threshold": found.threshold,
    }


def _nearest(pairs: list[DuplicatePair], level: float) -> list[DuplicatePair]:
    nearest = sorted(pairs, key=lambda pair: abs(pair.cosine - level))[:MOST_PAIRS]
    return sorted(nearest, key=lambda pair: -pair.cosine)


CALIBRATION = Section[DuplicatesContent](
    name="calibration", title="Which threshold?", content=_content, tab="Threshold"
)
