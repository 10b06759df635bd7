"""Changed views of a photo to train on: cut out, turned, mirrored, in other colours.

Everything random depends on the seed, the policy, the photo's bytes and the number of the view
alone: neither on the order, nor on threads, nor on other photos.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageFilter

from penult.errors import UnknownNameError
from penult.images.pixels.color_jitter import STEPS, ColorJitter
from penult.images.pixels.draws import Draws
from penult.images.pixels.turned_crop import TurnedCrop
from penult.recipe import Preprocessing

__all__ = ["POLICIES", "Augmentation", "AugmentedView", "Policy", "edge_for"]

_EDGE = 384

# The shorter edge at which `Policy.blur` counts.
_BLURRED_AT = 224


@dataclass(frozen=True, kw_only=True)
class Policy:
    """From which ranges the changes are drawn.

    Attributes
    ----------
    area : (float, float)
        Of the crop, as a share of the photo's; uniform, as in torchvision's ``RandomResizedCrop``
        and the training of Inception (Szegedy et al. 2015, "Going Deeper with Convolutions").
    ratio : float
        The crop's aspect ratio, relative to the photo's, is log-uniform in [1 / ratio, ratio], as
        far as a crop of that area lies within the photo. (There it is relative to a square, and
        what does not fit is drawn again, so that elongated photos get no large crop.) What is cut
        out is squashed to the photo's proportions.
    angle : float
        The crop is turned by up to that many degrees, either way; uniform, as in torchvision's
        ``RandomRotation``.
    brightness, contrast, saturation : float
        The factor is uniform in [1 - it, 1 + it], as in torchvision's ``ColorJitter``.
    hue : float
        Hues are turned by up to that share of the colour wheel, either way; the same.
    grey, blurred : float
        The share of views without colour, as torchvision's ``RandomGrayscale``, and blurred.
    blur : (float, float)
        The standard deviation of a Gaussian blur, in pixels of an image whose shorter edge has 224;
        uniform, as in SimCLR (Chen et al. 2020).

    Notes
    -----
    One view in two is mirrored, left to right. The steps on colours are done in a random order, as
    ``ColorJitter`` does.
    """

    area: tuple[float, float]
    ratio: float
    angle: float
    brightness: float
    contrast: float
    saturation: float
    hue: float = 0.0
    grey: float = 0.0
    blurred: float = 0.0
    blur: tuple[float, float] = (0.1, 2.0)

    @property
    def least_share(self) -> float:
        """The least share that a crop has of the photo's width, or height."""
        return math.sqrt(self.area[0] / min(self.ratio, 1 / self.area[0]))


POLICIES = {
    "light": Policy(
        area=(0.7, 1.0), ratio=10 / 9, angle=10, brightness=0.2, contrast=0.2, saturation=0.2
    ),
    "strong": Policy(
        area=(0.35, 1.0),
        ratio=4 / 3,
        angle=25,
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        hue=0.03,  # at 0.05, yellow petals turn green
        grey=0.05,
        blurred=0.1,
    ),
}


@dataclass(frozen=True, kw_only=True)
class AugmentedView:
    """The changes that make one view of one photo.

    Attributes
    ----------
    crop : TurnedCrop
        What of the photo is seen.
    colors : ColorJitter
        How its colours are changed.
    grey : bool
        Whether they are taken away in the end.
    blur : float
        Standard deviation, in pixels of an image whose shorter edge has 224; 0 for none.
    """

    crop: TurnedCrop
    colors: ColorJitter
    grey: bool
    blur: float

    def __call__(self, image: Image.Image, edge: int) -> Image.Image:
        """Make the view.

        Parameters
        ----------
        image : Pillow image
            Of mode RGB, and any size.
        edge : int
            The shorter edge of what is cut out is reduced to that many pixels, before anything
            costly. What a network resizes to should not be more.

        Returns
        -------
        Pillow image
            Of mode RGB, in the photo's proportions, and smaller; for a network's `Transform`, as
            any image.
        """
        image = self.crop(image, edge)
        return self._recolored(image, min(image.size))

    def window(
        self, image: Image.Image, size: tuple[int, int], window: tuple[int, int, int, int]
    ) -> Image.Image:
        """Make a part of the view; see `TurnedCrop.window`.

        Factors of contrast are towards the mean of what is made.
        """
        return self._recolored(self.crop.window(image, size, window), min(size))

    def _recolored(self, image: Image.Image, edge: int) -> Image.Image:
        image = self.colors(image)
        if self.grey:
            image = image.convert("L").convert("RGB")
        if self.blur:
            image = image.filter(ImageFilter.GaussianBlur(self.blur * edge / _BLURRED_AT))
        return image


@dataclass(frozen=True)
class Augmentation:
    """How augmented views are made; safe to call from any thread.

    Parameters
    ----------
    policy : {"light", "strong"}
        See `POLICIES`.
    seed : int
        Another one gives other views.

    Raises
    ------
    UnknownNameError
        If there is no such policy.
    """

    policy: str
    seed: int

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise UnknownNameError("augmentation policy", self.policy, POLICIES)

    def draw(self, key: str, view: int) -> AugmentedView:
        """Draw the changes that make one view of one photo.

        Parameters
        ----------
        key : str
            What the photo is known by: the digest of its bytes.
        view : int
            Which of its views.

        Returns
        -------
        AugmentedView
        """
        policy = POLICIES[self.policy]
        draws = Draws(self.seed, self.policy, key, view)
        blurred = draws.chance("blurred", policy.blurred)
        return AugmentedView(
            crop=_crop(policy, draws),
            colors=ColorJitter(
                brightness=draws.uniform("brightness", *_around(1, policy.brightness)),
                contrast=draws.uniform("contrast", *_around(1, policy.contrast)),
                saturation=draws.uniform("saturation", *_around(1, policy.saturation)),
                hue=draws.uniform("hue", *_around(0, policy.hue)),
                order=draws.order("order", STEPS),
            ),
            grey=draws.chance("grey", policy.grey),
            blur=draws.uniform("blur", *policy.blur) if blurred else 0.0,
        )


def edge_for(preprocessing: Preprocessing) -> int:
    """The shorter edge of augmented views that a network sees, see `AugmentedView`.

    It depends on nothing but how that network sees images, so that its rows are the same alone and
    joined to those of another, which sees the same views.
    """
    resize, crop = preprocessing.resize, preprocessing.crop
    edges = resize if isinstance(resize, tuple) else (resize or 0,)
    return max(_EDGE, *edges, *(crop or ()))


def _crop(policy: Policy, draws: Draws) -> TurnedCrop:
    area = draws.uniform("area", *policy.area)
    # A wider box of that area would be wider than the photo, a narrower one higher.
    ratio = draws.log_uniform("ratio", max(1 / policy.ratio, area), min(policy.ratio, 1 / area))
    width, height = (area * ratio) ** 0.5, (area / ratio) ** 0.5
    return TurnedCrop(
        center=(
            draws.uniform("x", width / 2, 1 - width / 2),
            draws.uniform("y", height / 2, 1 - height / 2),
        ),
        width=width,
        height=height,
        angle=draws.uniform("angle", *_around(0, policy.angle)),
        flipped=draws.chance("flipped", 0.5),
    )


def _around(middle: float, reach: float) -> tuple[float, float]:
    return middle - reach, middle + reach
