"""The images of a gallery whose labels somebody should look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from penult.classify.diagnosis.label_errors import likely_errors
from penult.classify.evaluation.seen import trained_any
from penult.errors import UsageError
from penult.neighbors.blocks import row_length
from penult.neighbors.glued_rows import GluedRows, Piece
from penult.records import Progress
from penult.serving.gallery.copies import copies_of_several_labels, same_file, several_labels
from penult.serving.gallery.judged import Judged
from penult.serving.gallery.neighbour_votes import neighbour_votes
from penult.serving.gallery.review_item import ReviewItem
from penult.wording import probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.classify.classifier import Classifier
    from penult.progress import Tell
    from penult.records import Features
    from penult.retrieve.search.gallery import Gallery
    from penult.serving.labels.corrected import LabelsNow

__all__ = ["Review", "make_review"]

UNSURE = 0.2
"""Of the two most probable labels, by less than so much apart nobody can tell them."""

MOST_ROWS = 50_000
_MOST_NUMBERS = 1 << 24  # of probabilities, 128 MB
_MOST_PRODUCTS = 1 << 42  # of exact search: a minute or two
_BATCH = 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class Review:
    """The images to look at, those that most need it first.

    Attributes
    ----------
    errors : tuple of ReviewItem
        Whose label is likely wrong.
    unsure : tuple of ReviewItem
        Of which two labels are almost as probable.
    ids : sequence of str
        Of all rows.
    judged : int
        How many images were looked at: all, or a random part.
    images : int
        How many there are.
    """

    errors: tuple[ReviewItem, ...]
    unsure: tuple[ReviewItem, ...]
    ids: Sequence[str]
    judged: int
    images: int

    def items(self, kind: Literal["errors", "unsure"], now: LabelsNow) -> list[ReviewItem]:
        """Those of a kind, without the rows that somebody has looked at.

        A file of several labels is there until it has one.
        """
        every = self.errors if kind == "errors" else self.unsure
        return [
            self._as_now(one, now) if one.same else one
            for one in every
            if (one.same and several_labels(now, (one.place, *one.same)))
            or (not one.same and one.place not in now.judged)
        ]

    def _as_now(self, item: ReviewItem, now: LabelsNow) -> ReviewItem:
        reason = same_file(self.ids, now, item.place, item.same)
        return replace(item, label=now.labels[item.place], reason=reason)


def make_review(
    gallery: Gallery, now: LabelsNow, classifier: Classifier | None, tell: Tell
) -> Review:
    """Find the images whose labels are likely wrong, and those that are between two labels.

    A row is judged by what has not seen it: by a classifier that was not trained on it, where there
    is one for such rows that knows its label; else by the vote of its nearest other rows
    (`neighbour_votes`). Errors are found in these probabilities by confident learning, see
    `penult.classify.diagnosis.label_errors.likely_errors`, of both kinds of judges apart, whose
    probabilities mean different things. The same file under several labels comes first, once.
    Unsure is a row whose two most probable labels are less than 0.2 apart (margin sampling:
    Scheffer, Decomain & Wrobel, "Active hidden Markov models for information extraction", IDA
    2001).

    Parameters
    ----------
    gallery : Gallery
    now : LabelsNow
        Its labels at present.
    classifier : Classifier, optional
    tell : callable
        Told of rows that were judged.

    Returns
    -------
    Review
        Of 50,000 random rows at most, fewer where there are thousands of labels, or where exact
        search would take long.

    Raises
    ------
    UsageError
        If its rows are plain arrays, or may have several labels each.
    SearchError
        If rows cannot be searched for.
    """
    features = gallery.features
    if features is None:
        raise UsageError(
            f"{gallery.name} is of plain arrays, of which nothing is known but the numbers; serve "
            "a feature file or an index of one, to review its labels"
        )
    if now.several:
        raise UsageError(
            f"the images of {gallery.name} may have several labels each; likely errors are found "
            "among images of one label"
        )
    judge = classifier if _can_judge(classifier, gallery) else None
    known = {one for one in now.labels if one is not None}
    names = sorted(known | set(() if judge is None else judge.label_names))
    numbers = {name: number for number, name in enumerate(names)}
    labels = np.array([-1 if one is None else numbers[one] for one in now.labels], np.int64)
    places = _chosen(gallery, len(names))
    votes = neighbour_votes(gallery.index, features, labels, places, len(names), tell)
    nobody = np.zeros(len(places), bool)
    judged = Judged(places, names, labels[places], votes.shares, nobody, votes)
    if judge is not None:
        judged = _by_classifier(judge, gallery, features, judged, tell)
    copies = copies_of_several_labels(features, now, gallery, judged)
    among = {place for one in copies for place in (one.place, *one.same)}
    errors = [one for one in _errors(judged) if one.place not in among]
    return Review(
        errors=(*copies, *errors),
        unsure=tuple(_unsure(judged)),
        ids=gallery.index.ids,
        judged=len(places),
        images=len(labels),
    )


def _can_judge(classifier: Classifier | None, gallery: Gallery) -> bool:
    return (
        classifier is not None
        and classifier.thresholds is None
        and classifier.recipe == gallery.recipe
    )


def _chosen(gallery: Gallery, classes: int) -> NDArray[np.int64]:
    index, count = gallery.index, len(gallery.index)
    most = min(MOST_ROWS, _MOST_NUMBERS // max(1, classes))
    if index.structure is None:
        most = min(most, _MOST_PRODUCTS // (count * row_length(index.rows)))
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, max(1, most), replace=False))


def _by_classifier(
    classifier: Classifier, gallery: Gallery, features: Features, judged: Judged, tell: Tell
) -> Judged:
    """Put a classifier's probabilities in the place of the votes, where it has not seen the row."""
    places = judged.places
    seen = trained_any(features, places, classifier.trained_on)
    if seen is None:  # nobody knows which rows trained it
        return judged
    known = np.array([name in set(classifier.label_names) for name in judged.names], bool)
    may = ~seen & ((judged.labels < 0) | known[judged.labels])
    columns = np.array([judged.names.index(name) for name in classifier.label_names], np.int64)
    probabilities, asked = judged.probabilities.copy(), np.flatnonzero(may)
    rows = GluedRows([Piece(gallery.index.rows, places[asked])])
    for start in range(0, len(asked), _BATCH):
        tell(Progress(start, len(asked), 0, stage="classify", unit="rows"))
        part = asked[start : start + _BATCH]
        block = rows[start : start + _BATCH].reshape(len(part), -1)
        probabilities[part] = 0
        probabilities[np.ix_(part, columns)] = classifier.predict_features(block)
    return Judged(places, judged.names, judged.labels, probabilities, may, judged.votes)


