"""What class photos are of, by a classifier or by the votes of a gallery's nearest rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.records import Failure
from penult.retrieve.search.answer import Search
from penult.retrieve.search.queries import Query, QueryBatch
from penult.serving.models.model import ServedClassifier
from penult.serving.problems import ProblemError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.serving.models.gallery import ServedGallery
    from penult.serving.models.served import Served

__all__ = ["VOTERS", "answers_of", "classifying", "names_classes"]

VOTERS = 5
"""Nearest rows that vote where there is no classifier: as many as `penult.search` finds."""


def names_classes(served: Served) -> bool:
    """Whether there is a classifier, or a gallery whose rows can vote for a class."""
    if served.classifier is not None:
        return True
    return served.gallery is not None and served.gallery.is_labelled


def classifying(served: Served) -> ServedClassifier | ServedGallery:
    """What says of which class photos are: the classifier, or the gallery where there is none.

    Raises
    ------
    ProblemError
        404, if there is neither a classifier nor a label.
    """
    if not names_classes(served):
        raise ProblemError(
            404,
            "this service knows no classes: it has no classifier, and no gallery with labels",
        )
    model = served.classifier or served.gallery
    assert model is not None
    return model


def answers_of(
    model: ServedClassifier | ServedGallery,
    rows: NDArray[np.float32],
    *,
    top: int,
    contents: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Say of which class rows are.

    Parameters
    ----------
    model : ServedClassifier or ServedGallery
    rows : float32 array, shape (n, D)
        Of its recipe.
    top : int
        How many classes to list.
    contents : sequence of str, length n, optional
        Digests of the photos' bytes: an image of the gallery does not vote on itself.

    Returns
    -------
    list of dict
        One a row, as `/v1/classify` answers; with ``detail`` alone where a row has no class.
    """
    if isinstance(model, ServedClassifier):
        made = _classified(model, rows, top)
    else:
        made = _voted(model, rows, top, contents)
    return [one if "detail" in one else {**one, "model": model.to_dict()} for one in made]


def _classified(
    model: ServedClassifier, rows: NDArray[np.float32], top: int
) -> list[dict[str, Any]]:
    classifier = model.classifier
    names = [str(place) for place in range(len(rows))]
    predictions = classifier.predictions(
        names, classifier.predict_features(rows), similarity=classifier.similarity(rows), top=top
    )
    return [
        {
            "label": one.label,
            "probability": one.probability,
            **({} if one.labels is None else {"labels": list(one.labels)}),
            "top": _listed(one.top),
            "unlike": bool(one.unlike),
            "similarity": one.similarity,
        }
        for one in predictions
    ]


def _voted(
    model: ServedGallery, rows: NDArray[np.float32], top: int, contents: Sequence[str]
) -> list[dict[str, Any]]:
    own = model.copies_of(contents, rows) if contents else [None] * len(rows)
    batch = QueryBatch([Query(str(place), (), one) for place, one in enumerate(own)], rows)
    search = Search(model.gallery, k=VOTERS, vote=True, notes=False)
    similarity, unlike = model.unlike(rows)
    made: list[dict[str, Any]] = []
    for place, answer in enumerate(search.answers([batch])):
        if isinstance(answer, Failure):
            made.append({"detail": answer.reason})
            continue
        vote = answer.result.vote
        if vote is None:
            made.append({"detail": "none of the nearest images has a label"})
            continue
        made.append(
            {
                "label": vote.label,
                "probability": vote.confidence,
                **({} if vote.labels is None else {"labels": list(vote.labels)}),
                "top": _listed(vote.shares[:top]),
                "unlike": False if unlike is None else bool(unlike[place]),
                "similarity": None if similarity is None else float(similarity[place]),
            }
        )
    return made


def _listed(shares: Any) -> list[dict[str, Any]]:
    return [{"label": label, "probability": share} for label, share in shares]
