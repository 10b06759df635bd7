"""Numbers and settings as a person reads them; the report's own filters of templates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penult.recipe import Preprocessing
from penult.records import Features
from penult.wording import count

__all__ = [
    "apart",
    "brief_time",
    "duration",
    "feature_file_name",
    "file_size",
    "plain",
    "preprocessing_words",
]


def apart(names: Iterable[str], most: int = 8) -> str:
    """The first few of some names that may have commas in them: ``a; b; and 2 more``."""
    every = list(names)
    more = [f"and {len(every) - most:,} more"] if len(every) > most else []
    return "; ".join([*every[:most], *more])


def feature_file_name(features: Features) -> str:
    """The feature file as it was named, of rows that are read where they are sliced."""
    return getattr(features.features, "named", "") or "FEATURES.h5"


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


def file_size(size: int) -> str:
    """``512 bytes``, ``45 kB``, ``1.2 MB``, in powers of 1,000."""
    if size < 1000:
        return count(size, "byte")
    return f"{size / 1e3:,.0f} kB" if size < 999_500 else f"{size / 1e6:,.1f} MB"


def brief_time(seconds: float) -> str:
    """``0.4 ms``, ``17 ms``, ``1.2 s``."""
    if seconds < 0.0095:
        return f"{1e3 * seconds:.1f} ms"
    return f"{1e3 * seconds:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


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
    resampling = f"{how.interpolation}{', fast' * (how.resampling == 'fast')}"
    if isinstance(how.resize, int):
        steps.append(f"shorter edge to {how.resize} pixels ({resampling})")
    elif how.resize is not None:
        height, width = how.resize
        steps.append(f"resized to {width} × {height} pixels ({resampling})")
    if how.crop is not None:
        height, width = how.crop
        steps.append(f"centre crop of {width} × {height}")
    mean, std = (", ".join(f"{v:.4g}" for v in values) for values in (how.mean, how.std))
    steps.append(f"{how.channels} with mean ({mean}) and standard deviation ({std})")
    if how.decode == "scaled":
        steps.insert(0, "large JPEGs scaled down while decoding")
    return "; ".join(steps)
