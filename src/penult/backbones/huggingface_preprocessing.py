"""From the image processor of a transformers checkpoint to a recipe's preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from penult.errors import BackboneError
from penult.recipe import Preprocessing

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
        Names the setting that a recipe cannot say.
    """
    from PIL import Image
    from transformers import AutoImageProcessor
    from transformers.image_utils import SizeDict

    try:
        processor = AutoImageProcessor.from_pretrained(
            folder, backend="pil", trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError, TypeError, ImportError, RecursionError) as error:
        raise BackboneError(
            f"{model} has no image preprocessing that transformers can read: {_first_line(error)}"
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
    size = setting("size") if setting("do_resize") else {}
    crop = setting("crop_size") if setting("do_center_crop") else {}
    if kind == "ConvNextImageProcessor" and size:
        # Below 384 pixels it crops, whatever do_center_crop says; from there on it squashes.
        edge = size.get("shortest_edge")
        if edge is None or crop:
            raise _refusal(model, f"size {size} with crop {crop} in {kind}")
        if edge < 384:
            size, crop = (
                {"shortest_edge": int(edge / setting("crop_pct"))},
                {"height": edge, "width": edge},
            )
        else:
            size = {"height": edge, "width": edge}
    resize = _resize(size, model)
    if crop and set(crop) != {"height", "width"}:
        raise _refusal(model, f"crop_size {crop}")
    if not crop and not isinstance(resize, tuple):
        raise _refusal(model, f"size {size or None} without a crop: inputs of different sizes")
    factor = setting("rescale_factor") if setting("do_rescale") else 1.0
    normalised = setting("do_normalize")
    mean = _triple(setting("image_mean") if normalised else 0.0)
    std = _triple(setting("image_std") if normalised else 1.0)
    return Preprocessing(
        resize=resize,
        crop=(crop["height"], crop["width"]) if crop else None,
        margin="down" if crop else "even",
        interpolation=cast(Any, Image.Resampling(setting("resample") or 2).name.lower()),
        # (pixel * factor - mean) / std, said of pixel / 255.
        mean=tuple(m / (255 * factor) for m in mean),
        std=tuple(s / (255 * factor) for s in std),
    )


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
    return (float(value),) * 3 if isinstance(value, int | float) else tuple(map(float, value))


def _refusal(model: str, what: str) -> BackboneError:
    return BackboneError(
        f"the preprocessing of {model} cannot be said in a recipe: {what}; a recipe resizes by the "
        f"shorter edge or squashes, crops the centre, and normalises"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
