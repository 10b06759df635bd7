"""Duplicates and scores of a search that were made up, of the images of `reports`."""

from __future__ import annotations

import itertools

from penult.records import (
    DuplicateGroup,
    DuplicatePair,
    Duplicates,
    Hit,
    LabelSearchScore,
    ScoreInterval,
    SearchAverages,
    SearchResult,
    SearchResults,
    SearchScores,
    SplitLeaks,
    ThresholdCount,
)


def pair(first, second, cosine, labels=("iris", "iris"), splits=("train", "test")):
    return DuplicatePair(first, second, cosine, cosine == 1, labels, splits)


def group(*ids, keep=0, weakest=0.96, exact=False, label="iris"):
    """A group whose images are linked as a chain, each to the next."""
    links = [pair(*ends, 1.0 if exact else weakest) for ends in itertools.pairwise(ids)]
    return DuplicateGroup(
        ids=ids,
        keep=ids[keep],
        weakest=1.0 if exact else weakest,
        exact=exact,
        links=tuple(links),
        kept_for="pixels",
        cosines=tuple(1.0 if exact or k == keep else 0.975 for k in range(len(ids))),
        labels=(label,) * len(ids),
        splits=("train",) * len(ids),
    )


def duplicates_of(*groups, **changes):
    return Duplicates(
        **{
            "groups": groups,
            "pairs": sum(len(one) - 1 for one in groups),
            "threshold": 0.95,
            "least": 0.9,
            "rows": 32,
            "across_total": len(changes.get("across_splits", ())),
            "suspects_total": len(changes.get("suspects", ())),
            "identical": sum(one.exact for one in groups),
        }
        | changes
    )


FOUND = duplicates_of(
    group("iris/1.jpg", "iris/2.jpg", "iris/3.jpg", keep=1, weakest=0.961),
    group("tulip/1.jpg", "tulip/2.jpg", keep=1, exact=True, label="tulip"),
    group("daisy/1.jpg", "daisy/2.jpg", weakest=0.952, label="daisy"),
    across_splits=(pair("iris/1.jpg", "iris/2.jpg", 0.987),),
    suspects=(pair("iris/4.jpg", "tulip/1.jpg", 0.955, ("iris", "tulip")),),
    examples=(pair("iris/1.jpg", "iris/2.jpg", 0.987), pair("iris/1.jpg", "daisy/1.jpg", 0.938)),
    counts=(ThresholdCount(threshold=0.97, pairs=2, groups=1, images=3),),
    leaks=SplitLeaks(
        parts={"train": 24, "test": 8},
        drawn=True,
        description="as penult train draws them",
        held_out=8,
        near=1,
        all_images=0.5,
        without=0.4286,
    ),
)


def _interval(value):
    return ScoreInterval(value, value - 0.05, value + 0.05)


def _averages(shift):
    scores = {"hit@1": 0.5, "precision@1": 0.5, "hit@5": 0.875, "map@r": 0.25, "mrr": 0.625}
    scores = {name: _interval(value - shift) for name, value in scores.items()}
    return {"scores": scores, "any_label": scores, "macro": scores, "macro_any_label": scores}


SEARCHED = SearchScores(
    queries=30,
    skipped=2,
    queries_any_label=30,
    **_averages(0),
    without_duplicates=SearchAverages(
        queries=28, skipped=4, queries_any_label=28, **_averages(0.125)
    ),
    labels=(
        LabelSearchScore("tulip", 8, {"average_precision": 0.125, "hit@1": 0.25}),
        LabelSearchScore("iris", 16, {"average_precision": 0.5, "hit@1": 0.75}),
    ),
    examples=SearchResults(
        [
            SearchResult(
                "tulip/1.jpg",
                (
                    Hit("iris/2.jpg", similarity=0.912, label="iris"),
                    Hit("tulip/2.jpg", similarity=0.881, label="tulip"),
                    Hit("odd/1.jpg", similarity=0.5),
                ),
                labels=("tulip",),
            )
        ]
    ),
    gallery=32,
    duplicates=3,
)
