"""Galleries of a few rows, and what people have said of their labels."""

from __future__ import annotations

from types import MappingProxyType, SimpleNamespace

import feature_files
import numpy as np

from penult.records import Features
from penult.retrieve.index import Index
from penult.retrieve.search.gallery import Gallery


def gallery_of(rows, *, digests=None, groups=None, metric="cosine", several=False) -> Gallery:
    """A gallery of `{"a.jpg": ((1, 0), "rose")}`; images of one digest are one file."""
    names = tuple(sorted({label for _, *labels in rows.values() for label in labels}))
    first = [names.index(labels[0]) if labels else -1 for _, *labels in rows.values()]
    targets = np.array([[one in labels for one in names] for _, *labels in rows.values()])
    features = Features(
        features=np.array([row for row, *_ in rows.values()], np.float32),
        ids=tuple(rows),
        labels=np.array(first),
        label_names=names,
        recipe=feature_files.recipe(),
        targets=targets if several else None,
        groups=None if groups is None else [groups.get(one, one) for one in rows],
        content=[(digests or {}).get(one, one) for one in rows],
    )
    return Gallery(Index.of(features, metric=metric), "g.h5")


class Said:
    """Corrections that are kept in memory."""

    def __init__(self, labels=()):
        self._state = MappingProxyType({})
        for one, label in dict(labels).items():
            self.put(one, label)

    def put(self, image, label):
        self._state = MappingProxyType(
            {**self._state, image: SimpleNamespace(new=label, undoes=None)}
        )

    def undo(self, image, label):
        undone = SimpleNamespace(new=label, undoes=1)
        self._state = MappingProxyType({**self._state, image: undone})

    def forget(self, image):
        left = {one: said for one, said in self._state.items() if one != image}
        self._state = MappingProxyType(left)

    def state(self):
        return self._state
