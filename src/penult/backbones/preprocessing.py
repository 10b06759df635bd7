"""Whether a preprocessing that somebody wrote down can be carried out."""

from __future__ import annotations

import json
from typing import Any, get_args

from penult.errors import FileFormatError
from penult.recipe import Interpolation, Preprocessing

__all__ = ["EXAMPLE", "invalid_settings", "is_edge", "is_number", "parse", "short_json"]

_LARGEST = 2**15
"""Pixels of an edge; beyond, one image would not fit into a sane memory."""

EXAMPLE = json.dumps(
    Preprocessing(
        resize=256,
        crop=(224, 224),
        interpolation="bilinear",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    ).to_dict()
)
"""A whole one, to be copied and changed."""


def parse(data: Any) -> Preprocessing:
    """Read one from what stands in a file.

    Raises
    ------
    FileFormatError
        Names the settings that are missing, unknown, or cannot be.
    """
    preprocessing = Preprocessing.from_dict(data)
    if wrong := invalid_settings(preprocessing):
        raise FileFormatError(wrong)
    return preprocessing


def invalid_settings(preprocessing: Preprocessing) -> str:
    """Name each setting that cannot be, with what it may be; empty where all is well."""
    p = preprocessing
    edges = f"whole numbers from 1 to {_LARGEST:,}"
    found = [
        f"{name} is {short_json(getattr(p, name))}, and may be {allowed}"
        for name, right, allowed in (
            ("resize", p.resize is None or is_edge(p.resize) or _is_size(p.resize),
             f"the shorter edge, [height, width] or null, of {edges}"),
            ("crop", p.crop is None or _is_size(p.crop), f"[height, width] or null, of {edges}"),
            ("interpolation", p.interpolation in get_args(Interpolation),
             ", ".join(get_args(Interpolation))),
            ("mean", _is_triple(p.mean), "three numbers"),
            ("std", _is_triple(p.std) and 0 not in p.std, "three numbers other than 0"),
            ("channels", p.channels in ("RGB", "BGR"), "RGB or BGR"),
            ("margin", p.margin in ("even", "down"), "even or down"),
            ("decode", p.decode in ("exact", "scaled"), "exact or scaled"),
            ("resampling", p.resampling in ("exact", "fast"), "exact or fast"),
        )
        if not right
    ]  # fmt: skip
    if not found and p.crop is None and not isinstance(p.resize, tuple):
        found = ["crop is null, and may be so only where resize is [height, width]"]
    return "; ".join(found)


def is_edge(value: object) -> bool:
    """Whether it is a number of pixels that an edge may have."""
    return type(value) is int and 1 <= value <= _LARGEST


def _is_size(value: object) -> bool:
    """Whether it is (height, width)."""
    return isinstance(value, tuple) and len(value) == 2 and all(map(is_edge, value))


def is_number(value: object) -> bool:
    """Whether it is a number that a float32 can be; True, False and NaN are none."""
    return isinstance(value, int | float) and type(value) is not bool and -1e38 < value < 1e38


def _is_triple(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 3 and all(map(is_number, value))


def short_json(value: Any) -> str:
    """As JSON has it, and not at length."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 60 else f"{text[:60]}…"
