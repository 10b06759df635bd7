"""A recipe opened: images in, rows out, again and again."""

from penult.extractor.extractor import Extractor, ExtractorSpec
from penult.extractor.opened import OpenedBackbone
from penult.extractor.options import EngineOptions, ReadingOptions
from penult.extractor.rows import ModelRows, RecipeRows, as_names, by_network

__all__ = [
    "EngineOptions",
    "Extractor",
    "ExtractorSpec",
    "ModelRows",
    "OpenedBackbone",
    "ReadingOptions",
    "RecipeRows",
    "as_names",
    "by_network",
]
