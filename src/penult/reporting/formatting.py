"""Numbers and settings as a person reads them; the templates' filters."""

from __future__ import annotations

from typing import Any

from penult.recipe import Preprocessing

__all__ = ["count", "duration", "percent", "plain", "preprocessing_words", "ratio"]


def count(number: int, noun: str = "", nouns: str = "") -> str:
    """``1,360``, or with a noun ``1 image`` and ``1,360 images``."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def percent(share: float, digits: int = 1) -> str:
    """A share in [0, 1] as a percentage that says 100 or 0 only where that is exact."""
    step = 10.0**-digits
    value = round(100 * share, digits)
    if share < 1:
        value = min(value, 100 - step)
    if share > 0:
        value = max(value, step)
    return f"{int(value)}%" if value in (0, 100) else f"{value:.{digits}f}%"


def ratio(value: float) -> str:
    """Two decimals, as the field prints precision and recall; 1.00 only where that is exact."""
    return f"{min(value, 0.99) if value < 1 else value:.2f}"


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def plain(value: Any) -> str:
    """A setting's value: numbers without noise, lists with commas, nothing as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{k} = {plain(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(v) for v in value)
    return str(value)


def preprocessing_words(how: Preprocessing) -> str:
    """The steps in order, as one sentence."""
    steps = []
    if isinstance(how.resize, int):
        steps.append(f"shorter edge to {how.resize} pixels ({how.interpolation})")
    elif how.resize is not None:
        height, width = how.resize
        steps.append(f"resized to {width} × {height} pixels ({how.interpolation})")
    if how.crop is not None:
        height, width = how.crop
        steps.append(f"centre crop of {width} × {height}")
    mean, std = (", ".join(f"{v:.4g}" for v in values) for values in (how.mean, how.std))
    steps.append(f"{how.channels} with mean ({mean}) and standard deviation ({std})")
    if how.decode == "scaled":
        steps.insert(0, "large JPEGs scaled down while decoding")
    return "; ".join(steps)
