"""From the image processor of a transformers checkpoint to a recipe's preprocessing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from penult.backbones.preprocessing import invalid_settings, is_edge, is_number, short_json
from penult.errors import BackboneError
from penult.messages import first_line
from penult.recipe import Interpolation, Preprocessing

__all__ = ["read_preprocessing"]

# Their processors override the common one for segmentation maps only, or (DINOv3) round less.
_PLAIN = ("BeitImageProcessor", "DINOv3ViTImageProcessor", "MobileNetV2ImageProcessor")

_STEPS = ("preprocess", "_preprocess", "resize", "center_crop", "rescale", "normalize")


def read_preprocessing(folder: Path, model: str) -> Preprocessing:
    """Translate a checkpoint's image processor.

    Parameters
    ----------
    folder : with a ``preprocessor_config.json`` or ``processor_config.json``

    Raises
    ------
    BackboneError
        Names the setting that a recipe cannot say, or that cannot be.
    """
    from transformers import AutoImageProcessor
    from transformers.image_utils import SizeDict

    try:
        processor = AutoImageProcessor.from_pretrained(
            folder, backend="pil", trust_remote_code=False, local_files_only=True
        )
    except Exception as error:
        # A file of another kind meets transformers with whatever exception comes up first.
        raise BackboneError(
            f"{model} has no image preprocessing that transformers can read: {first_line(error)}"
        ) from error
    kind = type(processor).__name__.removesuffix("Pil")
    if kind not in (*_PLAIN, "ConvNextImageProcessor") and not _is_plain(processor):
        raise _refusal(model, f"its image processor {kind}")

    def setting(name: str) -> Any:
        value = getattr(processor, name, None)
        return dict(value) if isinstance(value, SizeDict) else value

    for name in ("do_pad", "do_flip_channel_order", "do_color_quantize"):
        if setting(name):
            raise _refusal(model, f"{name}=true")

    def stated(name: str, allowed: str, right: Callable[[Any], bool]) -> Any:
        # By presence: 0 is nearest neighbours to one setting, and nonsense to another.
        value = setting(name)
        if not right(value):
            raise BackboneError(
                f"the image processor of {model} states {name} {short_json(value)}; it may be "
                f"{allowed}"
            )
        return value

    size = stated("size", _SIZES, _are_edges) if setting("do_resize") else {}
    crop = stated("crop_size", _SIZES, _are_edges) if setting("do_center_crop") else {}
    if kind == "ConvNextImageProcessor" and size:
        # Below 384 pixels it crops, whatever do_center_crop says; from there on it squashes.
        edge = size.get("shortest_edge")
        if edge is None or crop:
            raise _refusal(model, f"size {size} with crop {crop} in {kind}")
        if edge < 384:
            part = stated("crop_pct", "a number above 0", lambda x: is_number(x) and x > 0)
            size, crop = (
                {"shortest_edge": int(edge / part)},
                {"height": edge, "width": edge},
            )
        else:
            size = {"height": edge, "width": edge}
    resize = _resize(size, model)
    if crop and set(crop) != {"height", "width"}:
        raise _refusal(model, f"crop_size {crop}")
    if not crop and not isinstance(resize, tuple):
        raise _refusal(model, f"size {size or None} without a crop: inputs of different sizes")
    interpolation: Interpolation = "bilinear"  # of nothing, where nothing is resized
    if size:
        filters = _filters()
        allowed = ", ".join(f"{number} ({name})" for number, name in sorted(filters.items()))
        # (lists cannot be looked up)
        interpolation = filters[stated("resample", allowed, lambda x: x in list(filters))]
    factor, mean, std = 1.0, _triple(0.0), _triple(1.0)
    if setting("do_rescale"):
        factor = stated("rescale_factor", "a number other than 0", lambda x: is_number(x) and x)
    if setting("do_normalize"):
        mean = _triple(stated("image_mean", "three numbers, or one for all", _is_triple))
        std = _triple(stated("image_std", "three numbers other than 0, or one for all", _divides))
    preprocessing = Preprocessing(
        resize=resize,
        crop=(crop["height"], crop["width"]) if crop else None,
        margin="down" if crop else "even",
        interpolation=interpolation,
        # (pixel * factor - mean) / std, said of pixel / 255.
        mean=tuple(m / (255 * factor) for m in mean),
        std=tuple(s / (255 * factor) for s in std),
    )
    if wrong := invalid_settings(preprocessing):
        raise BackboneError(f"the image processor of {model} cannot be followed: {wrong}")
    return preprocessing


_SIZES = "edges of 1 to 32,768 pixels, by name"


def _are_edges(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(is_edge, value.values()))


def _filters() -> dict[int, Interpolation]:
    """Pillow's number of each filter that a recipe can say."""
    from PIL import Image

    return {Image.Resampling[name.upper()].value: name for name in get_args(Interpolation)}


def _is_plain(processor: Any) -> bool:
    """Whether every step is the common one, so that its settings say all there is to say."""
    from transformers.image_processing_backends import PilBackend

    return isinstance(processor, PilBackend) and all(
        getattr(type(processor), step) is getattr(PilBackend, step) for step in _STEPS
    )


def _resize(size: dict[str, int], model: str) -> int | tuple[int, int] | None:
    if not size:
        return None
    if set(size) == {"shortest_edge"}:
        return size["shortest_edge"]
    if set(size) == {"height", "width"}:
        return size["height"], size["width"]
    raise _refusal(model, f"size {size}")


def _triple(value: Any) -> tuple[float, ...]:
    return (float(value),) * 3 if is_number(value) else tuple(map(float, value))


def _is_triple(value: Any) -> bool:
    several = isinstance(value, list | tuple) and len(value) == 3 and all(map(is_number, value))
    return is_number(value) or several


def _divides(value: Any) -> bool:
    return _is_triple(value) and 0 not in _triple(value)


def _refusal(model: str, what: str) -> BackboneError:
    return BackboneError(
        f"the preprocessing of {model} cannot be said in a recipe: {what}; a recipe resizes by the "
        f"shorter edge or squashes, crops the centre, and normalises"
    )
