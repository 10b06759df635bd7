"""What a bot needs of the service: a part of `penult.AsyncClient`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import EllipsisType

    from penult.client.answers import Classified, Found, GalleryInfo, LabelEntries, LabelEntry

__all__ = ["PhotoService"]


class PhotoService(Protocol):
    """What a bot needs of the service; `penult.AsyncClient` has it."""

    async def classify(self, photo: bytes, /, *, top: int = 5) -> Classified:
        """Return the class of a photo."""

    async def search(self, *, photo: bytes, k: int = 10) -> Found:
        """Return the images of the gallery that are nearest to a photo."""

    async def gallery(self) -> GalleryInfo:
        """Return the gallery in numbers."""

    async def thumbnail(self, id: str, /) -> bytes:
        """Return a small JPEG of an image of the gallery."""

    async def set_label(
        self,
        id: str,
        label: str | None,
        /,
        *,
        who: str | None,
        expected: str | EllipsisType | None,
    ) -> LabelEntry:
        """Put a label of an image of the gallery into the label log, if it has the expected one."""

    async def undo(self, *, entry: int | None, who: str | None) -> LabelEntries:
        """Undo an entry of the label log."""
