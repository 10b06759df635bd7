"""Label files in a tar archive that do not stand next to their images."""

from __future__ import annotations

from array import array

import numpy as np

from penult.texts import Texts

__all__ = ["LabelsApart"]


class LabelsApart:
    """Label files that have no image beside them; of each no more is kept than two hashes.

    An archive is read once, from its beginning, so that a label that comes before or after other
    files than its image's is not known to belong to it until all names are known. Of one name the
    last counts, as for tar: a label that was packed again, with its image, is none of them.
    """

    def __init__(self) -> None:
        self._names, self._keys, self._places = array("q"), array("q"), array("q")
        self._is_apart = bytearray()

    def add(self, name: bytes, at: int) -> None:
        """Note a label file with no image beside it: its path in the archive, and its place."""
        self._note(name, at, is_apart=True)

    def add_beside(self, name: bytes, at: int) -> None:
        """Note one that has an image beside it, in place of one that had none."""
        if self._names:  # else there is none of which it could take the place
            self._note(name, at, is_apart=False)

    def _note(self, name: bytes, at: int, *, is_apart: bool) -> None:
        self._names.append(hash(name))
        self._keys.append(hash(_key(name)))
        self._places.append(at)
        self._is_apart.append(is_apart)

    def count(self, images: Texts) -> int:
        """How many of them have the key of one of these images."""
        if not self._names:
            return 0
        keys = (hash(_key(images.raw(index))) for index in range(len(images)))
        of_images = np.fromiter(keys, np.int64, len(images))
        names = np.asarray(self._names)
        order = np.lexsort((np.asarray(self._places), names))
        names = names[order]
        last = order[np.append(names[1:] != names[:-1], True)]
        apart = last[np.frombuffer(self._is_apart, bool)[last]]
        return int(np.isin(np.asarray(self._keys)[apart], of_images).sum())


def _key(name: bytes) -> bytes:
    folder, slash, base = name.rpartition(b"/")
    return folder + slash + base.partition(b".")[0]
