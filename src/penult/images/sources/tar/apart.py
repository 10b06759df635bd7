"""Label files in a tar archive that do not stand next to their images."""

from __future__ import annotations

from array import array

import numpy as np

from penult.texts import Texts

__all__ = ["LabelsApart"]


class LabelsApart:
    """Label files that have no image beside them; of each no more is kept than a hash of its key.

    An archive is read once, from its beginning, so that a label that comes before or after other
    files than its image's is not known to belong to it until all names are known.
    """

    def __init__(self) -> None:
        self._keys = array("q")

    def add(self, name: bytes) -> None:
        """Note a label file with no image beside it, by its path in the archive."""
        self._keys.append(hash(_key(name)))

    def count(self, images: Texts) -> int:
        """How many of them have the key of one of these images."""
        if not self._keys:
            return 0
        keys = (hash(_key(images.raw(index))) for index in range(len(images)))
        of_images = np.fromiter(keys, np.int64, len(images))
        return int(np.isin(np.asarray(self._keys), of_images).sum())


def _key(name: bytes) -> bytes:
    folder, slash, base = name.rpartition(b"/")
    return folder + slash + base.partition(b".")[0]
