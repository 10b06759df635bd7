"""What is served: the gallery in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from penult.representation import short_repr

__all__ = ["ClusterSize", "GalleryInfo", "LabelSize"]


@short_repr
@dataclass(frozen=True)
class LabelSize:
    """A label of the gallery.

    Attributes
    ----------
    label : str
        The label.
    images : int
        How many images have it.
    """

    label: str
    images: int


@short_repr
@dataclass(frozen=True)
class ClusterSize:
    """A cluster of the gallery.

    Attributes
    ----------
    cluster : int
        Its number.
    name : str or None
        What it is called: by the labels of its images, where they have some.
    images : int
        How many images are in it.
    """

    cluster: int
    name: str | None
    images: int


@short_repr
@dataclass(frozen=True)
class GalleryInfo:
    """The gallery that is served.

    Attributes
    ----------
    name : str
        The name of its file.
    images : int
        How many images it has.
    width : int
        How many numbers the row of an image has.
    metric : str
        ``"cosine"`` or ``"euclidean"``.
    recipe_sha256 : str
        The digest of the recipe of its rows.
    version : str
        Another one when the service has loaded other content.
    model : str or None
        The network that its rows are made with.
    has_images : bool
        Whether the images themselves can be asked for, and not only their ids.
    several_labels : bool
        Whether an image may have several labels, separated by ``|``.
    labels : tuple of LabelSize
        The labels, as corrected, and how many images have each.
    unlabelled : int
        How many images have no label.
    clusters : tuple of ClusterSize or None
        None until they are computed.
    unlike_threshold : float or None
        The cosine below which a photo is unlike anything in the gallery; None where it is not
        known.
    """

    name: str
    images: int
    width: int
    metric: str
    recipe_sha256: str
    version: str
    model: str | None = None
    has_images: bool = False
    several_labels: bool = False
    labels: tuple[LabelSize, ...] = ()
    unlabelled: int = 0
    clusters: tuple[ClusterSize, ...] | None = None
    unlike_threshold: float | None = None
