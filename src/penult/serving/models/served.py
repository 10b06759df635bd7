"""What is served at one time: a classifier, a gallery or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penult.serving.models.version import digest

if TYPE_CHECKING:
    from penult.serving.models.gallery import ServedGallery
    from penult.serving.models.model import ServedClassifier, ServedModel

__all__ = ["Served"]


@dataclass(frozen=True)
class Served:
    """What is served at one time.

    Attributes
    ----------
    classifier : ServedClassifier or None
    gallery : ServedGallery or None
    """

    classifier: ServedClassifier | None
    gallery: ServedGallery | None

    @property
    def version(self) -> str:
        """Digest of all of it."""
        parts = [one.version for one in (self.classifier, self.gallery) if one is not None]
        return parts[0] if len(parts) == 1 else digest(" ".join(parts).encode())

    @property
    def rows_of(self) -> ServedModel:
        """Whose rows `/v1/features` gives: the gallery's, where there is one."""
        found = self.gallery or self.classifier
        assert found is not None  # `Sources` has one at least
        return found

    def start(self) -> None:
        """Begin to work out what is known of the gallery; doing it twice does no harm."""
        if self.gallery is not None and self.gallery.collection is not None:
            self.gallery.collection.start()

    def close(self) -> None:
        """Stop working; requests that have it go on with what is there."""
        if self.gallery is not None:
            if self.gallery.collection is not None:
                self.gallery.collection.close()
            self.gallery.gallery.close()
