"""Many short texts in little memory."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, overload
from unicodedata import normalize

__all__ = ["FileNames", "Numbers", "Texts", "composed", "positions", "without_loss"]


def composed(text: str) -> str:
    """The text in the one Unicode form (NFC) that it is compared in: é, not e and an accent."""
    return text if text.isascii() else normalize("NFC", text)


def positions(names: Iterable[str], among: Iterable[str]) -> list[int]:
    """Where each name stands among others, in whatever Unicode form; -1 where it does not."""
    exact = {str(name): k for k, name in enumerate(among)}
    by_form = {composed(name): k for name, k in exact.items()}
    return [exact.get(name, by_form.get(composed(name), -1)) for name in map(str, names)]


_LIKE_AN_ESCAPE = re.compile(rb"\\(?=x[0-9a-f]{2})")


def without_loss(name: bytes) -> str:
    r"""The name of a file as text from which it can be told again.

    Bytes that are not UTF-8 are escaped (``\xff``), and so is a backslash (``\x5c``) that would
    else look like the beginning of such an escape.
    """
    if b"\\x" in name:
        name = _LIKE_AN_ESCAPE.sub(rb"\\x5c", name)
    return name.decode("utf-8", "backslashreplace")


if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Array = array[int]
else:
    _Array = array  # which is no generic class before Python 3.12


class Numbers(_Array):
    """An ``array.array`` that is unpickled as an array of NumPy's, whose bytes may be shared."""

    def __reduce_ex__(self, _protocol: Any) -> Any:
        return _as_they_are, (shared(self),)


def _as_they_are(values: Any) -> Any:
    return values


class Texts(Sequence[str]):
    """A sequence of texts, kept end to end: their bytes and eight more each, where a str takes 50.

    Equal to any sequence of the same texts. Bytes that are not UTF-8 come out escaped; `raw` gives
    them as they are.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("q")

    @classmethod
    def of(cls, encoded: bytes, lengths: Iterable[int]) -> Texts:
        """Take texts that lie end to end, each as long as it says, in bytes."""
        texts = cls()
        texts._bytes += encoded
        texts._ends = array("q", accumulate(lengths))
        return texts

    def __reduce__(self) -> Any:
        # As buffers, which processes of one machine may share where they are pickled out of band.
        return _restored, (type(self), *map(shared, (self._bytes, self._ends)))

    def append(self, text: bytes) -> None:
        """Add a text, encoded."""
        self._own()
        self._bytes += text
        self._ends.append(len(self._bytes))

    def extend(self, texts: Texts) -> None:
        """Add the texts of another sequence of this kind."""
        self._own()
        start = len(self._bytes)
        self._bytes += memoryview(texts._bytes)  # to an array of NumPy's, bytes would be added
        self._ends.extend(start + end for end in texts._ends)

    def _own(self) -> None:
        """Take a copy of what was unpickled, which others may share."""
        if not isinstance(self._bytes, bytearray):
            self._bytes, self._ends = bytearray(self._bytes), array("q", self._ends)

    def raw(self, index: int) -> bytes:
        """The bytes of the text at `index`, 0 or more."""
        start = self._ends[index - 1] if index else 0
        return bytes(self._bytes[start : self._ends[index]])

    def lengths(self) -> NDArray[np.int64]:
        """How many bytes each has."""
        import numpy as np

        lengths = np.array(self._ends, np.int64)
        lengths[1:] -= lengths[:-1].copy()
        return lengths

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"text {index} of {count}")
        return self._text(self.raw(index % count))

    def _text(self, raw: bytes) -> str:
        return raw.decode("utf-8", "backslashreplace")

    def __iter__(self) -> Iterator[str]:
        return (self[k] for k in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as a list: it may grow

    def __repr__(self) -> str:
        shown = ", ".join(repr(text) for text in self[:3])
        return f"<{len(self):,} texts: {shown}{', …' if len(self) > 3 else ''}>"


def shared(values: Any) -> Any:
    """A buffer as NumPy's array, whose pickle may leave the bytes where they are (protocol 5).

    Parameters
    ----------
    values : bytearray or array.array

    Returns
    -------
    array, shape (n,)
    """
    import numpy as np

    return np.asarray(memoryview(values))


def _restored(kind: type[Texts], encoded: Any, ends: Any) -> Texts:
    texts = kind.__new__(kind)
    texts._bytes, texts._ends = encoded, ends
    return texts


class FileNames(Texts):
    """Texts that are names of files, and come out as `without_loss` has them."""

    def _text(self, raw: bytes) -> str:
        return without_loss(raw)
