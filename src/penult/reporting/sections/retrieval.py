"""How well a search among the rows finds images of the same label, and examples of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from penult.records import Hit, SearchResult, SearchScores
from penult.reporting.content import Report
from penult.reporting.sections.base import LARGE, Section
from penult.tabular import VALUE_NAMES
from penult.web.thumbnails import Thumbnails
from penult.wording import ratio

__all__ = ["SECTION"]

MOST_QUERIES, MOST_HITS = 12, 5
MOST_LABELS = 8

_MEANINGS = {
    "r_precision": "R-precision: of as many of the nearest as there are relevant images, those "
    "that are relevant",
    "average_precision": "mean average precision, over all ranks",
    "map@r": "mean average precision, up to as many ranks as there are relevant images",
    "mrr": "mean reciprocal rank of the nearest relevant image",
}
_MEANINGS_AT_K = {
    "hit": "queries with a relevant image among the {k} nearest (top-{k} accuracy)",
    "precision": "of the {k} nearest, those that are relevant",
    "recall": "of the relevant images, those among the {k} nearest",
    "ndcg": "discounted gain of the {k} nearest; 1 where all relevant images come first",
    "jaccard_ndcg": "the same, an image counting by the share of the labels that it has in common",
}
_MEANINGS_AT_1 = {
    "hit": "queries whose nearest image is relevant (top-1 accuracy)",
    "recall": "of the relevant images, the nearest one alone",
    "jaccard_ndcg": "discounted gain of the nearest, by the share of the labels in common",
}
_SAME_AS_HIT = {"precision@1", "ndcg@1"}


@dataclass(frozen=True)
class _PicturedHit:
    hit: Hit
    near: str
    labels: str
    right: bool | None
    picture: str | None


@dataclass(frozen=True)
class _PicturedQuery:
    id: str
    labels: str
    picture: str | None
    hits: tuple[_PicturedHit, ...]


def _content(report: Report, thumbnails: Thumbnails) -> Mapping[str, Any] | None:
    scores = report.retrieval
    if scores is None:
        return None
    return {
        "scores": scores,
        "skipped": scores.gallery
        - (scores.queries_any_label if report.multilabel else scores.queries),
        "rows": list(_rows(scores, any_label=report.multilabel)),
        "labels": scores.labels[:MOST_LABELS],
        "hit": f"hit@{scores.k[0]}",
        "near": VALUE_NAMES[scores.metric],
        "shown": [_pictured(one, thumbnails) for one in scores.examples[:MOST_QUERIES]],
        # Every row of them searches, but for those without a label.
        "sampled": scores.gallery + scores.unlabelled < report.images - len(report.failures),
    }


def _rows(scores: SearchScores, *, any_label: bool) -> Iterator[dict[str, Any]]:
    """One for each score; where images have several labels, of rows that share any of them too."""
    shown = scores.any_label if any_label else scores.scores
    for name, score in shown.items():
        if name in _SAME_AS_HIT:
            continue
        unlike = scores.without_duplicates
        yield {
            "name": name,
            "score": score,
            "every": scores.scores.get(name) if any_label else None,
            "without": (unlike.any_label if any_label else unlike.scores).get(name),
            "meaning": _meaning(name),
        }


def _meaning(name: str) -> str:
    kind, _, k = name.partition("@")
    at_k = _MEANINGS_AT_1 if k == "1" else _MEANINGS_AT_K
    return _MEANINGS.get(name) or at_k.get(kind, "").format(k=k)


def _pictured(result: SearchResult, thumbnails: Thumbnails) -> _PicturedQuery:
    return _PicturedQuery(
        result.query,
        ", ".join(result.labels),
        thumbnails.photo(result.query, LARGE),
        tuple(
            _PicturedHit(
                hit,
                _near(hit),
                ", ".join(hit.all_labels),
                result.is_right(hit),
                thumbnails.photo(hit.id, LARGE),
            )
            for hit in result.hits[:MOST_HITS]
        ),
    )


def _near(hit: Hit) -> str:
    if hit.similarity is not None:
        return ratio(hit.similarity, 3)
    return "" if hit.distance is None else f"{hit.distance:.3g}"


SECTION = Section(name="retrieval", title="Image search", content=_content)
