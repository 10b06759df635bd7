"""Changed views of a photo at the size that a network sees, made in one step of a reduced photo."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from penult.images.pixels.augment import POLICIES, Augmentation, AugmentedView, edge_for
from penult.images.pixels.transform import Transform
from penult.images.pixels.turned_crop import shortened
from penult.recipe import Preprocessing

__all__ = ["ChangedView"]


class ChangedView:
    """Makes the views of `Augmentation` quickly, for a training that sees a photo many times.

    What is seen is what `Augmentation` and then `Transform` show: the same box, turned, mirrored
    and in the same colours. But it is resampled once, from a photo that was reduced beforehand, and
    what the network's crop throws away is not made. So the pixels are others than those of
    `penult.extract` with the same seed, by a little sharpness.

    Parameters
    ----------
    augmentation : Augmentation
    preprocessing : Preprocessing
        Of the network.
    """

    def __init__(self, augmentation: Augmentation, preprocessing: Preprocessing) -> None:
        self._augmentation = augmentation
        self._preprocessing = preprocessing
        self._transform = Transform(preprocessing)
        resize = preprocessing.resize
        edge = max(resize) if isinstance(resize, tuple) else resize
        self.edge = math.ceil(
            (edge or edge_for(preprocessing)) / POLICIES[augmentation.policy].least_share
        )
        """To which a photo's shorter edge is reduced: the smallest crop is not enlarged."""

    @property
    def at_least(self) -> tuple[int, int]:
        """(width, height) below which a decoder that scales down may not go: twice the edge."""
        return 2 * self.edge, 2 * self.edge

    def reduce(self, image: Image.Image) -> NDArray[np.uint8]:
        """Make of a photo what all its views are made of.

        Parameters
        ----------
        image : Pillow image
            Of mode RGB.

        Returns
        -------
        uint8 array, shape (H, W, 3)
            Its shorter edge is `edge`, or less where the photo's is.
        """
        image = shortened(image)
        scale = self.edge / min(image.size)
        if scale < 1:
            size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
            image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
        return np.asarray(image)

    def __call__(self, reduced: NDArray[np.uint8], content: str, view: int) -> NDArray[np.uint8]:
        """Make a view.

        Parameters
        ----------
        reduced : uint8 array, shape (H, W, 3)
            What `reduce` made.
        content : str
            The digest of the photo's bytes.
        view : int
            Which one; see `Augmentation.draw`.

        Returns
        -------
        uint8 array, shape (H, W, 3)
            As large as the network sees.
        """
        return self.made(reduced, self._augmentation.draw(content, view))

    def made(self, reduced: NDArray[np.uint8], changes: AugmentedView) -> NDArray[np.uint8]:
        """Make the view of these changes; as for `__call__`."""
        image = Image.fromarray(reduced)
        size = image.size
        if self._preprocessing.resize is None:
            size = changes.crop.size(image, edge_for(self._preprocessing))
        ((x, y),) = self._transform.axes(*size)
        window = x.first, y.first, x.first + x.count, y.first + y.count
        made = changes.window(image, (x.resized, y.resized), window)
        if not (x.is_padded or y.is_padded):
            return np.asarray(made)
        crop = self._preprocessing.crop
        assert crop is not None
        canvas = np.zeros((*crop, 3), np.uint8)
        canvas[y.kept, x.kept] = np.asarray(made)
        return canvas