def _errors(judged: Judged) -> list[ReviewItem]:
    found: list[tuple[float, float, int, int]] = []
    has_label = (judged.labels >= 0) & judged.probabilities.any(axis=1)
    for kind in (False, True):
        rows = np.flatnonzero(has_label & (judged.by_classifier == kind))
        if not len(rows):
            continue
        labels, probabilities = judged.labels[rows], judged.probabilities[rows]
        wrong, suggested = likely_errors(labels, probabilities)
        for one in wrong.tolist():
            better = int(suggested[one])
            own, other = probabilities[one, labels[one]], probabilities[one, better]
            found.append((float(own), -float(other), int(rows[one]), better))
    return [_error(judged, row, better) for _, _, row, better in sorted(found)]


def _error(judged: Judged, row: int, better: int) -> ReviewItem:
    label = int(judged.labels[row])
    own, other = (float(judged.probabilities[row, one]) for one in (label, better))
    name, suggested = judged.names[label], judged.names[better]
    if judged.by_classifier[row]:
        reason = (
            f"the classifier, which was not trained on it, gives {suggested} {probability(other)} "
            f"and {name} {probability(own)}"
        )
    else:
        voters = judged.votes.voters[row]
        of, near, alike = (int(k.sum()) for k in (voters >= 0, voters == better, voters == label))
        reason = (
            f"{near} of the {of} images nearest to it {'is' if near == 1 else 'are'} labelled "
            f"{suggested}, {alike or 'none'} {name}"
        )
    return ReviewItem(
        place=int(judged.places[row]),
        label=name,
        suggested=suggested,
        probability=other,
        reason=reason,
    )


def _unsure(judged: Judged) -> list[ReviewItem]:
    if judged.probabilities.shape[1] < 2:
        return []
    rows = np.flatnonzero(judged.probabilities.any(axis=1))
    order = np.argsort(-judged.probabilities[rows], axis=1, kind="stable")[:, :2]
    best, second = np.take_along_axis(judged.probabilities[rows], order, axis=1).T
    margin = best - second
    among = np.argsort(margin, kind="stable")
    found = []
    for one in among[margin[among] < UNSURE].tolist():
        row, (first, other) = int(rows[one]), order[one].tolist()
        label = int(judged.labels[row])
        if label >= 0 and label != first and judged.probabilities[row, label] == best[one]:
            first, other = label, first  # nothing speaks against the label that it has
        shares = (
            f"{judged.names[first]} {probability(float(best[one]))}, "
            f"{judged.names[other]} {probability(float(second[one]))}"
        )
        judge = "the classifier" if judged.by_classifier[row] else "the images nearest to it"
        found.append(
            ReviewItem(
                place=int(judged.places[row]),
                label=None if label < 0 else judged.names[label],
                suggested=judged.names[first],
                probability=float(best[one]),
                reason=f"{shares}, by {judge}",
            )
        )
    return found
