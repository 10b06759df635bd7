"""A recipe opened: images in, rows out, again and again."""

from penult.extractor.extractor import Extractor, ExtractorSpec
from penult.extractor.opened import OpenedBackbone
from penult.extractor.options import EngineOptions, ReadingOptions
from penult.extractor.rows import ModelRows, RecipeRows, layer_names

__all__ = [
    "EngineOptions",
    "Extractor",
    "ExtractorSpec",
    "ModelRows",
    "OpenedBackbone",
    "ReadingOptions",
    "RecipeRows",
    "layer_names",
]
