"""The labels of a gallery, as people have corrected them since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import ne
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from penult.retrieve.search.gallery import Gallery

__all__ = ["CorrectedLabels", "Correction", "Corrections", "LabelsNow"]


class Correction(Protocol):
    """What was last said of an image's label."""

    @property
    def new(self) -> str | None:
        """Its label; several are separated by ``|``, and None is none."""

    @property
    def undoes(self) -> int | None:
        """The entry that this takes back, so that nobody has judged the label; None for none."""


class Corrections(Protocol):
    """Where corrections are kept, such as a log of labels."""

    def state(self) -> Mapping[str, Correction]:
        """What was last said of each image that was changed, confirmed or put back, by its id.

        The same object for as long as nothing changes.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelsNow:
    """The labels of all rows at one moment.

    Attributes
    ----------
    labels : tuple of (str or None), length N
        Of each row; several are separated by ``|``, and None is none.
    judged : frozenset of int
        The places of rows whose label somebody has changed or confirmed.
    several : bool
        Whether a row may have several labels.
    changed : int
        How many rows have another label than they came with.
    """

    labels: tuple[str | None, ...]
    judged: frozenset[int]
    several: bool
    changed: int = 0

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many images have each label, in the alphabet's order."""
        found = Counter(one for place in range(len(self.labels)) for one in self.of(place))
        return dict(sorted(found.items()))

    @cached_property
    def unlabelled(self) -> int:
        """How many images have none."""
        return self.labels.count(None)

    def of(self, place: int) -> tuple[str, ...]:
        """The labels of a row: none, one, or several."""
        return self.parts(self.labels[place])

    def parts(self, label: str | None) -> tuple[str, ...]:
        """The labels that a row of such a label has."""
        if label is None:
            return ()
        return tuple(label.split("|")) if self.several else (label,)


class CorrectedLabels:
    """The labels of a gallery, and over them what people have said since.

    Parameters
    ----------
    gallery : Gallery
    corrections : Corrections, optional
        Of these and of other images, which are left alone.
    """

    def __init__(self, gallery: Gallery, corrections: Corrections | None = None) -> None:
        self._gallery, self._corrections = gallery, corrections
        rows = range(len(gallery.index))
        self._original = tuple("|".join(sorted(gallery.labels(place))) or None for place in rows)
        self._known: tuple[Mapping[str, Correction] | None, LabelsNow] | None = None

    def original(self, image_id: str) -> str | None:
        """The label that an image of the gallery came with; several are separated by ``|``."""
        return self._original[self._gallery.places[image_id]]

    def current(self, image_id: str) -> str | None:
        """The label that an image of the gallery has at present."""
        said = None if self._corrections is None else self._corrections.state().get(image_id)
        return self.original(image_id) if said is None else said.new or None

    def now(self) -> LabelsNow:
        """The labels of all images at present; safe to call from any thread."""
        state = None if self._corrections is None else self._corrections.state()
        known = self._known
        if known is not None and known[0] is state:
            return known[1]
        labels, judged, places = list(self._original), set(), self._gallery.places
        for image, said in (state or {}).items():
            place = places.get(image)
            if place is not None:
                labels[place] = said.new or None
                if said.undoes is None:
                    judged.add(place)
        found = LabelsNow(
            labels=tuple(labels),
            judged=frozenset(judged),
            several=self._gallery.is_multilabel,
            changed=sum(map(ne, labels, self._original)),
        )
        self._known = (state, found)
        return found
