"""A photo is decoded once, for its own row and for those of its augmented views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from penult.engines.outcome import Outcome
from penult.errors import ImageError
from penult.images.pixels.augment import Augmentation
from penult.images.read import read_image
from penult.records import AugmentedRecord, Failure, ImageRecord, augmented_content

if TYPE_CHECKING:
    from PIL import Image

    from penult.engines.preprocessor import Pixels, Preprocessor
    from penult.images.pixels.decode import Size
    from penult.recipe import AugmentedRecipe

    Decoded = tuple[Outcome, Pixels | None]

__all__ = ["PhotoDecoder"]


class PhotoDecoder:
    """Makes what networks see, of a photo and of augmented views of it; safe from any thread.

    Parameters
    ----------
    preprocess : Preprocessor
        What makes the networks' pixels.
    max_pixels : int or None
        Larger photos are refused; None for the default.
    allow_truncated : bool
        Whether to take what there is of a truncated photo.
    known : callable or None
        Whether the row of this digest is known already, so that no pixels are needed.
    augmented : AugmentedRecipe or None
        How views are made; None where there are none.

    Raises
    ------
    UnknownNameError
        If there is no such policy of augmentation.
    """

    def __init__(
        self,
        preprocess: Preprocessor,
        *,
        max_pixels: int | None = None,
        allow_truncated: bool = False,
        known: Callable[[str], bool] | None = None,
        augmented: AugmentedRecipe | None = None,
    ) -> None:
        self._preprocess, self._known, self._augmented = preprocess, known, augmented
        self._limits = {} if max_pixels is None else {"max_pixels": max_pixels}
        self._allow_truncated = allow_truncated
        self._augmentation: Augmentation | None = None
        if augmented is not None:
            self._augmentation = Augmentation(augmented.policy, augmented.seed)

    @property
    def can_be_sent(self) -> bool:
        """Whether another process can do its work: none knows what is known here."""
        return self._known is None

    def __call__(self, records: Sequence[ImageRecord]) -> list[Decoded]:
        """Read a photo.

        Parameters
        ----------
        records : sequence of ImageRecord
            What is wanted of it: itself, views of it, or both.

        Returns
        -------
        list of (Outcome, pixels or None)
            One a record, in their order. No pixels where it failed, or its row is known.
        """
        first = records[0]
        photo = first.photo if isinstance(first, AugmentedRecord) else first
        try:
            made, content = read_image(
                photo,
                lambda *photo: [self._decoded(one, *photo) for one in records],
                allow_truncated=self._allow_truncated,
                at_least=self._preprocess.at_least,
                known=lambda content: all(
                    self._is_known(self._digest(one, content)) for one in records
                ),
                **self._limits,
            )
        except ImageError as error:
            return [(Outcome(one, failure=Failure(one.id, str(error))), None) for one in records]
        if not made:
            return [(Outcome(one, self._digest(one, content), known=True), None) for one in records]
        return [_together(of_one) for of_one in zip(*made, strict=True)]

    def _decoded(
        self, record: ImageRecord, image: Image.Image, content: str, sizes: Sequence[Size]
    ) -> Decoded:
        digest, changes = self._digest(record, content), None
        if self._is_known(digest):
            return Outcome(record, digest, known=True), None
        if isinstance(record, AugmentedRecord):
            if self._augmentation is None:
                raise ValueError(f"{record.id}, and nothing that says how it is made")
            changes = self._augmentation.draw(content, record.view)
        try:
            return Outcome(record, digest), self._preprocess(image, changes, sizes)
        except ImageError as error:
            return Outcome(record, failure=Failure(record.id, str(error))), None

    def _digest(self, record: ImageRecord, content: str) -> str:
        if isinstance(record, AugmentedRecord) and self._augmented is not None:
            return augmented_content(content, self._augmented, record.view)
        return content

    def _is_known(self, digest: str) -> bool:
        return bool(digest) and self._known is not None and self._known(digest)


def _together(decodings: Sequence[Decoded]) -> Decoded:
    """One outcome of a record of which several decodings were made: the first failure, or all."""
    pixels: Pixels = {}
    for outcome, some in decodings:
        if some is None:
            return outcome, None
        pixels |= some
    return decodings[0][0], pixels
