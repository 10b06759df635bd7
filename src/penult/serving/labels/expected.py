"""The labels that images are expected to have: a change of others is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from penult.errors import UsageError
from penult.images.labels.manifest_rows import unique_labels
from penult.serving.labels.entry import LabelEntry, given_by, named_label
from penult.texts import composed
from penult.wording import count

__all__ = ["OtherLabelsError", "require_expected"]


class OtherLabelsError(UsageError):
    """Images have other labels by now than those that a change was made of.

    Parameters
    ----------
    message : str
    labels : iterable of (str, (str or None), (str or None))
        Each such image, its label, and who gave it.
    """

    def __init__(
        self, message: str, labels: Iterable[tuple[str, str | None, str | None]] = ()
    ) -> None:
        super().__init__(message)
        self.labels = tuple(labels)


def require_expected(
    expected: Mapping[str, str | None],
    labels: Mapping[str, str | None],
    entries: Mapping[str, LabelEntry | None],
    *,
    several: bool,
) -> None:
    """Refuse a change of labels which are not those that its sender has seen.

    Parameters
    ----------
    expected : mapping of str to (str or None)
        Of images, as many as are to be checked, the label that was seen; None for none.
    labels : mapping of str to (str or None)
        Of each image that is to be changed, the label it has.
    entries : mapping of str to (LabelEntry or None)
        What the log said last of each.
    several : bool
        Whether an image may have several labels, whose order does not count.

    Raises
    ------
    UsageError
        If a label is expected of an image that is not among those to be changed.
    OtherLabelsError
        If an image has another label.
    """
    for image in expected:
        if image not in labels:
            raise UsageError(
                f"a label is expected of {image!r}, which is none of the images to be changed"
            )
    others = [
        image
        for image, label in expected.items()
        if _names(label, several) != _names(labels[image], several)
    ]
    if not others:
        return
    image, last = others[0], entries[others[0]]
    now, seen = named_label(labels[image]), named_label(expected[image])
    by = "" if last is None else f", {given_by(last)} since"
    more = f"; {count(len(others) - 1, 'more image')} changed as well" if others[1:] else ""
    raise OtherLabelsError(
        f"{image!r} has {now} now{by}, instead of {seen}{more}; nothing was changed here",
        [(one, labels[one], entry.who if (entry := entries[one]) else None) for one in others],
    )


def _names(label: str | None, several: bool) -> frozenset[str]:
    text = composed(label or "")
    return frozenset(unique_labels(text.split("|") if several else [text]))
