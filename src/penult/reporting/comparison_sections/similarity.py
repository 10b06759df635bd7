"""How alike the features of the models are."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from penult.records import SimilarityMatrix
from penult.reporting.comparison_sections.content import ComparisonContent
from penult.reporting.figures.similarity_map import similarity_digits
from penult.web.section import Section
from penult.web.thumbnails import Thumbnails
from penult.wording import count, ratio

__all__ = ["SIMILARITY"]

TITLES = {"cka": "CKA", "rsa": "RSA"}
MEANINGS = {
    "cka": "Debiased linear centred kernel alignment: 1 where the features of one model are those "
    "of the other but for a rotation and a scale, about 0 where they have nothing in common.",
    "rsa": "Representational similarity analysis: the rank correlation, over all pairs of images, "
    "of how unlike two images are to the one model and to the other; 1 where both order the pairs "
    "alike, about 0 where they have nothing in common.",
}


@dataclass(frozen=True)
class _Pair:
    a: str
    b: str
    value: float
    digits: int

    @property
    def text(self) -> str:
        return ratio(self.value, self.digits)


@dataclass(frozen=True)
class _Measure:
    title: str
    meaning: str
    null: str
    chart: str
    pairs: tuple[_Pair, ...]


def _content(shown: ComparisonContent, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    found = (shown.comparison.cka, shown.comparison.rsa)
    measures = [
        _Measure(
            title=TITLES[one.measure],
            meaning=MEANINGS[one.measure],
            null=_null(one, _pairs(one)),
            chart=shown.figures.get(one.measure, ""),
            pairs=_pairs(one),
        )
        for one in found
        if one is not None and len(one.names) > 1
    ]
    return {"measures": measures} if measures else None


def _pairs(one: SimilarityMatrix) -> tuple[_Pair, ...]:
    """Those that have a value, the most alike first."""
    digits = similarity_digits(one)
    pairs = (
        _Pair(one.names[a], one.names[b], one.matrix[a][b], digits)
        for a, b in itertools.combinations(range(len(one.names)), 2)
    )
    return tuple(sorted((p for p in pairs if isfinite(p.value)), key=lambda pair: -pair.value))


def _null(one: SimilarityMatrix, pairs: Sequence[_Pair]) -> str:
    """Of how many images it is, and how alike chance alone makes two models."""
    if not isfinite(one.null_high):
        return f"Of {count(one.n, 'image')}."
    of = "" if one.null_n == one.n else f" of a sample of {one.null_n:,}"
    text = (
        f"Of {count(one.n, 'image')}; where the images of one model are shuffled{of}, so that "
        f"chance alone is left, 95% of {one.permutations:,} permutations are below "
        f"{ratio(one.null_high, 3)}"
    )
    beneath = sum(pair.value <= one.null_high for pair in pairs)
    if beneath:
        text += f", and so {'is' if beneath == 1 else 'are'} {count(beneath, 'pair')} here"
    return f"{text}."


SIMILARITY = Section[ComparisonContent](
    name="similarity",
    title="How alike their features are",
    content=_content,
    tab="Similarity",
)
