"""Turn images into feature vectors with pretrained networks, and use them.

    import penult

    features = penult.extract("photos", "features.h5")
    classifier = penult.train("features.h5")
    classifier.save("flowers.skops")
    penult.load_classifier("flowers.skops").predict("new photos")

All but the errors are imported when first used, so that ``import penult`` is quick and needs no
torch. What is public is in `__all__`, and in docs/api.md; the rest may change without notice.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from penult.errors import (
    BackboneError,
    ClassifierFileError,
    EngineError,
    FeatureFileError,
    FileFormatError,
    ImageError,
    MissingExtraError,
    OutputError,
    OutputExistsError,
    PathNotFoundError,
    PenultError,
    RecipeMismatchError,
    ResumeError,
    SourceError,
    TrainingError,
    UnknownNameError,
    UsageError,
    WeightsError,
)
from penult.messages import make_printable

if TYPE_CHECKING:
    from penult.classify.classifier import Classifier
    from penult.classify.evaluation.evaluate import evaluate
    from penult.classify.export.export import export_classifier
    from penult.classify.loading import load_classifier
    from penult.classify.training.train import train
    from penult.estimators import FeatureExtractor
    from penult.extraction import extract
    from penult.extractor import Extractor
    from penult.features.read import load
    from penult.planning import plan
    from penult.quantization import Quantization, quantize
    from penult.recipe import Preprocessing, Recipe
    from penult.records import Failure, Features, Prediction, Scores
    from penult.reporting.make import make_report
    from penult.verification import Verification, verify

__version__ = "0.1.0"

_log = logging.getLogger("penult")
_log.addFilter(make_printable)
# A library that raises the root logger's level would mute penult's warnings with its own.
if _log.level == logging.NOTSET:
    _log.setLevel(logging.WARNING)

_HOMES = {
    "Classifier": "penult.classify.classifier",
    "Extractor": "penult.extractor",
    "Failure": "penult.records",
    "FeatureExtractor": "penult.estimators",
    "Features": "penult.records",
    "Prediction": "penult.records",
    "Preprocessing": "penult.recipe",
    "Quantization": "penult.quantization",
    "Recipe": "penult.recipe",
    "Scores": "penult.records",
    "Verification": "penult.verification",
    "evaluate": "penult.classify.evaluation.evaluate",
    "export_classifier": "penult.classify.export.export",
    "extract": "penult.extraction",
    "load": "penult.features.read",
    "load_classifier": "penult.classify.loading",
    "make_report": "penult.reporting.make",
    "plan": "penult.planning",
    "quantize": "penult.quantization",
    "train": "penult.classify.training.train",
    "verify": "penult.verification",
}

__all__ = [
    "BackboneError",
    "Classifier",
    "ClassifierFileError",
    "EngineError",
    "Extractor",
    "Failure",
    "FeatureExtractor",
    "FeatureFileError",
    "Features",
    "FileFormatError",
    "ImageError",
    "MissingExtraError",
    "OutputError",
    "OutputExistsError",
    "PathNotFoundError",
    "PenultError",
    "Prediction",
    "Preprocessing",
    "Quantization",
    "Recipe",
    "RecipeMismatchError",
    "ResumeError",
    "Scores",
    "SourceError",
    "TrainingError",
    "UnknownNameError",
    "UsageError",
    "Verification",
    "WeightsError",
    "__version__",
    "evaluate",
    "export_classifier",
    "extract",
    "load",
    "load_classifier",
    "make_report",
    "plan",
    "quantize",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'penult' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
