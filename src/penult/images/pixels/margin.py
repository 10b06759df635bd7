"""Whether there is anything beside the centre crop that other crops could show."""

from __future__ import annotations

from penult.errors import UnknownNameError, UsageError
from penult.interface import option
from penult.recipe import VIEWS, Preprocessing

__all__ = ["require_views"]


def require_views(name: str, preprocessing: Preprocessing) -> None:
    """Refuse views that a network's preprocessing does not have.

    Parameters
    ----------
    name : str
        ``"flip"``, ``"five-crop"`` or ``"ten-crop"``.
    preprocessing : Preprocessing
        The network's.

    Raises
    ------
    UnknownNameError
        If `name` is none of those.
    UsageError
        If they crop, and every image is resized to what the network sees, or to less.

    Notes
    -----
    A shorter edge that is resized to exactly the crop passes: the longer edge has a margin, unless
    the photo is square.
    """
    if name not in VIEWS:
        raise UnknownNameError("views", name, VIEWS)
    resize, crop = preprocessing.resize, preprocessing.crop
    if all(view.place == "center" for view in VIEWS[name]) or (
        crop is not None and _is_spare(resize, crop)
    ):
        return
    seen = crop or resize
    resized = f" to {_size(seen)} pixels" if isinstance(seen, tuple) else ""
    raise UsageError(
        f"{option('views', name)} cannot be had: this network's images are resized{resized} with "
        f"no margin to crop from; {option('views', 'flip')} works with every network"
    )


def _is_spare(resize: int | tuple[int, int] | None, crop: tuple[int, int]) -> bool:
    if resize is None:
        return True  # as each image has it
    if isinstance(resize, int):
        return resize >= max(crop)
    return resize[0] >= crop[0] and resize[1] >= crop[1] and resize != crop


def _size(size: tuple[int, int]) -> str:
    return f"{size[1]} × {size[0]}"
