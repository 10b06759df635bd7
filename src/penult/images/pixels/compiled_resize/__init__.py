"""Pillow's resize, compiled for this processor: the same bits in a fifth of the time."""

from penult.images.pixels.compiled_resize.resizer import CompiledResize, preload

__all__ = ["CompiledResize", "preload"]
